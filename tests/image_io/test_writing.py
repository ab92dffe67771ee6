"""Images written with all that their format supports."""

from __future__ import annotations

import errno
import os
import tracemalloc

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from tfgan_app.image_io.decoded_image import ImageMetadata
from tfgan_app.image_io.metadata import upright_exif
from tfgan_app.image_io.reading import read_image
from tfgan_app.image_io.writing import on_white, open_image_writer, to_eight_bits

RNG = np.random.default_rng(0)
PROFILES = {
    3: ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    1: b"".join([bytes(16), b"GRAY", bytes(16), b"acsp", bytes(160)]),
}


def exif_block(order="<"):
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F], exif[0x8298] = "a maker", "a holder"
    details = exif.get_ifd(0x8769)
    details[0x829A], details[0xA002], details[0xA003], details[0x9003] = 0.004, 999, 888, "2024:01:02 03:04:05"
    exif.get_ifd(0x8825)[1] = "N"
    return upright_exif(exif.tobytes())


def metadata_of(channels):
    profile = PROFILES[1 if channels < 3 else 3]
    return ImageMetadata(profile, exif_block(), b"<x:xmpmeta>\xc3\xa9</x:xmpmeta>", (300.0, 150.0))


def write(path, pixels, *, strip=7, **options):
    height, width, channels = pixels.shape
    kind = {"height": height, "width": width, "channels": channels, "dtype": pixels.dtype}
    with open_image_writer(path, **kind, **options) as writer:
        for top in range(0, height, strip):
            writer.write(pixels[top : top + strip])
    return writer.notes


def random_pixels(channels, dtype, shape=(37, 29)):
    return RNG.integers(0, np.iinfo(dtype).max + 1, (*shape, channels), dtype)


def merged(image):
    return image.pixels if image.alpha is None else np.dstack([image.pixels, image.alpha])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_everything_comes_back_of_png_and_tiff(tmp_path, suffix, channels, dtype):
    path = tmp_path / "new" / f"日本{suffix}"
    pixels, metadata = random_pixels(channels, dtype), metadata_of(channels)
    assert write(path, pixels, metadata=metadata) == []
    assert os.listdir(path.parent) == [path.name]
    image = read_image(path)
    assert image.pixels.dtype == dtype and image.notes == ()
    np.testing.assert_array_equal(merged(image), pixels)
    assert image.metadata.icc_profile == metadata.icc_profile
    assert image.metadata.xmp == metadata.xmp
    assert image.metadata.dpi == pytest.approx((300, 150), abs=0.02)
    exif = Image.Exif()
    exif.load(image.metadata.exif)
    assert (exif[0x010F], exif[0x8298]) == ("a maker", "a holder")
    details = exif.get_ifd(0x8769)
    assert (details[0xA002], details[0xA003]) == (29, 37)
    assert details[0x829A] == pytest.approx(0.004) and details[0x9003] == "2024:01:02 03:04:05"
    assert exif.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_other_readers_agree_on_tiff(tmp_path, channels, dtype, order):
    pixels = random_pixels(channels, dtype, (400, 311))  # Several strips.
    write(tmp_path / "a.tif", pixels, strip=33, metadata=ImageMetadata(exif=exif_block(order)))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.byteorder == order and len(file.pages) == 1
        page = file.pages.first
        np.testing.assert_array_equal(page.asarray().reshape(pixels.shape), pixels)
        assert [int(kind) for kind in page.extrasamples] == ([2] if channels in (2, 4) else [])
    if dtype == np.uint8 or channels == 1:
        with Image.open(tmp_path / "a.tif") as image:
            np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)
            assert image.getexif().get_ifd(0x8769)[0x9003] == "2024:01:02 03:04:05"


def test_a_tiff_past_four_gigabytes_has_wide_offsets(tmp_path, monkeypatch):
    monkeypatch.setattr("tfgan_app.image_io.tiff_stream._CLASSIC_BYTES", 1000)
    pixels, metadata = random_pixels(3, np.uint16), metadata_of(3)
    write(tmp_path / "a.tif", pixels, metadata=metadata)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_bigtiff
        np.testing.assert_array_equal(file.pages.first.asarray(), pixels)
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.metadata.icc_profile == metadata.icc_profile and image.metadata.dpi == (300, 150)


@pytest.mark.parametrize(
    ("suffix", "lost"),
    [
        (".jpg", set()),
        (".webp", {"the resolution"}),
        (".bmp", {"the color profile", "the EXIF block", "the XMP packet"}),
        (".ppm", {"the color profile", "the EXIF block", "the XMP packet", "the resolution"}),
    ],
)
def test_what_other_formats_keep_and_what_they_say_they_lose(tmp_path, suffix, lost):
    path, metadata = tmp_path / f"a{suffix}", metadata_of(3)
    notes = write(path, random_pixels(3, np.uint8), metadata=metadata)
    assert {note.split(" has no place")[0] for note in notes} == lost
    kept = read_image(path).metadata
    assert (kept.icc_profile == metadata.icc_profile) == ("the color profile" not in lost)
    assert (kept.xmp == metadata.xmp) == ("the XMP packet" not in lost)
    assert bool(kept.exif) == ("the EXIF block" not in lost)
    if "the resolution" not in lost:
        assert kept.dpi == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("suffix", [".bmp", ".ppm", ".webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_formats_keep_the_pixels(tmp_path, suffix, channels):
    pixels = random_pixels(channels, np.uint8)
    write(tmp_path / f"a{suffix}", pixels, quality=100)
    read_back = read_image(tmp_path / f"a{suffix}").pixels
    np.testing.assert_array_equal(read_back, np.broadcast_to(pixels, read_back.shape))


def test_lossless_webp_keeps_hidden_colors_and_lossy_is_smaller(tmp_path):
    pixels = random_pixels(4, np.uint8)
    pixels[:9, :, 3] = 0
    write(tmp_path / "a.webp", pixels, quality=100)
    np.testing.assert_array_equal(merged(read_image(tmp_path / "a.webp")), pixels)
    write(tmp_path / "b.webp", pixels, quality=50)
    assert (tmp_path / "b.webp").stat().st_size < (tmp_path / "a.webp").stat().st_size / 2


def test_sixteen_bit_netpbm(tmp_path):
    for channels in (1, 3):
        pixels = random_pixels(channels, np.uint16)
        assert write(tmp_path / "a.ppm", pixels) == []
        np.testing.assert_array_equal(read_image(tmp_path / "a.ppm").pixels, pixels)


def test_sixteen_bits_are_rounded_where_they_must(tmp_path):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    np.testing.assert_array_equal(to_eight_bits(values), np.rint(values / 257).astype(np.uint8))
    notes = write(tmp_path / "a.bmp", values)
    np.testing.assert_array_equal(read_image(tmp_path / "a.bmp").pixels, np.rint(values / 257))
    assert notes == ["16 bits per channel were rounded to 8, the depth of BMP"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparency_is_composited_on_white(tmp_path, dtype):
    pixels = random_pixels(4, dtype)
    peak = np.iinfo(dtype).max
    alpha = pixels[..., 3:] / peak
    expected = pixels[..., :3] * alpha + peak * (1 - alpha)
    np.testing.assert_allclose(on_white(pixels), expected, atol=0.51)
    notes = write(tmp_path / "a.bmp", pixels)
    assert notes[-1] == "transparency was composited on white, since BMP does not support it"
    np.testing.assert_allclose(read_image(tmp_path / "a.bmp").pixels, expected * (255 / peak), atol=1.01)
    pixels[..., 3] = peak
    assert not any("transparency" in note for note in write(tmp_path / "b.bmp", pixels))


def test_jpeg_color_is_not_sub_sampled(tmp_path):
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 255
    write(tmp_path / "a.jpg", stripes)
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg").pixels.astype(int), stripes, atol=12)
    write(tmp_path / "b.jpg", stripes, quality=10)
    assert (tmp_path / "b.jpg").stat().st_size < (tmp_path / "a.jpg").stat().st_size


def test_metadata_that_is_too_long_for_jpeg_is_left_out(tmp_path):
    metadata = ImageMetadata(xmp=b"x" * 70_000, icc_profile=PROFILES[3].ljust(200_000, b"\0"))
    notes = write(tmp_path / "a.jpg", random_pixels(3, np.uint8), metadata=metadata)
    assert notes == ["the XMP packet is too long for JPEG and was left out"]
    assert read_image(tmp_path / "a.jpg").metadata.icc_profile == metadata.icc_profile


@pytest.mark.parametrize(("name", "side"), [("a.jpg", 65501), ("a.webp", 16384)])
def test_sides_that_a_format_cannot_hold(tmp_path, name, side):
    for height, width in ((side, 1), (1, side)):
        options = {"height": height, "width": width, "channels": 3, "dtype": np.uint8}
        message = rf"have 1 to {side - 1} pixels a side.*write a PNG or TIFF file"
        with pytest.raises(ValueError, match=message), open_image_writer(tmp_path / name, **options):
            pytest.fail("opened")
    write(tmp_path / name, np.zeros((1, side - 1, 3), np.uint8))
    assert read_image(tmp_path / name).pixels.shape == (1, side - 1, 3)


def test_wrong_arguments(tmp_path):
    options = {"height": 2, "width": 2, "channels": 3, "dtype": np.uint8}
    for name, change, message in (
        ("a.gif", {}, r"suffix must be one of .*\.png"),
        ("a.png", {"quality": 0}, "`quality` must be from 1 to 100"),
        ("a.png", {"channels": 5}, "1 to 4 channels"),
        ("a.png", {"dtype": np.float32}, "uint8 or uint16"),
    ):
        with pytest.raises(ValueError, match=message), open_image_writer(tmp_path / name, **(options | change)):
            pytest.fail("opened")
    opened = tmp_path / "a.png"
    for rows in (np.zeros((2, 2, 3), np.uint16), np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)):
        message = r"Rows must be uint8 \[at most 2, 2, 3\]"
        with pytest.raises(ValueError, match=message), open_image_writer(opened, **options) as writer:
            writer.write(rows)
    message = "Expected 2 rows of the image. Received: 1"
    with pytest.raises(ValueError, match=message), open_image_writer(opened, **options) as writer:
        writer.write(np.zeros((1, 2, 3), np.uint8))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_failed_write_leaves_what_was_there(tmp_path, suffix):
    path = tmp_path / f"kept{suffix}"
    write(path, random_pixels(3, np.uint8))
    before = path.read_bytes()
    options = {"height": 9, "width": 2, "channels": 3, "dtype": np.uint8}

    def fill_the_disk():
        with open_image_writer(path, **options) as writer:
            writer.write(np.zeros((4, 2, 3), np.uint8))
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fill_the_disk()
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


def test_png_is_streamed_in_constant_memory(tmp_path):
    strip = random_pixels(3, np.uint8, (64, 2000))
    peaks = []
    for strips in (2, 40):
        tracemalloc.start()
        options = {"height": 64 * strips, "width": 2000, "channels": 3, "dtype": np.uint8}
        with open_image_writer(tmp_path / "a.png", **options) as writer:
            for _ in range(strips):
                writer.write(strip)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2
    assert imagecodecs.png_decode((tmp_path / "a.png").read_bytes()).shape == (2560, 2000, 3)
