"""Damaged files of every format: an image or the documented ValueError, never anything else."""

from __future__ import annotations

import functools
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oriented_files import FILES, UPRIGHT, oriented_file
from PIL import Image

from tfgan_app.image_io.loading import image_header, read_rgb
from tfgan_app.image_io.reading import read_image

MAX_PIXELS = 2**16
OTHERS = {"GIF": ".gif", "BMP": ".bmp", "TGA": ".tga", "PPM": ".ppm", "JPEG2000": ".jp2", "AVIF": ".avif"}
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\0\0\0")


@functools.cache
def whole_file(name):
    if name in FILES:
        return oriented_file(name, 6)
    buffer = io.BytesIO()
    frames = [Image.fromarray(UPRIGHT), Image.fromarray(255 - UPRIGHT)]
    more = {"save_all": True, "append_images": frames[1:]} if name == "GIF" else {}
    frames[0].save(buffer, name, **more)
    return buffer.getvalue()


@st.composite
def damaged_files(draw):
    """A suffix and the bytes of a file with a few changes, most of them in the header."""
    name = draw(st.sampled_from([*FILES, *(name for name in OTHERS if name in Image.SAVE)]))
    data = bytearray(whole_file(name))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, min(len(data), 200)) | st.integers(0, len(data)))
        change = draw(st.sampled_from(["flip", "overwrite", "extreme", "cut", "remove", "insert", "repeat"]))
        length = draw(st.integers(1, 40))
        if change == "flip" and place < len(data):
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif change in ("overwrite", "insert"):
            noise = draw(st.binary(min_size=1, max_size=8))
            data[place : place + (len(noise) if change == "overwrite" else 0)] = noise
        elif change == "extreme":
            data[place : place + 4] = draw(st.sampled_from(EXTREMES))
        elif change == "cut":
            del data[place:]
        elif change == "remove":
            del data[place : place + length]
        else:
            data[place:place] = data[place : place + length]
    return OTHERS.get(name, ".bin"), bytes(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@settings(max_examples=400, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged=damaged_files())
def test_mutated_files(folder, damaged):
    suffix, data = damaged
    path = folder / f"damaged{suffix}"
    path.write_bytes(data)
    readers = {
        image_header: lambda header: header.width >= 1 and header.height >= 1 and header.orientation in range(1, 9),
        functools.partial(read_rgb, max_pixels=MAX_PIXELS): lambda rgb: rgb.dtype == np.uint8 and _is_small(rgb, 3),
        functools.partial(read_image, max_pixels=MAX_PIXELS): lambda image: _is_small(image.pixels, 1, 3),
    }
    for read, holds in readers.items():
        try:
            result = read(path)
        except ValueError as error:
            message = str(error)
            assert message.startswith(f"Cannot read the image '{path}': ") and "\n" not in message
        else:
            assert holds(result)


def _is_small(pixels, *channels):
    height, width, depth = pixels.shape
    return 1 <= height * width <= MAX_PIXELS and depth in channels
