"""EXIF orientation: one table of formats, for everything that reads an image. See also the tests of the two pages."""

from __future__ import annotations

import base64
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from live_server import export_negative, live_server, save_module
from oriented_files import FILES, ORIENTATIONS, TENSORFLOW, UPRIGHT, is_upright, oriented_file
from PIL import Image

from tfgan_app.data.checking import check_picture
from tfgan_app.data.decoding import FilePictures
from tfgan_app.export.encoded_pictures import decode_picture
from tfgan_app.images import picture_header, read_rgb
from tfgan_app.picture_files import read_picture
from tfgan_app.picture_files.orientation import upright_png
from tfgan_app.picture_files.writing import to_eight_bits


@pytest.fixture
def write(tmp_path):
    def written(name, orientation):
        path = tmp_path / f"{orientation}.{name.split()[-1] if name in FILES else name}"
        path.write_bytes(oriented_file(name, orientation))
        return path

    return written


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("name", FILES)
def test_prediction(write, name, orientation):
    picture = read_picture(write(name, orientation))
    assert is_upright(to_eight_bits(picture.pixels), name)
    if picture.metadata.exif:
        kept = Image.Exif()
        kept.load(picture.metadata.exif)
        assert kept.get(0x0112, 1) == 1


@pytest.mark.parametrize("name", FILES)
def test_training_and_inspection(write, name):
    paths = [write(name, orientation) for orientation in ORIENTATIONS]
    for path in paths:
        assert is_upright(read_rgb(path), name)
        header = picture_header(path)
        assert (header.height, header.width) == UPRIGHT.shape[:2]
        check = check_picture(path)
        assert check.problem is None and (check.header.height, check.header.width) == UPRIGHT.shape[:2]
    pictures = FilePictures(paths)
    assert (pictures.sizes == UPRIGHT.shape[:2]).all()
    for image in tf.data.Dataset.range(len(paths)).map(pictures.decode).as_numpy_iterator():
        assert is_upright(image, name)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def decode(data):
    return decode_picture(data, channels=3, max_pixels=2**20)


@pytest.mark.parametrize("name", TENSORFLOW)
def test_saved_models(name):
    for orientation in ORIENTATIONS:
        image = decode(oriented_file(name, orientation)).numpy()
        assert is_upright(image, name), orientation


@tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
def foreign(image_bytes):
    """A model of somebody else's, whose decoder knows no EXIF."""
    images = tf.map_fn(
        lambda data: tf.io.decode_image(data, channels=3, expand_animations=False), image_bytes, tf.uint8
    )
    return {"output_bytes": tf.map_fn(tf.io.encode_png, tf.ensure_shape(images, [None, None, None, 3]), tf.string)}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    export_negative(folder)
    save_module(folder / "foreign" / "1", serving_default=foreign)
    with live_server(folder) as server:
        yield server


def served(live, model, data):
    status, answer = live.post(f"{model}:predict", {"instances": [{"b64": base64.b64encode(data).decode()}]})
    assert status == 200, answer
    with Image.open(io.BytesIO(base64.b64decode(answer["predictions"][0]["b64"]))) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", TENSORFLOW)
def test_serving(live, name):
    for orientation in ORIENTATIONS:
        data = oriented_file(name, orientation)
        images = {"negative": 255 - served(live, "negative", data)}
        if not name.endswith("jpg"):
            images["foreign"] = served(live, "foreign", data)
        for model, image in images.items():
            assert is_upright(image, name), (model, orientation)


@pytest.mark.parametrize("name", [name for name in TENSORFLOW if not name.endswith("jpg")])
def test_turned_png_files_keep_their_kind(name):
    for orientation in ORIENTATIONS[1:]:
        data = oriented_file(name, orientation)
        turned = upright_png(data)
        with Image.open(io.BytesIO(turned)) as image, Image.open(io.BytesIO(data)) as source:
            assert image.mode == source.mode and image.size == UPRIGHT.shape[1::-1]
            assert "exif" not in image.info
        assert upright_png(turned) is turned
    upright = oriented_file(name, 1)
    assert upright_png(upright) is upright


def test_turning_keeps_the_transparent_color_of_a_palette():
    palette = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    palette.save(buffer, "PNG", transparency=1, exif=exif)
    with Image.open(io.BytesIO(upright_png(buffer.getvalue()))) as image:
        assert np.asarray(image.convert("RGBA")).tolist() == [[[255, 0, 0, 255]], [[0, 255, 0, 0]], [[0, 0, 255, 255]]]


@pytest.mark.parametrize("damage", [lambda data: data[:60], lambda data: data[:-30], lambda data: b"x" + data[1:]])
def test_files_that_cannot_be_turned_are_left_to_the_decoder(damage):
    data = damage(oriented_file("png with exif behind its pixels", 6))
    assert upright_png(data) is data


@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("order", "<>")
def test_any_type_of_number_in_saved_models_as_in_prediction(tmp_path, kind, order):
    value = struct.pack(order + {3: "H2x", 4: "I"}[kind], 6)
    entry = struct.pack(order + "HHI", 0x0112, kind, 1) + value
    exif = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)
    data = FILES["jpg"](np.ascontiguousarray(np.rot90(UPRIGHT)), exif)
    (tmp_path / "a.jpg").write_bytes(data)
    for image in (decode(data).numpy(), read_rgb(tmp_path / "a.jpg"), read_picture(tmp_path / "a.jpg").pixels):
        assert is_upright(image, "jpg")
