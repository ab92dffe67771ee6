"""HEIC with and without the extra."""

import io

import numpy as np
import pytest
from PIL import Image

from tfgan_app import cli
from tfgan_app.data.checking import image_problem
from tfgan_app.image_io import heif, read_image
from tfgan_app.image_io.loading import find_images, image_header, read_rgb

pillow_heif = pytest.importorskip("pillow_heif")
RAMP = np.linspace(0, 255, 48).astype(np.uint8)[None, :, None].repeat(32, 0).repeat(3, 2)
READERS = (read_rgb, image_header, read_image)


def write_heic(path, **options):
    pillow_heif.register_heif_opener(thumbnails=False)
    Image.fromarray(RAMP).save(path, format="HEIF", quality=95, **options)


@pytest.mark.parametrize("name", ["a.heic", "b.HEIF", "c.hif"])
def test_it_is_an_image_like_others(tmp_path, name):
    path = tmp_path / name
    write_heic(path)
    assert find_images(tmp_path) == [path]
    assert np.abs(read_rgb(path).astype(int) - RAMP).max() < 16
    np.testing.assert_array_equal(read_image(path).pixels, read_rgb(path))
    header = image_header(path)
    assert (header.width, header.height, header.format, header.plain) == (48, 32, "HEIF", False)
    assert image_problem(path) is None


def test_predict_writes_png(tmp_path):
    write_heic(tmp_path / "a.heic")
    arguments = [
        "predict",
        "--model",
        "color:rgb_to_gray",
        "--input",
        str(tmp_path),
        "--output",
        str(tmp_path / "out"),
    ]
    assert cli.run(cli.parse(["tfgan_app", *arguments])) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_it_is_upright_once(tmp_path):
    """HEIC has its own rotation, which its decoder applies; EXIF repeats it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    write_heic(tmp_path / "a.heic", exif=exif)
    with Image.open(tmp_path / "a.heic") as opened:
        expected = np.asarray(opened)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.heic"), expected)
    image = read_image(tmp_path / "a.heic")
    np.testing.assert_array_equal(image.pixels, expected)


def test_what_is_lost_is_noted(tmp_path):
    deep = pillow_heif.from_bytes("RGB;16", (48, 32), (RAMP.astype(np.uint16) * 257).tobytes())
    deep.save(tmp_path / "a.heic", quality=95, bit_depth=10)
    assert any("bits per channel were reduced to 8" in note for note in read_image(tmp_path / "a.heic").notes)


@pytest.mark.parametrize("read", [read_rgb, read_image])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:40] + b"x" * 400])
def test_damage_is_said_in_a_line(tmp_path, read, damage):
    write_heic(tmp_path / "a.heic")
    (tmp_path / "a.heic").write_bytes(damage((tmp_path / "a.heic").read_bytes()))
    with pytest.raises(ValueError, match=r"^Cannot read the image '.*a\.heic': [^\n]*$"):
        read(tmp_path / "a.heic")


@pytest.mark.parametrize("read", READERS)
def test_without_the_extra_it_is_refused_with_what_to_install(tmp_path, monkeypatch, read):
    write_heic(tmp_path / "a.jpg")  # The content decides.
    monkeypatch.setattr(heif, "can_read_heif", lambda: False)
    with pytest.raises(ValueError, match=r"a\.jpg.*pip install 'tfgan_app\[heif\]'"):
        read(tmp_path / "a.jpg")


@pytest.mark.parametrize("is_installed", [True, False])
def test_avif_needs_no_extra_whatever_its_brand(tmp_path, monkeypatch, is_installed):
    monkeypatch.setattr(heif, "can_read_heif", lambda: is_installed)
    buffer = io.BytesIO()
    Image.fromarray(RAMP).save(buffer, format="AVIF", quality=95)
    for number, brand in enumerate((b"avif", b"mif1")):
        path = tmp_path / f"{number}.avif"
        path.write_bytes(buffer.getvalue().replace(b"ftypavif", b"ftyp" + brand, 1))
        assert np.abs(read_image(path).pixels.astype(int) - RAMP).max() < 16
