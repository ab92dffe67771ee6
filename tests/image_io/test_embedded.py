"""Comments, IPTC records, texts and georeferences: kept if the format supports them, otherwise noted."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from handmade_png import png_bytes, with_damaged_chunk
from PIL import Image, ImageFile, IptcImagePlugin, PngImagePlugin

from tfgan_app.image_io import open_image_writer, read_image
from tfgan_app.image_io.embedded import photoshop_block

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
TEXTS = {"Title": "a title", "parameters": "steps: 20, 日本", "Comment": "a comment"}
IPTC = b"\x1c\x02\x05\x00\x07a title\x1c\x02\x19\x00\x03cat\x1c\x02\x19\x00\x03dog"


def save_as(source, target, *, scale=1):
    """Reads a file and writes it `scale` times as large; returns the notes of both."""
    image = read_image(source)
    pixels = image.pixels.repeat(scale, 0).repeat(scale, 1)
    height, width, channels = pixels.shape
    options = {"height": height, "width": width, "channels": channels, "dtype": pixels.dtype}
    with open_image_writer(target, metadata=image.metadata, **options) as writer:
        writer.write(pixels)
    return [*image.notes, *writer.notes]


def jpeg_with_iptc(path, **options):
    block = b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\0\x10" + bytes(16) + photoshop_block(IPTC)
    extra = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    Image.fromarray(PIXELS).save(path, extra=extra, **options)
    return path


def png_with_texts(path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", TEXTS["Title"])
    info.add_itxt("parameters", TEXTS["parameters"], lang="ja", zip=True)
    info.add_text("Comment", TEXTS["Comment"], zip=True)
    Image.fromarray(PIXELS).save(path, pnginfo=info)
    return path


def test_png_texts_stay_in_png(tmp_path):
    png_with_texts(tmp_path / "a.png")
    assert save_as(tmp_path / "a.png", tmp_path / "b.png") == []
    with Image.open(tmp_path / "b.png") as image:
        assert image.text == TEXTS and image.text["parameters"].lang == "ja"


@pytest.mark.parametrize(
    ("suffix", "names"), [("jpg", "'Title', 'parameters'"), ("webp", "'Title', 'parameters', 'Comment'")]
)
def test_texts_that_have_no_place_are_named(tmp_path, suffix, names):
    info = PngImagePlugin.PngInfo()
    for name, text in TEXTS.items():
        info.add_text(name, text) if name != "parameters" else info.add_itxt(name, text)
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=info)
    notes = save_as(tmp_path / "a.png", tmp_path / f"b.{suffix}")
    assert notes == [f"the texts {names} have no place in {suffix.upper().replace('JPG', 'JPEG')} and were left out"]
    if suffix == "jpg":
        with Image.open(tmp_path / "b.jpg") as image:
            assert image.info["comment"] == b"a comment"


def test_a_text_that_pillow_finds_too_long_is_kept(tmp_path):
    long = b"workflow\0\0" + zlib.compress(b"a" * 3_000_000)
    rows = b"".join(b"\0" + row.tobytes() for row in PIXELS)
    (tmp_path / "a.png").write_bytes(png_bytes((8, 6, 8, 2), rows, (b"zTXt", long)))
    assert save_as(tmp_path / "a.png", tmp_path / "b.png") == []
    assert long in (tmp_path / "b.png").read_bytes()
    np.testing.assert_array_equal(read_image(tmp_path / "b.png").pixels, PIXELS)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_an_iptc_record_is_kept(tmp_path, suffix):
    jpeg_with_iptc(tmp_path / "a.jpg")
    assert save_as(tmp_path / "a.jpg", tmp_path / f"b.{suffix}") == []
    # And back from each of the three.
    assert save_as(tmp_path / f"b.{suffix}", tmp_path / "c.jpg") == []
    paths = {tmp_path / "c.jpg", tmp_path / (f"b.{suffix}" if suffix != "png" else "c.jpg")}
    for path in paths:
        with Image.open(path) as image:
            found = IptcImagePlugin.getiptcinfo(image)
        assert found[2, 5] == b"a title" and found[2, 25] == [b"cat", b"dog"]


def test_an_iptc_record_that_has_no_place_or_is_too_long_is_said(tmp_path):
    jpeg_with_iptc(tmp_path / "a.jpg")
    assert save_as(tmp_path / "a.jpg", tmp_path / "b.webp") == ["the IPTC record has no place in WEBP and was left out"]
    options = {"height": 6, "width": 8, "channels": 3, "dtype": np.uint8}
    metadata = read_image(tmp_path / "a.jpg").metadata
    metadata = type(metadata)(iptc=b"\x1c" * 70_000)
    with open_image_writer(tmp_path / "c.jpg", metadata=metadata, **options) as writer:
        writer.write(PIXELS)
    assert writer.notes == ["the IPTC record is too long for JPEG and was left out"]


@pytest.mark.parametrize("comment", [b"made by hand", "größer 日本".encode(), "größer".encode("latin-1")])
def test_a_jpeg_comment(tmp_path, comment):
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", comment=comment)
    assert save_as(tmp_path / "a.jpg", tmp_path / "b.jpg") == []
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.info["comment"] == comment
    assert save_as(tmp_path / "a.jpg", tmp_path / "b.png") == []
    with Image.open(tmp_path / "b.png") as image:
        assert image.text["Comment"] == (comment.decode("latin-1") if comment[2] == 0xF6 else comment.decode())
    assert save_as(tmp_path / "a.jpg", tmp_path / "b.tif") == ["the comment has no place in TIFF and was left out"]


def test_a_gif_comment(tmp_path):
    Image.new("P", (4, 4)).save(tmp_path / "a.gif", comment=b"hello")
    assert save_as(tmp_path / "a.gif", tmp_path / "b.jpg") == []
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.info["comment"] == b"hello"


@pytest.mark.parametrize("kind", ["exif", "APP1"])
def test_exif_that_is_written_as_text_is_applied_once(tmp_path, kind):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a maker"
    digits = exif.tobytes().hex()
    raw = f"Raw profile type {kind}\0\0".encode() + zlib.compress(
        f"\n{kind}\n{len(digits) // 2:8}\n{digits}\n".encode()
    )
    rows = b"".join(b"\0" + row.tobytes() for row in PIXELS)
    (tmp_path / "a.png").write_bytes(png_bytes((8, 6, 8, 2), rows, (b"zTXt", raw)))
    assert save_as(tmp_path / "a.png", tmp_path / "b.png") == []
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        found = image.getexif()
        assert found[0x010F] == "a maker" and found.get(0x0112, 1) == 1
        if kind == "exif":
            np.testing.assert_array_equal(np.asarray(image), np.rot90(PIXELS, -1))


@pytest.mark.parametrize("place", ["before the pixels", "behind them"])
@pytest.mark.parametrize(
    ("name", "data"), [(b"tEXt", b"Title\0x"), (b"gAMA", b"\0\0\1\1"), (b"eXIf", b"II*\0"), (b"zzZz", b"?")]
)
def test_a_damaged_ancillary_chunk_is_left_out(tmp_path, name, data, place):
    sound = png_with_texts(tmp_path / "a.png").read_bytes()
    damaged = with_damaged_chunk(sound, name, data, behind=place == "behind them")
    (tmp_path / "a.png").write_bytes(damaged)
    expected = f"its damaged chunk {name.decode()} (wrong checksum) was left out"
    assert save_as(tmp_path / "a.png", tmp_path / "b.png") == [expected]
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert image.text == TEXTS
        np.testing.assert_array_equal(np.asarray(image), PIXELS)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_wrong_checksum_of_pixels_that_can_be_decoded_is_said(tmp_path):
    data = bytearray(png_with_texts(tmp_path / "a.png").read_bytes())
    data[-13] ^= 1  # The last byte of IDAT's checksum, before the 12 bytes of IEND.
    (tmp_path / "a.png").write_bytes(data)
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.pixels, PIXELS)
    assert image.notes == ("the checksum of its pixels is wrong, so they may be damaged",)


def test_damage_where_it_matters_is_named(tmp_path):
    image = Image.fromarray(PIXELS).quantize(4)
    image.save(tmp_path / "a.png")
    sound = (tmp_path / "a.png").read_bytes()
    for place, message in (
        (sound.index(b"PLTE") + 5, r"its PNG chunk PLTE is damaged \(wrong checksum\)"),
        (20, r"its PNG chunk IHDR is damaged \(wrong checksum\)"),
    ):
        data = bytearray(sound)
        data[place] ^= 1
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(ValueError, match=rf"Cannot read the image '.*a\.png': {message}"):
            read_image(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(sound[:40])
    with pytest.raises(ValueError, match="it is truncated before its pixels"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("chunk", "note"),
    [
        ((b"caBX", b"x"), "its content credentials (C2PA) apply to the original and were left out"),
        ((b"oFFs", bytes(9)), "its chunk oFFs was left out"),
        ((b"cICP", b"\x09\x10\0\1"), "its chunk cICP was left out"),
        (
            (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
            "its chunk cHRM was left out",
        ),
        ((b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)), None),
        ((b"tIME", bytes(7)), None),
    ],
)
def test_other_chunks_are_named(tmp_path, chunk, note):
    rows = b"".join(b"\0" + row.tobytes() for row in PIXELS)
    (tmp_path / "a.png").write_bytes(png_bytes((8, 6, 8, 2), rows, chunk))
    assert list(read_image(tmp_path / "a.png").notes) == ([note] if note else [])


# GeoTIFF: (scale, tie points) or a matrix; where the corner (0, 0) and the corner (8, 6) of the image lie.
SCALE = [(33550, "d", 3, (10.0, 20.0, 0.0)), (33922, "d", 6, (2.0, 1.0, 0.0, 500.0, 4000.0, 0.0))]
MATRIX = [(34264, "d", 16, (10.0, 1.0, 0, 480.0, 2.0, -20.0, 0, 4020.0, *[0.0] * 4, 0, 0, 0, 1.0))]
KEYS = {
    "area": [(34735, "H", 8, (1, 1, 0, 1, 1025, 0, 1, 1))],
    "point": [(34735, "H", 8, (1, 1, 0, 1, 1025, 0, 1, 2))],
}


def world(path, x, y):
    """Position on earth of a pixel, counted from the image's corner."""
    with tifffile.TiffFile(path) as file:
        tags = {tag.code: tag.value for tag in file.pages.first.tags}
    if tags[34735][7] == 2:
        x, y = x - 0.5, y - 0.5
    if 34264 in tags:
        m = np.reshape(tags[34264], (4, 4))
        return tuple((m @ [x, y, 0, 1])[:2])
    i, j, _, east, north, _ = tags[33922]
    return east + (x - i) * tags[33550][0], north - (y - j) * tags[33550][1]


@pytest.mark.parametrize("raster", KEYS)
@pytest.mark.parametrize("model", [SCALE, MATRIX])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("described", [True, False])
def test_a_georeference_is_scaled(tmp_path, model, raster, order, described):
    names = [(34737, "s", 0, "WGS 84|"), (42113, "s", 0, "0"), (34736, "d", 1, (6378137.0,))]
    metadata = (
        '<GDALMetadata>\n  <Item name="STATISTICS_MEAN" sample="0">7</Item>\n  <Item name="A">b</Item>\n</GDALMetadata>'
    )
    tags = [*model, *KEYS[raster], *names, (42112, "s", 0, metadata)]
    options = {"description": "a field"} if described else {}
    tifffile.imwrite(
        tmp_path / "a.tif", PIXELS, photometric="rgb", metadata=None, extratags=tags, byteorder=order, **options
    )
    assert save_as(tmp_path / "a.tif", tmp_path / "b.tif", scale=4) == []
    for x, y in ((0, 0), (8, 6), (3, 5)):
        np.testing.assert_allclose(world(tmp_path / "b.tif", 4 * x, 4 * y), world(tmp_path / "a.tif", x, y))
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        found = {tag.code: tag.value for tag in file.pages.first.tags}
    assert found[34735] == KEYS[raster][0][3] and found[34737] == "WGS 84|" and found[42113] == "0"
    assert found[34736] == (6378137.0,)
    assert found[42112] == '<GDALMetadata>\n  <Item name="A">b</Item>\n</GDALMetadata>'
    assert found.get(270) == ("a field" if described else None)


def test_rational_polynomials_are_scaled(tmp_path):
    values = [0.0, 0.0, 100.0, 200.0, 1.0, 2.0, 3.0, 50.0, 60.0, *[1.0] * 83]
    tifffile.imwrite(
        tmp_path / "a.tif", PIXELS, photometric="rgb", metadata=None, extratags=[(50844, "d", 92, tuple(values))]
    )
    assert save_as(tmp_path / "a.tif", tmp_path / "b.tif", scale=2) == []
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        found = file.pages.first.tags[50844].value
    assert list(found[:9]) == [0, 0, 200.5, 400.5, 1, 2, 3, 100, 120] and list(found[9:]) == values[9:]


def test_a_georeference_that_cannot_be_kept_is_said(tmp_path):
    tags = [*SCALE, *KEYS["area"], (42113, "s", 0, "-9999"), (42112, "s", 0, "<GDALMetadata/>")]
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="rgb", metadata=None, extratags=tags)
    assert save_as(tmp_path / "a.tif", tmp_path / "b.png") == [
        "the georeference (GeoTIFF) has no place in PNG and was left out",
        "the GDAL metadata has no place in PNG and was left out",
    ]
    apply_orientation = [*tags, (274, "H", 1, 6)]
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="rgb", metadata=None, extratags=apply_orientation)
    assert any("before it was rotated" in note for note in save_as(tmp_path / "a.tif", tmp_path / "b.tif"))
    tifffile.imwrite(tmp_path / "a.tif", PIXELS / np.float32(255), photometric="rgb", metadata=None, extratags=tags)
    assert any('value for "no data"' in note for note in save_as(tmp_path / "a.tif", tmp_path / "b.tif"))


DESCRIPTIONS = {
    "ImageJ": "ImageJ=1.53t\nimages=3\nslices=3\nloop=false\n",
    "OME-XML": '<?xml version="1.0"?><!-- x --><OME xmlns="http://www.openmicroscopy.org"><Image/></OME>',
    "tifffile": '{"shape": [3, 48, 64, 3]}',
    "SCIFIO": "SCIFIO=0.3\naxes=X,Y\nlengths=8,6\n",
    "Aperio": "Aperio Image Library v11\r\n46920x33014 [0,100 46000x32914] (256x256) JPEG/RGB Q=30",
}


@pytest.mark.parametrize("layout", DESCRIPTIONS)
@pytest.mark.parametrize("carrier", ["tif", "png"])
def test_a_description_of_another_layout_is_left_out(tmp_path, layout, carrier):
    if carrier == "tif":
        description = DESCRIPTIONS[layout]
        tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="rgb", metadata=None, description=description)
    else:
        exif = Image.Exif()
        exif[270], exif[0x010F] = DESCRIPTIONS[layout], "a maker"
        Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    notes = save_as(tmp_path / f"a.{carrier}", tmp_path / "b.tif", scale=2)
    assert notes == [f"its ImageDescription describes the layout of the file ({layout}) and was left out"]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), PIXELS.repeat(2, 0).repeat(2, 1))
    with Image.open(tmp_path / "b.tif") as image:
        assert 270 not in image.getexif() and image.getexif().get(0x010F) == (None if carrier == "tif" else "a maker")


def test_what_tags_are_not_understood_is_said(tmp_path):
    tags = [(37724, "B", 4, b"abcd"), (50838, "I", 2, (1, 2)), (269, "s", 0, "a document")]
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="rgb", metadata=None, extratags=tags)
    notes = save_as(tmp_path / "a.tif", tmp_path / "b.tif")
    assert notes == ["its tags 37724, 50838 may not hold for the result and were left out"]
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.pages.first.tags[269].value == "a document"


def test_reduced_copies_and_masks_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(PIXELS, photometric="rgb", metadata=None)
        file.write(PIXELS[::2, ::2], photometric="rgb", metadata=None, subfiletype=1)
        file.write(PIXELS[..., 0] > 9, photometric="mask", metadata=None, subfiletype=4)
    copies = "its smaller copies, separate pages, were left out"
    assert read_image(tmp_path / "a.tif").notes == ("its mask, a separate page, was left out", copies)
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as file:
        file.write(PIXELS, photometric="rgb", metadata=None, subifds=1)
        file.write(PIXELS[::2, ::2], photometric="rgb", metadata=None, subfiletype=1)
    assert read_image(tmp_path / "pyramid.tif").notes == (copies,)


def test_segments_of_a_jpeg_that_are_lost_are_named(tmp_path):
    segment = b"\xff\xeb\0\x08JP\0\1ab"
    path = b"Photoshop 3.0\0" + b"8BIM\x07\xd0\0\0\0\0\0\x1a" + bytes(26)
    segment += b"\xff\xed" + struct.pack(">H", 2 + len(path)) + path
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", extra=segment)
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    assert read_image(tmp_path / "a.jpg").notes == (
        "its clipping paths were left out",
        "its content credentials (C2PA) apply to the original and were left out",
    )
