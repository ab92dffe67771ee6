"""The list of readable formats: by content, the same everywhere, and without starting a program."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tfgan_app
from tfgan_app.data.checking import image_problem
from tfgan_app.image_io.loading import image_header, read_rgb
from tfgan_app.image_io.opening import FORMATS, open_image
from tfgan_app.image_io.reading import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
READERS = {
    "read_image": read_image,
    "read_rgb": read_rgb,
    "image_header": image_header,
    "open_image": open_image,
    "image_problem": lambda path: _raise(image_problem(path)),
}


def _raise(problem):
    if problem:
        raise ValueError(problem)


def saved(file_format, mode="RGB"):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(buffer, file_format)
    return buffer.getvalue()


REFUSED = {
    "EPS": lambda: saved("EPS"),
    "ICO": lambda: saved("ICO"),
    "ICNS": lambda: saved("ICNS"),
    "PCX": lambda: saved("PCX"),
    "DDS": lambda: saved("DDS"),
    "QOI": lambda: saved("QOI"),
    "SGI": lambda: saved("SGI"),
    "BLP": lambda: saved("BLP", "P"),
    "MSP": lambda: saved("MSP", "1"),
    "XBM": lambda: saved("XBM", "1"),
    "SPIDER": lambda: saved("SPIDER", "F"),
    "WMF": lambda: b"\xd7\xcd\xc6\x9a\0\0" + bytes(200),
    "FLI": lambda: bytes(4) + b"\x11\xaf\1\0" + b"\x40\0\x40\0\x08\0\3\0" + bytes(200),
    "PSD": lambda: b"8BPS\0\1" + bytes(6) + b"\0\3\0\0\0\x40\0\0\0\x40\0\x08\0\3" + bytes(200),
    "a TGA of another name": lambda: saved("TGA"),
}
"""Of Pillow's formats, those that are on no list here."""

UNNAMED = {"SPIDER", "a TGA of another name"}
"""They have no signature that Pillow knows them by."""


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file_format", REFUSED)
def test_other_formats_are_refused_in_one_line_whatever_their_name(tmp_path, ghostscript, file_format, reader):
    path = tmp_path / "photo.jpg"
    path.write_bytes(REFUSED[file_format]())
    with pytest.raises(ValueError, match="its image format is not supported") as caught:
        READERS[reader](path)
    message = str(caught.value)
    assert "\n" not in message and (reader == "open_image" or "photo.jpg" in message)
    assert ("give it the suffix .tga" in message) == ("TGA" in file_format)
    assert file_format in UNNAMED or f"looks like {file_format}; save it as PNG, JPEG" in message
    assert not ghostscript.exists()


def test_pillow_alone_would_have_called_it(tmp_path, ghostscript):
    """Otherwise the test above proves nothing."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(REFUSED["EPS"]())
    with pytest.raises(Exception), Image.open(path) as image:  # noqa: B017
        image.load()
    assert ghostscript.exists()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "AVIF", "JPEG2000", "PPM"])
def test_the_list_is_read_whatever_the_name(tmp_path, file_format):
    if file_format not in FORMATS:
        pytest.skip(f"Pillow without {file_format}")
    path = tmp_path / "photo.xyz"
    path.write_bytes(saved(file_format))
    assert read_rgb(path).shape == read_image(path).pixels.shape == (64, 64, 3)
    assert image_header(path).format == ("BMP" if file_format == "DIB" else file_format) or file_format == "DIB"
    assert image_problem(path) is None


def test_tga_has_no_signature_and_goes_by_its_suffix(tmp_path):
    path = tmp_path / "photo.TGA"
    path.write_bytes(saved("TGA"))
    np.testing.assert_array_equal(read_rgb(path), PIXELS)
    assert image_header(path).format == "TGA"


def test_multi_image_jpegs_are_jpegs(tmp_path):
    path = tmp_path / "photo.jpg"
    image = Image.fromarray(PIXELS)
    image.save(path, "MPO", save_all=True, append_images=[image])
    assert read_rgb(path).shape == (64, 64, 3)
    assert image_problem(path) is None


def test_every_place_that_opens_an_image_says_which_formats():
    """`Image.open` without `formats=` accepts all of Pillow's formats, including EPS."""
    root = Path(tfgan_app.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_open = isinstance(node, ast.Call) and ast.unparse(node.func) in ("Image.open", "PIL.Image.open")
            assert not is_open or any(word.arg == "formats" for word in node.keywords), f"{path}:{node.lineno}"
