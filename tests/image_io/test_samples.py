"""Images as numbers: every depth and channel count comes back exactly, and errors are one line."""

import numpy as np
import pytest
import tifffile

from tfgan_app.image_io.samples import (
    SampleImage,
    chosen_window,
    clipped_note,
    from_unit,
    parse_value_range,
    read_samples,
    sample_shape,
    to_unit,
    write_samples,
)
from tfgan_app.registry import SAMPLE_FORMATS

_PNG_DTYPES = ("uint8", "uint16")


def numbers(dtype, channels, *, height=9, width=7):
    values = np.random.default_rng(0).random((height, width, channels)) * 250
    return values.astype(dtype)


@pytest.mark.parametrize("suffix", SAMPLE_FORMATS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 13])
def test_files_give_back_the_numbers_that_were_written(tmp_path, suffix, dtype, channels):
    pixels, path = numbers(dtype, channels), tmp_path / f"a.{suffix}"
    source = SampleImage(pixels, 8 * pixels.itemsize)
    if suffix == "png" and (dtype not in _PNG_DTYPES or channels > 4):
        with pytest.raises(ValueError, match="PNG holds 1 to 4 channels of 8 or 16 bits"):
            write_samples(path, pixels, source=source)
        assert not list(tmp_path.iterdir())
        return
    write_samples(path, pixels, source=source)
    image = read_samples(path, channels=channels)
    assert image.pixels.dtype == dtype
    np.testing.assert_array_equal(image.pixels, pixels)
    assert sample_shape(path, channels=channels) == pixels.shape
    larger = np.repeat(image.pixels, 2, axis=0)
    write_samples(path, larger, source=image)
    np.testing.assert_array_equal(read_samples(path, channels=channels).pixels, larger)


@pytest.mark.parametrize("options", [{}, {"planarconfig": "separate"}, {"byteorder": ">"}, {"tile": (16, 16)}])
def test_tiff_stacks_planes_and_tiles_are_channels_and_stay_so(tmp_path, options):
    pixels, path = numbers("uint16", 3, height=40, width=33), tmp_path / "a.tif"
    tifffile.imwrite(path, np.moveaxis(pixels, -1, 0), photometric="minisblack", **options)
    image = read_samples(path, channels=3)
    np.testing.assert_array_equal(image.pixels, pixels)
    write_samples(tmp_path / "b.tif", image.pixels, source=image)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), tifffile.imread(path))


def test_a_larger_geotiff_keeps_its_place(tmp_path):
    path, pixels = tmp_path / "a.tif", numbers("int16", 2)
    scale, tie = (33550, 12, 3, (10.0, 10.0, 0.0), True), (33922, 12, 6, (0.0, 0.0, 0.0, 500.0, 900.0, 0.0), True)
    tifffile.imwrite(
        path, pixels, photometric="minisblack", planarconfig="contig", extrasamples=(0,), extratags=[scale, tie]
    )
    image = read_samples(path, channels=2)
    write_samples(tmp_path / "b.tif", np.repeat(np.repeat(pixels, 2, axis=0), 2, axis=1), source=image)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        tags = file.pages.first.tags
        assert tags[33550].value == (5.0, 5.0, 0.0)
        assert tags[33922].value == (0.0, 0.0, 0.0, 500.0, 900.0, 0.0)


def test_arrays_with_channels_first_stay_so(tmp_path):
    pixels = numbers("float32", 4)
    np.save(tmp_path / "a.npy", np.moveaxis(pixels, -1, 0))
    image = read_samples(tmp_path / "a.npy", channels=4)
    np.testing.assert_array_equal(image.pixels, pixels)
    write_samples(tmp_path / "b.npy", pixels, source=image)
    assert np.load(tmp_path / "b.npy").shape == (4, 9, 7)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.tif", b"II*\0broken", "Cannot read the image"),
        ("a.png", b"no png", "it is not a PNG file"),
        ("a.npy", b"\x93NUMPY\x01\x00", "Cannot read the image"),
        ("a.jpg", b"", "its suffix must be one of npy, png, tif, tiff"),
    ],
)
def test_unusable_files_are_one_line_that_names_them(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_samples(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pickles_and_other_channels_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.save(tmp_path / "b.npy", numbers("uint16", 2))
    with pytest.raises(ValueError, match=r"a\.npy"):
        read_samples(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="it has 2 channels, and `data.channels` is 5"):
        read_samples(tmp_path / "b.npy", channels=5)


@pytest.mark.parametrize(
    ("dtype", "window"),
    [
        ("uint8", (0, 255)),
        ("uint16", (0, 65535)),
        ("int16", (-1024, 3071)),
        ("uint32", (0, 2**20)),
        ("float32", (-3, 7)),
    ],
)
def test_a_window_and_back_loses_less_than_a_level_of_16_bits(dtype, window):
    low, high = window
    values = np.linspace(low, high, 70000)[:, None, None].astype(dtype)
    back = from_unit(to_unit(values, window), window, values.dtype)
    if np.dtype(dtype).kind == "f":
        assert np.abs(back - values).max() < (high - low) / 65535 / 8
    else:
        np.testing.assert_array_equal(back, values)


def test_values_outside_of_the_window_are_clipped_and_counted():
    values = np.array([-5.0, 0.0, 5.0, 20.0, np.nan], np.float32)[:, None, None]
    np.testing.assert_allclose(to_unit(values, (0.0, 10.0)).ravel(), [0, 0, 0.5, 1, 0])
    note = clipped_note(values, (0.0, 10.0))
    assert "40.00% of its values are outside of 0 to 10" in note
    assert "20.00% of its values are NaN" in note
    assert clipped_note(values[1:3], (0.0, 10.0)) is None


@pytest.mark.parametrize(
    ("dtype", "value_range", "window"),
    [
        ("uint16", None, (0.0, 65535.0)),
        ("uint8", None, (0.0, 255.0)),
        ("float32", None, (0.0, 99.0)),
        ("int16", None, (0.0, 99.0)),
        ("float32", "0%,50%", (0.0, 49.5)),
        ("uint16", "-10,20.5", (-10.0, 20.5)),
    ],
)
def test_the_window_of_a_set_of_images(tmp_path, dtype, value_range, window):
    np.save(tmp_path / "a.npy", np.arange(50).reshape(10, 5).astype(dtype))
    np.save(tmp_path / "b.npy", np.arange(50, 100).reshape(10, 5).astype(dtype))
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    assert chosen_window(paths, channels=1, value_range=value_range) == window


@pytest.mark.parametrize("text", ["", "5", "5,1", "1,1", "a,b", "1%,200%", "1%,5", "nan,1", "0,inf", "1,2,3"])
def test_a_wrong_range_says_how_to_write_it(text):
    with pytest.raises(ValueError, match=r"`data\.value_range` must be LOW,HIGH"):
        parse_value_range(text)
