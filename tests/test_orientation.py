"""EXIF orientation: one table of formats, for everything that reads an image. See also the tests of the two pages."""

from __future__ import annotations

import base64
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from live_server import export_negative, live_server
from oriented_files import FILES, ORIENTATIONS, TENSORFLOW, UPRIGHT, is_upright, oriented_file
from PIL import Image

from tfgan_app.data.checking import check_image
from tfgan_app.data.decoding import FileImages
from tfgan_app.export.encoded_images import chunk_orientation, decode_image
from tfgan_app.image_io import read_image
from tfgan_app.image_io.loading import image_header, read_rgb
from tfgan_app.image_io.writing import to_eight_bits


@pytest.fixture
def write(tmp_path):
    def written(name, orientation):
        path = tmp_path / f"{orientation}.{name.split()[-1]}"
        path.write_bytes(oriented_file(name, orientation))
        return path

    return written


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("name", FILES)
def test_prediction(write, name, orientation):
    image = read_image(write(name, orientation))
    assert is_upright(to_eight_bits(image.pixels), name)
    if image.metadata.exif:
        kept = Image.Exif()
        kept.load(image.metadata.exif)
        assert kept.get(0x0112, 1) == 1


@pytest.mark.parametrize("name", FILES)
def test_training_and_inspection(write, name):
    paths = [write(name, orientation) for orientation in ORIENTATIONS]
    for path in paths:
        assert is_upright(read_rgb(path), name)
        header = image_header(path)
        assert (header.height, header.width) == UPRIGHT.shape[:2]
        check = check_image(path)
        assert check.problem is None and (check.header.height, check.header.width) == UPRIGHT.shape[:2]
    images = FileImages(paths)
    assert (images.sizes == UPRIGHT.shape[:2]).all()
    for image in tf.data.Dataset.range(len(paths)).map(images.decode).as_numpy_iterator():
        assert is_upright(image, name)


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def decode(data):
    return decode_image(data, channels=3, max_pixels=2**20)


@pytest.mark.parametrize("name", TENSORFLOW)
def test_saved_models(name):
    for orientation in ORIENTATIONS:
        image = decode(oriented_file(name, orientation)).numpy()
        assert is_upright(image, name), orientation


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    export_negative(folder)
    with live_server(folder) as server:
        yield server


@pytest.mark.parametrize("name", FILES)
def test_serving(live, name):
    for orientation in ORIENTATIONS:
        content = {"b64": base64.b64encode(oriented_file(name, orientation)).decode()}
        status, answer = live.post("negative:predict", {"instances": [content]})
        assert status == 200, answer
        with Image.open(io.BytesIO(base64.b64decode(answer["predictions"][0]["b64"]))) as image:
            assert is_upright(255 - np.asarray(image.convert("RGB")), name), orientation


@pytest.mark.parametrize("name", FILES)
def test_chunks_are_found_in_a_graph(name):
    for orientation in ORIENTATIONS:
        found = chunk_orientation(tf.constant(oriented_file(name, orientation))).numpy()
        assert found == (orientation if "png" in name or "webp" in name else 1)


@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("order", "<>")
def test_any_type_of_number_in_saved_models_as_in_prediction(tmp_path, kind, order):
    value = struct.pack(order + {3: "H2x", 4: "I"}[kind], 6)
    entry = struct.pack(order + "HHI", 0x0112, kind, 1) + value
    exif = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)
    data = FILES["jpg"](np.ascontiguousarray(np.rot90(UPRIGHT)), exif)
    (tmp_path / "a.jpg").write_bytes(data)
    for image in (decode(data).numpy(), read_rgb(tmp_path / "a.jpg"), read_image(tmp_path / "a.jpg").pixels):
        assert is_upright(image, "jpg")
