"""Hostile and broken files: one clean line, or an image."""

from __future__ import annotations

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from handmade_png import png_bytes
from PIL import Image, ImageCms

from tfgan_app.image_io.decoded_image import DecodedImage
from tfgan_app.image_io.reading import read_image

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 13, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (12, 13, 3), np.uint16)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(file_format, **options):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA002] = 13
    Image.fromarray(PIXELS).save(buffer, file_format, exif=exif, icc_profile=ICC, dpi=(72, 72), **options)
    return buffer.getvalue()


def saved_tiff(**options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, DEEP, photometric="rgb", iccprofile=ICC[:200], metadata=None, **options)
    return buffer.getvalue()


FILES = {
    "png": lambda: saved("PNG"),
    "jpg": lambda: saved("JPEG"),
    "webp": lambda: saved("WEBP"),
    "bmp": lambda: saved("BMP"),
    "gif": lambda: saved("GIF"),
    "tif": lambda: saved("TIFF", compression="tiff_lzw"),
    "deep.png": lambda: imagecodecs.png_encode(DEEP),
    "deep.tif": saved_tiff,
    "lzw.tif": lambda: saved_tiff(compression="lzw", predictor=True),
    "tiles.tif": lambda: saved_tiff(compression="zlib", tile=(16, 16)),
    "ppm": lambda: b"P6\n13 12\n65535\n" + DEEP.astype(">u2").tobytes(),
}


def read_or_fail(path):
    """An image, or the one-line reason for its rejection."""
    try:
        image = read_image(path, max_pixels=2**16)
    except ValueError as error:
        message = str(error)
    else:
        message = None
    if message is not None:
        assert path.name in message and "\n" not in message
        return None
    assert isinstance(image, DecodedImage) and image.pixels[..., 0].size <= 2**16
    return image


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
def test_any_damaged_byte(tmp_path, name):
    data = FILES[name]()
    rng = np.random.default_rng(1)
    path = tmp_path / f"damaged.{name}"
    # All of the headers and some of the rest.
    places = [*range(min(len(data), 100)), *rng.integers(0, len(data), 40), *range(len(data) - 40, len(data))]
    outcomes = []
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        outcomes.append(read_or_fail(path))
    assert any(outcome is None for outcome in outcomes) or name == "bmp"
    # Every byte of that file is under a checksum.
    assert any(outcome is not None for outcome in outcomes) or name == "deep.png"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_off_anywhere(tmp_path, name):
    data = FILES[name]()
    whole = tmp_path / f"whole.{name}"
    whole.write_bytes(data)
    expected = read_image(whole)
    path = tmp_path / f"cut.{name}"
    for length in [*range(60), *np.linspace(60, len(data) - 1, 40).astype(int)]:
        path.write_bytes(data[:length])
        image = read_or_fail(path)
        if image is not None:  # What was cut off was not of the pixels.
            np.testing.assert_array_equal(image.pixels, expected.pixels)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "magic", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0", b"MM\0+", b"RIFF", b"GIF89a", b"P6\n"]
)
def test_noise(tmp_path, magic):
    path = tmp_path / "noise.png"
    for seed in range(10):
        path.write_bytes(magic + np.random.default_rng(seed).bytes(3000))
        assert read_or_fail(path) is None


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bytes((60_000, 60_000, 16, 6), b"\0" * 100))
    with pytest.raises(ValueError, match=r"bomb.png.*pixels.*scale it down or crop it"):
        read_image(path)
    path.write_bytes(png_bytes((8_500, 8_000, 16, 6), b"\0" * 100))
    with pytest.raises(ValueError, match=r"8500 x 8000 pixels; accepted are 1 to 67108864 pixels"):
        read_image(path)
    tifffile.imwrite(tmp_path / "bomb.tif", DEEP, photometric="rgb", metadata=None)
    data = bytearray((tmp_path / "bomb.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "bomb.tif") as file:
        for tag, value in ((256, 200_000), (257, 100_000)):
            struct.pack_into("<HHII", data, file.pages.first.tags[tag].offset, tag, 4, 1, value)
    (tmp_path / "bomb.tif").write_bytes(data)
    with pytest.raises(ValueError, match=r"bomb.tif.*200000 x 100000 pixels"):
        read_image(tmp_path / "bomb.tif")


def test_the_bound_counts_pixels(tmp_path):
    Image.new("L", (100, 50)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", max_pixels=5000).pixels.shape == (50, 100, 1)
    with pytest.raises(ValueError, match=r"a.png.*100 x 50 pixels; accepted are 1 to 4999 pixels"):
        read_image(tmp_path / "a.png", max_pixels=4999)


def test_what_is_no_image_is_one_line(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "drawing.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (tmp_path / "folder.png").mkdir()
    for name, message in (
        ("empty.png", "the file is empty"),
        ("missing.png", "there is no such file"),
        ("text.jpg", "its image format is not supported"),
        ("drawing.png", "its image format is not supported"),
        ("folder.png", "it is a folder, expected a regular file"),
    ):
        with pytest.raises(ValueError, match=rf"Cannot read the image '.*{name}': .*{message}"):
            read_image(tmp_path / name)
