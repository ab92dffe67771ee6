"""PNG files written row by row, as other decoders see them."""

from __future__ import annotations

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import skimage.data
import tensorflow as tf
from PIL import Image

from tfgan_app.image_io.decoded_image import ImageMetadata
from tfgan_app.image_io.png_stream import PngStream, filter_rows


def encode(pixels, *, strip=7, metadata=None):
    buffer = io.BytesIO()
    height, width, channels = pixels.shape
    options = {"height": height, "width": width, "channels": channels, "dtype": pixels.dtype}
    stream = PngStream(buffer, metadata=metadata or ImageMetadata(), **options)
    for top in range(0, height, strip):
        stream.write(pixels[top : top + strip])
    stream.close()
    return buffer.getvalue()


def smooth_noise(shape, dtype):
    """Rows for which each filter is the best at least once."""
    rng = np.random.default_rng(0)
    steps = rng.integers(-3, 4, shape).cumsum(axis=1).cumsum(axis=0) * 90
    steps[::5] = rng.integers(0, 2**16, shape)[::5]
    return steps.astype(dtype)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (33, 21)])
def test_three_decoders_read_what_was_written(channels, dtype, height, width):
    pixels = smooth_noise((height, width, channels), dtype)
    data = encode(pixels)
    decoded = tf.io.decode_png(data, dtype=tf.as_dtype(dtype)).numpy()
    np.testing.assert_array_equal(decoded, pixels)
    np.testing.assert_array_equal(imagecodecs.png_decode(data).reshape(pixels.shape), pixels)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if dtype == np.uint8 or channels == 1:
            np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)


def test_strips_of_any_height_make_the_same_pixels():
    pixels = smooth_noise((50, 400, 3), np.uint16)
    for strip in (1, 13, 50):
        np.testing.assert_array_equal(tf.io.decode_png(encode(pixels, strip=strip), dtype=tf.uint16).numpy(), pixels)


def test_rows_longer_than_a_block():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 700_000, 4), np.uint8)
    np.testing.assert_array_equal(imagecodecs.png_decode(encode(pixels)), pixels)


def test_each_filter_is_that_of_the_standard():
    rows = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    rows[10:20] = np.arange(60) * 4
    rows[20:30] = rows[9]
    rows[30:] = (np.arange(60)[None] * 3 + np.arange(10)[:, None] * 5).astype(np.uint8)
    filtered = filter_rows(rows, np.zeros(60, np.uint8), pixel_bytes=3)
    previous = [0] * 60
    for number, row, coded in zip(filtered[:, 0], rows.tolist(), filtered[:, 1:].tolist(), strict=True):
        for index, value in enumerate(row):
            left, corner = (row[index - 3], previous[index - 3]) if index >= 3 else (0, 0)
            above = previous[index]
            estimate = left + above - corner
            paeth = min((left, above, corner), key=lambda neighbor: abs(estimate - neighbor))
            predicted = (0, left, above, (left + above) // 2, paeth)[number]
            assert coded[index] == (value - predicted) % 256
        previous = row
    assert len(set(filtered[:, 0].tolist())) >= 4


def test_photos_are_as_small_as_pillow_makes_them():
    ratios = []
    for photo in (skimage.data.astronaut(), skimage.data.coffee(), skimage.data.camera()[..., None]):
        buffer = io.BytesIO()
        Image.fromarray(photo.squeeze()).save(buffer, format="PNG")
        ratios.append(len(encode(photo, strip=64)) / len(buffer.getvalue()))
    assert np.mean(ratios) < 1.02


def test_chunks_are_in_order_and_their_checksums_right():
    metadata = ImageMetadata(icc_profile=b"p" * 200, exif=b"II*\0", xmp=b"<x/>", dpi=(300.0, 72.0))
    data = encode(np.zeros((2, 2, 3), np.uint8), metadata=metadata)
    position, names = 8, []
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        body = data[position + 4 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length)[0] == zlib.crc32(body)
        names.append(body[:4])
        position += 12 + length
    assert names[0] == b"IHDR" and names[-2:] == [b"IDAT", b"IEND"]
    assert set(names[1:-2]) == {b"iCCP", b"pHYs", b"eXIf", b"iTXt"}
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.info["icc_profile"] == b"p" * 200
        assert image.info["dpi"] == pytest.approx((300, 72), abs=0.02)
        assert image.info["xmp"] == b"<x/>"
