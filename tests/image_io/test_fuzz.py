"""Metadata parsers on random bytes: a value or a one-line error, never another exception."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from handmade_png import png_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tfgan_app.image_io import open_image_writer, read_image
from tfgan_app.image_io.directories import format_tag_file, parse_tag_file
from tfgan_app.image_io.embedded import (
    comment_of_texts,
    photoshop_block,
    photoshop_resources,
    png_extras,
    text_chunks,
    tiff_extras,
)
from tfgan_app.image_io.metadata import resized_exif, upright_exif, upright_xmp
from tfgan_app.image_io.png_chunks import damage_note, scan_png
from tfgan_app.image_io.tiff_tags import geo_tags, in_order, layout_of_description, scaled_geo_tags

# A slow machine is no fault.
BOUNDED = settings(
    max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
PIXELS = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
TAG_NUMBERS = st.sampled_from([270, 274, 271, 0x8769, 0x8825, 33550, 33922, 34264, 34735, 42112, 42113, 50844, 33723])


@st.composite
def tag_files(draw):
    """A TIFF header and a directory of tags with any type, count and position of their values."""
    order = draw(st.sampled_from("<>"))
    rows = draw(
        st.lists(st.tuples(TAG_NUMBERS, st.integers(0, 19), st.integers(0, 70), st.integers(0, 300)), max_size=8)
    )
    table = b"".join(struct.pack(f"{order}HHII", *row) for row in rows)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(rows))
    return head + table + draw(st.sampled_from([bytes(4), b"\0\0\0\x08"])) + draw(st.binary(max_size=300))


@BOUNDED
@given(tag_files() | st.binary(max_size=200))
def test_tags(block):
    notes = []
    try:
        tags = parse_tag_file(block)
    except ValueError:
        with pytest.raises(ValueError, match="\\w"):
            upright_exif(block)
        return
    scaled = scaled_geo_tags(geo_tags(tags, is_upright=True, keeps_values=True, notes=notes), x=2.0, y=3.0)
    tiff_extras(tags, notes)
    for entry in tags.entries.values():
        if entry.children is None:
            assert in_order(in_order(entry, "<", ">"), ">", "<").data == entry.data
    laid_out = {tag: in_order(entry, "<", ">") for tag, entry in scaled.items()}
    again = parse_tag_file(format_tag_file(laid_out, ">"))
    assert {tag: entry.data for tag, entry in again.entries.items()} == {
        tag: entry.data for tag, entry in laid_out.items() if entry.data
    }
    with contextlib.suppress(ValueError):
        resized_exif(upright_exif(block), height=5, width=70_000)


@BOUNDED
@given(st.binary(max_size=300), st.binary(max_size=60))
def test_resources_of_photoshop(noise, iptc):
    assert all(isinstance(data, bytes) for _, data in photoshop_resources(b"8BIM" + noise))
    found = list(photoshop_resources(photoshop_block(iptc) + noise))
    assert found[0] == (0x0404, iptc)


CHUNK_NAMES = st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"IDAT", b"PLTE", b"acTL", b"IEND", b"zzZz"])
TEXTS = st.binary(max_size=40) | st.builds(
    lambda kind, text: b"Raw profile type " + kind + b"\0\0" + text,
    st.sampled_from([b"iptc", b"exif", b"APP1", b"8bim"]),
    st.binary(max_size=30) | st.builds(lambda digits: zlib.compress(b"\niptc\n 8\n" + digits), st.binary(max_size=30)),
)


@BOUNDED
@given(st.lists(st.tuples(CHUNK_NAMES, TEXTS, st.booleans()), max_size=6), st.binary(max_size=30))
def test_chunks_of_png(chunks, noise):
    coded = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ damaged)
        for name, data, damaged in chunks
    ]
    found = scan_png(io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(coded) + noise))
    notes = []
    extras = png_extras(found, notes)
    damage_note(found)
    comment_of_texts(extras["texts"])
    assert all(name in (b"tEXt", b"zTXt", b"iTXt") for name, _ in extras["texts"])
    assert all(b"\n" not in note.encode() for note in notes)


@BOUNDED
@given(st.binary(max_size=200), st.binary(max_size=100))
def test_texts(comment, iptc):
    layout_of_description(comment)
    upright_xmp(comment)
    for name, data in text_chunks(comment, iptc):
        assert name in (b"iTXt", b"zTXt") and b"\0" in data


def rich_files():
    """A file of each format with all the metadata that it supports."""
    exif = Image.Exif()
    exif[0x0112], exif[270] = 6, "a field"
    block = b"Photoshop 3.0\0" + photoshop_block(b"\x1c\x02\x05\x00\x01t")
    segment = b"\xff\xed" + struct.pack(">H", 2 + len(block)) + block
    files = {}
    for name, options in (
        ("JPEG", {"extra": segment, "comment": b"hello", "xmp": b"<x/>"}),
        ("WEBP", {"xmp": b"<x/>"}),
    ):
        buffer = io.BytesIO()
        Image.fromarray(PIXELS).save(buffer, name, exif=exif, dpi=(72, 72), **options)
        files[name] = buffer.getvalue()
    rows = b"".join(b"\0" + row.tobytes() for row in PIXELS)
    chunks = [(b"tEXt", b"Title\0x"), (b"zTXt", b"Note\0\0" + zlib.compress(b"x")), (b"eXIf", exif.tobytes()[6:])]
    files["PNG"] = png_bytes((8, 6, 8, 2), rows, *chunks, *text_chunks(b"hello", b"\x1c\x02\x05\x00\x01t"))
    tags = [(33550, "d", 3, (1.0, 1.0, 0.0)), (33922, "d", 6, (0.0,) * 6), (34735, "H", 4, (1, 1, 0, 0))]
    tags += [(42112, "s", 0, "<GDALMetadata/>"), (42113, "s", 0, "0"), (33723, "B", 6, b"\x1c\x02\x05\x00\x01t")]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, PIXELS, photometric="rgb", metadata=None, description="a field", extratags=tags)
    files["TIFF"] = buffer.getvalue()
    return files


FILES = rich_files()
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["set", "cut", "insert"]), st.binary(min_size=1, max_size=4)),
    min_size=1,
    max_size=4,
)


def read_or_reason(path):
    """The image, or the reason why it cannot be read."""
    try:
        return read_image(path, max_pixels=2**16), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
def test_a_file_with_any_damage_is_one_line_or_can_be_written(tmp_path, name):
    source = tmp_path / "a.bin"

    @settings(BOUNDED, max_examples=120)
    @given(EDITS)
    def run(edits):
        data = bytearray(FILES[name])
        for share, kind, value in edits:
            at = int(share * (len(data) - 1)) if data else 0
            data[at : at + (0 if kind == "insert" else len(value))] = b"" if kind == "cut" else value
        source.write_bytes(data)
        image, message = read_or_reason(source)
        if image is None:
            assert "a.bin" in message and "\n" not in message
            return
        height, width, channels = image.pixels.shape
        options = {"height": height, "width": width, "channels": channels, "dtype": image.pixels.dtype}
        for suffix in ("png", "tif", "jpg", "webp", "bmp"):
            with open_image_writer(tmp_path / f"b.{suffix}", metadata=image.metadata, **options) as writer:
                writer.write(image.pixels)
            assert read_image(tmp_path / f"b.{suffix}").pixels.shape[:2] == image.pixels.shape[:2]

    run()
