"""Image files inside a graph: the size in the header, the orientation, and rejected files."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from exif_orientations import INVERSE_TRANSPOSES
from handmade_png import with_damaged_chunk
from PIL import Image

from tfgan_app.export.encoded_images import decode_image, gif_pixels, image_size, jpeg_orientation

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)


def file_bytes(image, file_format, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, file_format, **options)
    return buffer.getvalue()


@tf.function(input_signature=[tf.TensorSpec([], tf.string)])
def decode(data):
    return decode_image(data, channels=3, max_pixels=24 * 40)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_the_size_is_read_from_the_header_of_each_format(file_format):
    content = file_bytes(IMAGE, file_format)
    assert tf.function(image_size)(tf.constant(content)).numpy().tolist() == [24, 40]
    assert image_size(tf.constant(content[:40] if file_format != "JPEG" else content)).numpy().tolist() == [24, 40]


def test_a_bitmap_stored_from_the_top_down_has_a_negative_height():
    content = bytearray(file_bytes(IMAGE, "BMP"))
    content[22:26] = (-24).to_bytes(4, "little", signed=True)
    assert image_size(tf.constant(bytes(content))).numpy().tolist() == [24, 40]


@pytest.mark.parametrize("content", [b"", b"\xff", b"\xff\xd8", b"GIF8", b"BM", b"hello, world", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_an_invalid_argument(content):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(tf.constant(content))


def test_a_damaged_chunk_that_pixels_do_not_need_is_left_out():
    content = with_damaged_chunk(file_bytes(IMAGE, "PNG"), b"tEXt", b"Title\0x")
    np.testing.assert_array_equal(decode(tf.constant(content)), IMAGE)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_one_pixel_too_many_is_refused_before_it_is_decoded(file_format):
    assert decode(tf.constant(file_bytes(IMAGE, file_format))).shape == (24, 40, 3)
    larger = file_bytes(np.zeros((24, 41, 3), np.uint8), file_format)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 960 pixels"):
        decode(tf.constant(larger))


def test_a_header_of_2_to_the_32_pixels_a_side_is_refused():
    content = bytearray(file_bytes(IMAGE, "PNG"))
    content[16:24] = b"\xff" * 8
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 960 pixels"):
        decode(tf.constant(bytes(content)))


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("orientation", INVERSE_TRANSPOSES)
def test_photographs_come_out_upright(orientation, byte_order):
    stored = np.ascontiguousarray(INVERSE_TRANSPOSES[orientation](IMAGE))
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif[0x0112] = orientation
    exif.endian = "<" if byte_order == "little" else ">"
    content = file_bytes(stored, "JPEG", quality=100, subsampling=0, exif=exif.tobytes())
    assert tf.function(jpeg_orientation)(tf.constant(content)).numpy() == orientation
    expected = UPRIGHT[orientation](np.asarray(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(decode(tf.constant(content)), expected)


def undone(orientation):
    """Operations that turn a stored image upright, found by trial: one of the eight undoes each transposition."""
    places = np.arange(6).reshape(2, 3)
    for transpose in INVERSE_TRANSPOSES.values():
        if np.array_equal(transpose(INVERSE_TRANSPOSES[orientation](places)), places):
            return transpose
    raise AssertionError(orientation)


UPRIGHT = {orientation: undone(orientation) for orientation in INVERSE_TRANSPOSES}


def test_exif_after_a_jfif_segment_is_found():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = file_bytes(IMAGE, "JPEG", exif=exif.tobytes())
    jfif = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    assert content[2:4] in (b"\xff\xe0", b"\xff\xe1")
    if content[2:4] == b"\xff\xe1":
        content = content[:2] + jfif + content[2:]
    assert jpeg_orientation(tf.constant(content)).numpy() == 6


def segment(marker, payload):
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


@pytest.mark.parametrize(
    "before",
    [segment(0xFE, b"a comment"), segment(0xE2, b"MPF" + bytes(60_000)), segment(0xE0, b"JFIF\0" + bytes(30))],
)
def test_exif_is_found_after_other_segments(before):
    exif = Image.Exif()
    exif[0x0112] = 8
    content = file_bytes(IMAGE, "JPEG", exif=exif.tobytes())
    assert jpeg_orientation(tf.constant(content[:2] + before + content[2:])).numpy() == 8


def gif(*frames, screen=(1, 1), palette=True):
    """A GIF file of images without pixel data: sizes (width, height), each with a small extension."""
    content = b"GIF89a" + screen[0].to_bytes(2, "little") + screen[1].to_bytes(2, "little")
    content += b"\x80\0\0" + bytes(6) if palette else b"\0\0\0"
    for width, height in frames:
        content += b"\x21\xf9\x04\0\0\0\0\0"
        content += b"\x2c" + bytes(4) + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\x81" + bytes(12)
        content += b"\x02" + b"\x03abc" + b"\x01d" + b"\0"
    return content + b"\x3b"


@pytest.mark.parametrize("palette", [True, False])
def test_all_images_of_an_animation_are_counted(palette):
    content = gif((40, 24), (10, 10), (65535, 65535), palette=palette)
    assert tf.function(gif_pixels)(tf.constant(content)).numpy() == 40 * 24 + 10 * 10 + 65535**2
    assert gif_pixels(tf.constant(content[:60])).numpy() >= 0


def test_pillows_animations_are_counted():
    frames = [Image.fromarray(np.full((9, 7, 3), shade, np.uint8)) for shade in (0, 90, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert gif_pixels(tf.constant(buffer.getvalue())).numpy() == 3 * 9 * 7
    assert decode(tf.constant(buffer.getvalue())).shape == (9, 7, 3)


@pytest.mark.parametrize("frames", [[(8000, 8000)], [(40, 24), (1, 1)]])
def test_a_small_screen_does_not_hide_large_images(frames):
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 960 pixels, and an animation in all"):
        decode(tf.constant(gif(*frames)))


@pytest.mark.parametrize("mode", ["P", "1", "RGBA"])
def test_bitmaps_that_would_come_out_wrong_are_refused(mode):
    buffer = io.BytesIO()
    Image.fromarray(IMAGE).convert(mode).save(buffer, "BMP")
    with pytest.raises(tf.errors.InvalidArgumentError, match="24-bit BMP"):
        decode(tf.constant(buffer.getvalue()))


@pytest.mark.parametrize("value", [0, 9, 255])
def test_an_orientation_that_there_is_not_counts_as_upright(value):
    exif = Image.Exif()
    exif[0x0112] = value
    assert jpeg_orientation(tf.constant(file_bytes(IMAGE, "JPEG", exif=exif.tobytes()))).numpy() == 1


def test_no_damaged_exif_stops_an_image():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = bytearray(file_bytes(IMAGE, "JPEG", exif=exif.tobytes()))
    start = content.index(b"Exif") + 6
    rng = np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(content)
        for place in rng.integers(start, start + 26, 4):
            damaged[place] = rng.integers(256)
        assert 1 <= jpeg_orientation(tf.constant(bytes(damaged))).numpy() <= 8


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": Image.Exif().tobytes(), "lossless": True}])
@pytest.mark.parametrize("alpha", [False, True])
def test_webp_of_each_kind_is_decoded_as_pillow_does_it(options, alpha):
    image = np.dstack([IMAGE, np.full((24, 40), 200, np.uint8)]) if alpha else IMAGE
    content = file_bytes(image, "WEBP", exact=True, **options)
    with Image.open(io.BytesIO(content)) as opened:
        expected = np.asarray(opened)
    received = decode_image(tf.constant(content), channels=4, max_pixels=24 * 40).numpy()
    np.testing.assert_array_equal(received[..., : expected.shape[2]], expected)
    assert image_size(tf.constant(content)).numpy().tolist() == [24, 40]


def test_an_animated_webp_is_refused():
    content = file_bytes(IMAGE, "WEBP", save_all=True, append_images=[Image.fromarray(255 - IMAGE)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="still WebP"):
        decode(tf.constant(content))
