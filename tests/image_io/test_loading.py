"""Faithful reading of every kind of image, atomic writing, value ranges."""

from __future__ import annotations

import io
import os
import warnings
import zlib

import numpy as np
import pytest
import tensorflow as tf
from exif_orientations import INVERSE_TRANSPOSES
from handmade_png import png_bytes, with_damaged_chunk
from PIL import Image

from tfgan_app.image_io import loading

# Four distinct colors in the corners of a 2 x 3 image tell every flip and turn apart.
CORNERS = np.array([[[255, 0, 0], [10, 10, 10], [0, 255, 0]], [[0, 0, 255], [200, 200, 200], [255, 255, 0]]], np.uint8)


def stored_with_orientation(orientation, path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(INVERSE_TRANSPOSES[orientation](CORNERS))
    Image.fromarray(stored).save(path, exif=exif)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(tmp_path, orientation, suffix):
    path = tmp_path / f"turned{suffix}"
    stored_with_orientation(orientation, path)
    np.testing.assert_array_equal(loading.read_rgb(path), CORNERS)
    header = loading.image_header(path)
    assert (header.width, header.height) == (3, 2)
    assert header.plain == (orientation == 1 and suffix == ".png")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_is_taken_as_upright(tmp_path):
    path = tmp_path / "damaged.jpg"
    Image.fromarray(CORNERS).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert loading.read_rgb(path).shape == (2, 3, 3)
    assert loading.image_header(path).orientation == 1


def saved(image, path, **options):
    image.save(path, **options)
    return loading.read_rgb(path), loading.image_header(path)


def test_alpha_is_composited_on_the_background(tmp_path):
    rgba = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 128]]], np.uint8)
    path = tmp_path / "alpha.png"
    rgb, header = saved(Image.fromarray(rgba), path)
    np.testing.assert_allclose(rgb, [[[255, 0, 0], [255, 255, 255], [127, 127, 127]]], atol=1)
    assert not header.plain
    np.testing.assert_array_equal(loading.read_rgb(path, background=(0, 9, 0))[0, 1], [0, 9, 0])


def test_palette_and_its_transparency(tmp_path):
    palette = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    rgb, header = saved(palette, tmp_path / "palette.png")
    np.testing.assert_array_equal(rgb, [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    assert not header.plain
    rgb, _ = saved(palette, tmp_path / "clear.png", transparency=1)
    np.testing.assert_array_equal(rgb, [[[255, 0, 0], [255, 255, 255], [0, 0, 255]]])


def test_gray_with_a_transparent_value(tmp_path):
    gray = Image.fromarray(np.array([[0, 7, 9]], np.uint8))
    rgb, header = saved(gray, tmp_path / "gray.png", transparency=7)
    np.testing.assert_array_equal(rgb[0, :, 0], [0, 255, 9])
    assert not header.plain


def test_sixteen_bit_gray_keeps_its_range(tmp_path):
    values = np.array([[0, 257 * 7, 65535]], np.uint16)
    for name in ("deep.png", "deep.tif"):
        rgb, header = saved(Image.fromarray(values), tmp_path / name)
        np.testing.assert_array_equal(rgb, np.repeat([[[0], [7], [255]]], 3, axis=-1))
        assert not header.plain


def test_integers_and_floats(tmp_path):
    rgb, _ = saved(Image.fromarray(np.array([[0, 65535, -5]], np.int32)), tmp_path / "int.tif")
    np.testing.assert_array_equal(rgb[0, :, 0], [0, 255, 0])
    rgb, _ = saved(Image.fromarray(np.array([[0, 0.5, 1]], np.float32)), tmp_path / "unit.tif")
    np.testing.assert_array_equal(rgb[0, :, 0], [0, 128, 255])
    rgb, _ = saved(Image.fromarray(np.array([[0, 99.6, 300]], np.float32)), tmp_path / "wide.tif")
    np.testing.assert_array_equal(rgb[0, :, 0], [0, 100, 255])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    flat = Image.new("RGB", (5, 4), "white").convert("L" if mode == "I;16" else mode)
    flat = flat.convert("I;16").point(lambda value: value * 257) if mode == "I;16" else flat
    rgb, header = saved(flat, tmp_path / "image.tif")
    assert rgb.shape == (4, 5, 3) and rgb.dtype == np.uint8
    assert rgb.min() >= 254
    assert (header.width, header.height, header.format) == (5, 4, "TIFF")


def test_cmyk_jpeg(tmp_path):
    rgb, header = saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), tmp_path / "print.jpg", quality=100)
    np.testing.assert_allclose(rgb[4, 4], [255, 0, 0], atol=4)
    assert not header.plain


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_plain_means_that_tensorflow_decodes_the_same(tmp_path, suffix, mode):
    noise = np.random.default_rng(0).integers(0, 256, (17, 23, 3), np.uint8)
    path = tmp_path / f"plain{suffix}"
    rgb, header = saved(Image.fromarray(noise).convert(mode), path)
    assert header.plain
    data = path.read_bytes()
    if suffix == ".png":
        decoded = tf.io.decode_png(data, channels=3)
    else:
        decoded = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
    np.testing.assert_array_equal(decoded.numpy(), rgb)


def test_the_content_decides_the_format_not_the_suffix(tmp_path):
    path = tmp_path / "really_a_png.jpg"
    Image.fromarray(CORNERS).save(path, format="PNG")
    np.testing.assert_array_equal(loading.read_rgb(path), CORNERS)
    assert loading.image_header(path).format == "PNG"


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize(("name", "data"), [(b"tEXt", b"Title\0x"), (b"gAMA", b"\0\0\1\1"), (b"eXIf", b"II*\0")])
def test_a_damaged_chunk_that_pixels_do_not_need(tmp_path, name, data, behind):
    pixels = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    sound = loading.encode_png(pixels)
    (tmp_path / "a.png").write_bytes(with_damaged_chunk(sound, name, data, behind=behind))
    np.testing.assert_array_equal(loading.read_rgb(tmp_path / "a.png"), pixels)
    assert loading.image_header(tmp_path / "a.png").plain
    damaged = bytearray(sound)
    damaged[20] ^= 1
    (tmp_path / "a.png").write_bytes(with_damaged_chunk(bytes(damaged), name, data))
    with pytest.raises(ValueError, match=r"a\.png': its PNG chunk IHDR is damaged \(wrong checksum\)"):
        loading.read_rgb(tmp_path / "a.png")


def test_a_long_compressed_text_is_no_reason_to_refuse_a_png(tmp_path):
    text = (b"zTXt", b"workflow\0\0" + zlib.compress(b"a" * 3_000_000))
    (tmp_path / "a.png").write_bytes(png_bytes((2, 1, 8, 2), bytes([0, *range(6)]), text))
    np.testing.assert_array_equal(loading.read_rgb(tmp_path / "a.png"), [[[0, 1, 2], [3, 4, 5]]])


def unreadable_files(folder):
    whole = loading.encode_png(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    contents = {"empty.png": b"", "text.jpg": b"hello", "half.png": whole[: len(whole) // 2]}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [*contents, "missing.png"]


def test_unreadable_files_are_named_in_one_line(tmp_path):
    for name in unreadable_files(tmp_path):
        with pytest.raises(ValueError, match=name) as caught:
            loading.read_rgb(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="text.jpg"):
        loading.image_header(tmp_path / "text.jpg")


def test_an_image_over_the_bound_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "big.png"
    Image.new("L", (100, 50)).save(path)
    with pytest.raises(ValueError, match=r"big.png.*100 x 50 pixels.*4999"):
        loading.read_rgb(path, max_pixels=4999)
    assert loading.read_rgb(path, max_pixels=5000).shape == (50, 100, 3)


def test_a_decompression_bomb_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "bomb.png"
    Image.new("L", (100, 50)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with pytest.raises(ValueError, match="bomb.png"):
            loading.read_rgb(path)


def test_find_images(tmp_path):
    for name in ("b.JPG", "sub/ä.png", "a.jpeg", ".hidden.png", ".cache/x.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [path.relative_to(tmp_path).as_posix() for path in loading.find_images(tmp_path)]
    assert found == ["a.jpeg", "b.JPG", "sub/ä.png"]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".ppm", ".PNG"])
def test_written_images_come_back(tmp_path, suffix):
    path = tmp_path / "new" / f"日本{suffix}"
    loading.write_image(path, CORNERS)
    np.testing.assert_array_equal(loading.read_rgb(path), CORNERS)
    assert os.listdir(path.parent) == [path.name]


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "kept.png"
    loading.write_image(path, CORNERS)

    def half_write(self, target, **_):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", half_write)
    with pytest.raises(OSError, match="No space"):
        loading.write_image(path, CORNERS[::-1])
    monkeypatch.undo()
    np.testing.assert_array_equal(loading.read_rgb(path), CORNERS)
    assert os.listdir(tmp_path) == ["kept.png"]


def test_writing_checks_its_input(tmp_path):
    with pytest.raises(ValueError, match=r"must be one of .*\.png.*Received: .*x\.xyz"):
        loading.write_image(tmp_path / "x.xyz", CORNERS)
    with pytest.raises(ValueError, match=r"uint8 \[height, width, 3\].*float32"):
        loading.write_image(tmp_path / "x.png", CORNERS.astype(np.float32))


def test_png_bytes_round_trip():
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(loading.encode_png(CORNERS)))), CORNERS)
