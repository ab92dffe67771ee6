"""Every kind of image file, read without loss."""

from __future__ import annotations

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from exif_orientations import INVERSE_TRANSPOSES
from handmade_png import png_bytes
from PIL import Image, ImageCms, features

from tfgan_app.image_io.reading import read_image

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 65536, (19, 23, 4), np.uint16)
SHALLOW = RNG.integers(0, 256, (19, 23, 4), np.uint8)
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def check(image, pixels, alpha=None):
    assert image.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(image.pixels, pixels)
    if alpha is None:
        assert image.alpha is None
    else:
        assert image.alpha.dtype == pixels.dtype
        np.testing.assert_array_equal(image.alpha, alpha)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp", ".tga", ".jp2", ".ppm"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_eight_bits_of_every_lossless_format(tmp_path, suffix, channels):
    path = tmp_path / f"image{suffix}"
    values = SHALLOW[..., 0] if channels == 1 else SHALLOW[..., :channels]
    if (channels in (2, 4) and suffix in (".bmp", ".ppm")) or (channels < 3 and suffix == ".webp"):
        pytest.skip("the format has no such images")
    options = {".webp": {"lossless": True, "exact": True}}.get(suffix, {})
    Image.fromarray(np.ascontiguousarray(values)).save(path, **options)
    colors = 1 if channels < 3 else 3
    check(read_image(path), SHALLOW[..., :colors], SHALLOW[..., channels - 1] if channels in (2, 4) else None)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png(tmp_path, channels):
    path = tmp_path / "deep.png"
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(DEEP[..., :channels])))
    colors = 1 if channels < 3 else 3
    check(read_image(path), DEEP[..., :colors], DEEP[..., channels - 1] if channels in (2, 4) else None)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "tile": (16, 16)},
        {"planarconfig": "separate", "compression": "lzw"},
        {"planarconfig": "separate", "tile": (16, 16), "byteorder": ">"},
        {"bigtiff": True, "compression": "zstd"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_of_every_layout(tmp_path, channels, options, dtype):
    path = tmp_path / "image.tif"
    values = (SHALLOW if dtype == np.uint8 else DEEP)[..., :channels]
    colors = 1 if channels < 3 else 3
    options = dict(options)
    planar = options.pop("planarconfig", "contig") if channels > 1 else options.pop("planarconfig", None) and None
    stored = values[..., 0] if channels == 1 else (np.moveaxis(values, -1, 0) if planar == "separate" else values)
    file_options = {name: options.pop(name) for name in ("byteorder", "bigtiff") if name in options}
    with tifffile.TiffWriter(path, **file_options) as file:
        file.write(
            np.ascontiguousarray(stored),
            photometric="rgb" if colors == 3 else "minisblack",
            planarconfig=planar,
            extrasamples=["unassalpha"] if channels in (2, 4) else None,
            metadata=None,
            **options,
        )
    check(read_image(path), values[..., :colors], values[..., channels - 1] if channels in (2, 4) else None)


def test_premultiplied_tiff_becomes_straight(tmp_path):
    alpha = np.array([[65535, 32768, 1, 0]], np.uint16)
    color = np.full((1, 4, 3), [60000, 30000, 0], np.uint16)
    stored = np.rint(color * (alpha[..., None] / 65535)).astype(np.uint16)
    values = np.concatenate([stored, alpha[..., None]], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=["assocalpha"], metadata=None)
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.alpha, alpha)
    np.testing.assert_allclose(image.pixels[0, :2].astype(int), color[0, :2], atol=1)
    np.testing.assert_array_equal(image.pixels[0, 2], [65535, 0, 0])


def test_white_is_zero_twelve_bits_and_extra_channels(tmp_path):
    gray = DEEP[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", gray, photometric="miniswhite", metadata=None)
    check(read_image(tmp_path / "a.tif"), 65535 - gray[..., None])
    twelve = np.array([[0, 1, 2048, 4095]], np.uint16)
    tifffile.imwrite(tmp_path / "b.tif", twelve, photometric="minisblack", bitspersample=12, metadata=None)
    check(read_image(tmp_path / "b.tif"), np.array([[[0], [16], [32776], [65535]]], np.uint16))
    tifffile.imwrite(tmp_path / "c.tif", DEEP, photometric="rgb", extrasamples=["unspecified"], metadata=None)
    image = read_image(tmp_path / "c.tif")
    check(image, DEEP[..., :3])
    assert image.notes == ("channels besides color and transparency were left out",)


@pytest.mark.parametrize("channels", [1, 3])
def test_floats_become_sixteen_bits(tmp_path, channels):
    values = RNG.random((5, 6, channels), np.float32)
    values[0, 0] = 1.0
    kind = {"photometric": "rgb" if channels == 3 else "minisblack", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", values if channels == 3 else values[..., 0], **kind)
    image = read_image(tmp_path / "a.tif")
    check(image, np.rint(values.astype(np.float64) * 65535).astype(np.uint16))
    assert image.notes == ("floating-point values were read as 0 to 1 and rounded to 16 bits",)
    tifffile.imwrite(tmp_path / "b.tif", values[..., 0] * 255, photometric="minisblack", metadata=None)
    assert "0 to 255" in read_image(tmp_path / "b.tif").notes[0]


def test_sixteen_bit_netpbm(tmp_path):
    path = tmp_path / "deep.ppm"
    path.write_bytes(b"P6 # a comment\n23 19\n65535\n" + DEEP[..., :3].astype(">u2").tobytes())
    check(read_image(path), DEEP[..., :3])
    path.write_bytes(b"P5\n23 19\n65535\n" + DEEP[..., 0].astype(">u2").tobytes())
    check(read_image(path), DEEP[..., :1])
    path.write_bytes(b"P6\n1 1\n1023\n" + np.array([0, 512, 1023], ">u2").tobytes())
    check(read_image(path), np.array([[[0, 32800, 65535]]], np.uint16))


def test_one_bit_becomes_gray(tmp_path):
    bits = RNG.integers(0, 2, (9, 11)).astype(bool)
    for name in ("a.png", "a.tif", "a.bmp"):
        Image.fromarray(bits).save(tmp_path / name)
        check(read_image(tmp_path / name), np.where(bits, 255, 0).astype(np.uint8)[..., None])


def test_palettes(tmp_path):
    indices = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    indices.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    colors = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    for name in ("a.png", "a.tif", "a.bmp", "a.gif"):
        indices.save(tmp_path / name)
        check(read_image(tmp_path / name), colors)
    indices.save(tmp_path / "clear.png", transparency=b"\xff\x80\x00")
    check(read_image(tmp_path / "clear.png"), colors, np.array([[255, 128, 0]], np.uint8))
    indices.save(tmp_path / "clear.gif", transparency=1)
    np.testing.assert_array_equal(read_image(tmp_path / "clear.gif").alpha, [[255, 0, 255]])


@pytest.mark.parametrize(("depth", "dtype"), [(8, np.uint8), (16, np.uint16)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_value_of_a_png(tmp_path, depth, dtype, channels):
    values = (SHALLOW if depth == 8 else DEEP)[:2, :3, :channels].copy()
    values[1, 2] = values[0, 0]
    values[0, 1] = values[0, 0]
    values[0, 1, -1] ^= 1  # The lowest bit of one channel tells it from the transparent one.
    stored = values.astype(np.dtype(dtype).newbyteorder(">"))
    rows = b"".join(b"\0" + row.tobytes() for row in stored)
    key = values[0, 0].astype(">u2").tobytes()
    path = tmp_path / "key.png"
    path.write_bytes(png_bytes((3, 2, depth, 0 if channels == 1 else 2), rows, (b"tRNS", key)))
    alpha = np.full((2, 3), np.iinfo(dtype).max, dtype)
    alpha[0, 0] = alpha[1, 2] = 0
    check(read_image(path), values, alpha)


@pytest.mark.parametrize(
    ("depth", "packed", "grays"), [(1, 0x40, [0, 255]), (2, 0xB0, [170, 255]), (4, 0x7A, [119, 170])]
)
def test_a_transparent_value_of_few_bits(tmp_path, depth, packed, grays):
    path = tmp_path / "key.png"
    key = packed >> (8 - depth)  # The first pixel's.
    path.write_bytes(png_bytes((2, 1, depth, 0), bytes([0, packed]), (b"tRNS", struct.pack(">H", key))))
    check(read_image(path), np.array([grays], np.uint8)[..., None], np.array([[0, 255]], np.uint8))


def cmyk_profile():
    """A small CMYK profile: ink reduces light, in CIELAB through a table of 2 x 2 x 2 x 2 corners."""
    corners = []
    for index in range(16):
        ink = np.array([index >> 3 & 1, index >> 2 & 1, index >> 1 & 1, index & 1], float)
        lightness = 100 * (1 - ink[3]) * (1 - 0.3 * ink[0]) * (1 - 0.5 * ink[1]) * (1 - 0.1 * ink[2])
        a = (-40 * ink[0] + 70 * ink[1]) * (1 - ink[3])
        b = (-40 * ink[0] + 90 * ink[2]) * (1 - ink[3])
        corners.append([lightness * 2.55, a + 128, b + 128])
    table = np.rint(np.clip(corners, 0, 255)).astype(np.uint8).tobytes()
    matrix = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    ramp = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + table + ramp * 3
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags, body, offset = [], b"", 128 + 4 + 12 * 3
    for name, data in ((b"desc", text), (b"wtpt", white), (b"A2B0", lut)):
        data += bytes(-len(data) % 4)
        tags.append(name + struct.pack(">II", offset + len(body), len(data)))
        body += data
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s12s4s", size, b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ", bytes(12), b"acsp")
    header += bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return header + struct.pack(">I", 3) + b"".join(tags) + body


def test_cmyk_goes_through_its_profile(tmp_path):
    profile = cmyk_profile()
    inks = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    inks.save(tmp_path / "with.jpg", quality=100, icc_profile=profile)
    inks.save(tmp_path / "with.tif", icc_profile=profile)
    inks.save(tmp_path / "without.jpg", quality=100)
    for name in ("with.jpg", "with.tif"):
        image = read_image(tmp_path / name)
        # CIELAB 45, 70, 90 of D50, clipped to sRGB.
        np.testing.assert_allclose(image.pixels[4, 4].astype(int), [215, 0, 0], atol=12)
        assert image.notes == ("CMYK was converted to sRGB through its embedded profile",)
        assert image.metadata.icc_profile is None
    image = read_image(tmp_path / "without.jpg")
    np.testing.assert_allclose(image.pixels[4, 4].astype(int), [255, 0, 0], atol=4)
    assert "without a profile" in image.notes[0]
    inks.save(tmp_path / "broken.tif", icc_profile=profile[:140] + bytes(len(profile) - 140))
    assert "without a profile" in read_image(tmp_path / "broken.tif").notes[0]


def test_inverted_cmyk_of_adobe(tmp_path):
    inks = Image.new("CMYK", (8, 8), (0, 0, 0, 51))
    buffer = io.BytesIO()
    inks.save(buffer, "JPEG", quality=100)
    data = buffer.getvalue()
    assert b"Adobe" in data[:200]  # Which says that the stored values are inverted.
    (tmp_path / "a.jpg").write_bytes(data)
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg").pixels[4, 4].astype(int), [204] * 3, atol=2)


def test_cielab(tmp_path):
    lab = Image.merge("LAB", [Image.new("L", (4, 4), value) for value in (137, 128, 128)])
    lab.save(tmp_path / "lab.tif")
    image = read_image(tmp_path / "lab.tif")
    np.testing.assert_allclose(image.pixels[0, 0].astype(int), [128] * 3, atol=2)
    assert image.notes == ("CIELAB was converted to sRGB",)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif"])
def test_profile_xmp_and_resolution(tmp_path, suffix):
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("Pillow without AVIF")
    path = tmp_path / f"image{suffix}"
    options = {"icc_profile": SRGB_PROFILE, "dpi": (300, 150), "xmp": b"<x:xmpmeta/>"}
    if suffix == ".png":
        path.write_bytes(png_bytes((2, 1, 8, 2), bytes(7), (b"pHYs", struct.pack(">IIB", 11811, 5906, 1))))
        expected = (None, None, (299.9994, 150.0124))
    else:
        tags = {"tiffinfo": {700: b"<x:xmpmeta/>"}} if suffix == ".tif" else {}
        Image.new("RGB", (8, 8)).save(path, **options, **tags)
        expected = (SRGB_PROFILE, b"<x:xmpmeta/>", None if suffix in (".webp", ".avif") else (300, 150))
    metadata = read_image(path).metadata
    assert (metadata.icc_profile, metadata.xmp) == expected[:2]
    assert metadata.dpi == (None if expected[2] is None else pytest.approx(expected[2], abs=1e-3))


def test_a_profile_of_another_color_space_is_left_out(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "a.jpg", icc_profile=SRGB_PROFILE)
    image = read_image(tmp_path / "a.jpg")
    assert image.metadata.icc_profile is None
    assert image.notes == ("its color profile is not for gray and was left out",)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", "-deep.tif", "-deep.png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(tmp_path, orientation, suffix):
    path = tmp_path / f"turned{suffix}"
    corners = np.array([[[255, 0, 0], [9, 9, 9], [0, 255, 0]], [[0, 0, 255], [200, 200, 200], [255, 255, 0]]], np.uint8)
    upright = corners.repeat(16, axis=0).repeat(16, axis=1)  # So that a JPEG keeps the colors.
    stored = np.ascontiguousarray(INVERSE_TRANSPOSES[orientation](upright))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "a maker"
    if suffix == "-deep.tif":
        tags = [(0x0112, 3, 1, orientation, True), (0x010F, 2, 0, "a maker", True)]
        tifffile.imwrite(path, stored.astype(np.uint16) * 257, photometric="rgb", extratags=tags, metadata=None)
    elif suffix == "-deep.png":
        rows = b"".join(b"\0" + row.tobytes() for row in (stored.astype(">u2") * 257))
        size = (stored.shape[1], stored.shape[0])
        path.write_bytes(png_bytes((*size, 16, 2), rows, (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))))
    else:
        Image.fromarray(stored).save(path, exif=exif, quality=100, subsampling=0, lossless=True, dpi=(300, 150))
    image = read_image(path)
    values = image.pixels // 257 if "deep" in suffix else image.pixels
    np.testing.assert_allclose(values.astype(int), upright, atol=9 if suffix == ".jpg" else 0)
    if image.metadata.exif:
        read_back = Image.Exif()
        read_back.load(image.metadata.exif)
        assert read_back.get(0x0112, 1) == 1 and (read_back[0x010F] == "a maker")
    if suffix in (".jpg", ".png", ".tif"):
        expected = (150, 300) if orientation >= 5 else (300, 150)
        assert image.metadata.dpi == pytest.approx(expected, abs=0.02)


def test_orientation_in_xmp_is_reset(tmp_path):
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>'
    Image.new("RGB", (6, 3)).save(tmp_path / "a.jpg", xmp=packet)
    image = read_image(tmp_path / "a.jpg")
    assert image.pixels.shape == (6, 3, 3)
    assert image.metadata.xmp == packet.replace(b"6", b"1")


def test_exif_is_kept_but_for_orientation_and_preview(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 3, "a camera"
    exif.get_ifd(0x8769)[0x829A] = 0.004
    exif.get_ifd(0x8769)[0x927C] = b"maker's notes"
    exif.get_ifd(0x8825)[1] = "N"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    preview = b"\xff\xd8 a preview \xff\xd9"
    order = "<" if block[:2] == b"II" else ">"
    entries = struct.unpack_from(f"{order}H", block, 8)[0]
    second = len(block) + len(block) % 2
    directory = struct.pack(f"{order}HHHIIHHIII", 2, 0x0201, 4, 1, second + 30, 0x0202, 4, 1, len(preview), 0)
    linked = bytearray(block.ljust(second, b"\0") + directory + preview)
    struct.pack_into(f"{order}I", linked, 10 + 12 * entries, second)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + bytes(linked))
    assert preview in (tmp_path / "a.jpg").read_bytes()
    kept = read_image(tmp_path / "a.jpg").metadata.exif
    assert preview not in kept
    read_back = Image.Exif()
    read_back.load(kept)
    assert read_back[0x0112] == 1 and read_back[0x0110] == "a camera"
    assert read_back.get_ifd(0x8769)[0x829A] == pytest.approx(0.004)
    assert read_back.get_ifd(0x8769)[0x927C] == b"maker's notes"
    assert read_back.get_ifd(0x8825)[1] == "N"
    assert not read_back.get_ifd(0x0201) and 0x0201 not in read_back.get_ifd(1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_is_left_out(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    image = read_image(tmp_path / "a.jpg")
    assert image.metadata.exif is None and image.notes == ("its EXIF block is damaged and was left out",)


def test_only_the_first_of_several_images(tmp_path):
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    for name in ("a.gif", "a.webp", "a.png"):
        frames[0].save(
            tmp_path / name, save_all=True, append_images=frames[1:], **({"lossless": True} if "w" in name else {})
        )
        image = read_image(tmp_path / name)
        assert image.notes == ("only the first of 2 frames was read",)
        np.testing.assert_array_equal(image.pixels[0, 0], [255, 0, 0])
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.tif").notes == ("only the first of 2 pages was read",)


def test_the_content_decides_the_format(tmp_path):
    Image.fromarray(SHALLOW).save(tmp_path / "really_a_png.jpg", format="PNG")
    check(read_image(tmp_path / "really_a_png.jpg"), SHALLOW[..., :3], SHALLOW[..., 3])


def test_depth_that_is_lost_is_said(tmp_path):
    deep = imagecodecs.jpeg2k_encode(DEEP[..., :3].copy(), level=0, codecformat="jp2")
    (tmp_path / "a.jp2").write_bytes(deep)
    image = read_image(tmp_path / "a.jp2")
    assert image.notes == ("16 bits per channel were reduced to 8",)
