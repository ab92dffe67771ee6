"""The values of black and white: one rule for prediction, training and inspection, never decided by the maximum."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from tfgan_app.image_io.loading import read_rgb
from tfgan_app.image_io.reading import read_image
from tfgan_app.image_io.value_range import chosen_range

RAMP = np.tile(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (48, 1, 3))
EXPECTED = np.rint(RAMP.astype(np.float64) * 255)


def stored(path, values, **options):
    kind = {"photometric": "minisblack" if values.ndim == 2 else "rgb", "metadata": None}
    tifffile.imwrite(path, values, **kind, **options)
    return path


def check_both_readers(path, expected, *, channels=3, atol=1, **options):
    """Prediction and training read the same; `expected` is uint8 RGB."""
    deep = read_image(path, **options)
    assert deep.pixels.dtype == np.uint16
    np.testing.assert_allclose(deep.pixels / 257.0, expected[..., :channels], atol=atol)
    np.testing.assert_allclose(read_rgb(path, **options).astype(int), expected, atol=atol)
    return deep.notes


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("wrong", [1.02, 3.0, 65_000.0, -9.0, np.inf, -np.inf, np.nan])
def test_a_few_wrong_values_change_nothing_else(tmp_path, dtype, wrong, gray):
    values = RAMP.astype(dtype)
    values[0, :10] = wrong
    path = stored(tmp_path / "a.tif", values[..., 0] if gray else values)
    expected = EXPECTED.copy()
    expected[0, :10] = 255 if wrong > 1 else 0
    notes = check_both_readers(path, expected, channels=1 if gray else 3)
    assert notes == ("floating-point values were read as 0 to 1 and rounded to 16 bits",)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize(
    ("white", "taken"), [(0.5, 1), (1, 1), (1.4, 1), (60, 255), (255, 255), (300, 255), (20_000, 65535), (65535, 65535)]
)
def test_floats_of_each_range(tmp_path, white, taken, gray):
    values = RAMP * np.float32(white)
    path = stored(tmp_path / "a.tif", values[..., 0] if gray else values)
    expected = np.clip(values / taken * 255, 0, 255)
    assert f"read as 0 to {taken} and" in check_both_readers(path, expected, channels=1 if gray else 3)[0]


@pytest.mark.parametrize("white", [4.0, 1_500.0, 1e6])
def test_high_dynamic_range_is_taken_to_its_quantile(tmp_path, white):
    values = (RAMP.astype(np.float64) ** 4 * white).astype(np.float32)
    high = np.quantile(values[values > 0], 0.99)
    notes = check_both_readers(stored(tmp_path / "a.tif", values), np.clip(values / high * 255, 0, 255))
    assert float(notes[0].split("read as 0 to ")[1].split()[0]) == pytest.approx(high, rel=1e-5)


@pytest.mark.parametrize("bright", [20.0, 5_000.0])
def test_highlights_do_not_darken_the_rest(tmp_path, bright):
    values = RAMP.copy()
    values[:, :3] = bright
    expected = np.clip(values, 0, 1) * 255
    check_both_readers(stored(tmp_path / "a.tif", values), expected)


def test_an_image_that_is_mostly_black_is_taken_by_the_rest(tmp_path):
    values = np.zeros((60, 60, 3), np.float32)
    values[:3, :10] = np.linspace(50, 250, 30, dtype=np.float32).reshape(3, 10, 1)
    check_both_readers(stored(tmp_path / "a.tif", values), values)


@pytest.mark.parametrize("values", [np.zeros((4, 5, 3)), np.full((4, 5, 3), np.nan), np.full((4, 5, 3), -3.0)])
def test_without_a_value_above_zero_all_is_black(tmp_path, values):
    path = stored(tmp_path / "a.tif", values.astype(np.float32))
    assert check_both_readers(path, np.zeros((4, 5, 3)))[0].startswith("floating-point values were read as 0 to 1 ")


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint16, np.uint32, np.uint64])
def test_integers_over_the_range_of_their_type(tmp_path, dtype, gray):
    peak = np.iinfo(dtype).max
    values = (RAMP.astype(np.float64) * (peak * (1 - 1e-9))).astype(dtype)
    expected = values / peak * 255
    if np.iinfo(dtype).min < 0:
        values[0, :10], expected[0, :10] = -5, 0
    path = stored(tmp_path / "a.tif", values[..., 0] if gray else values)
    notes = check_both_readers(path, expected, channels=1 if gray else 3)
    assert notes == () if dtype == np.uint16 else "-bit integers were read as 0 to " in notes[0]


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int8])
def test_a_dark_image_of_few_bits_stays_dark(tmp_path, dtype):
    values = np.full((8, 8, 3), 40, dtype)
    expected = np.full((8, 8, 3), round(40 * 255 / np.iinfo(dtype).max))
    check_both_readers(stored(tmp_path / "a.tif", values), expected)


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64])
@pytest.mark.parametrize("white", [255, 65535])
def test_wide_integers_that_hold_8_or_16_bits(tmp_path, dtype, white):
    values = np.rint(RAMP * white).astype(dtype)
    values[0, 0] = np.iinfo(np.int32).max  # One wrong pixel does not decide.
    expected = EXPECTED.copy()
    expected[0, 0] = 255
    assert f"read as 0 to {white} and" in check_both_readers(stored(tmp_path / "a.tif", values), expected)[0]


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_transparency_has_a_range_of_its_own(tmp_path, white):
    alpha = np.full((48, 64, 1), 0.5 * white, np.float32)
    values = np.concatenate([RAMP * 255, alpha], axis=-1)
    image = read_image(stored(tmp_path / "a.tif", values, extrasamples=["unassalpha"]))
    np.testing.assert_allclose(image.pixels / 257.0, EXPECTED, atol=1)
    np.testing.assert_allclose(image.alpha, 32768, atol=1)


@pytest.mark.parametrize(
    "dtype",
    [np.float16, np.float32, np.float64, np.int16, np.uint16, np.int32, np.uint32],
    ids=lambda dtype: dtype.__name__,
)
def test_a_range_that_is_settled_by_hand(tmp_path, dtype):
    low, high = 100, 4000
    values = (low + RAMP.astype(np.float64) * (high - low)).astype(dtype)
    notes = check_both_readers(stored(tmp_path / "a.tif", values), EXPECTED, input_range=(low, high))
    assert "read as 100 to 4000" in notes[0]


@pytest.mark.parametrize("name", ["a.png", "gray.png", "a.ppm", "gray.pgm"])
def test_deep_files_of_other_formats_take_a_range_too(tmp_path, name):
    import imagecodecs

    values = np.rint(RAMP * 1000).astype(np.uint16)
    stored_values = values[..., 0] if "gray" in name else values
    if name.endswith("png"):
        content = imagecodecs.png_encode(np.ascontiguousarray(stored_values))
    else:
        content = b"P%d\n64 48\n65535\n" % (5 if "gray" in name else 6) + stored_values.astype(">u2").tobytes()
    (tmp_path / name).write_bytes(content)
    channels = 1 if "gray" in name else 3
    check_both_readers(tmp_path / name, EXPECTED, channels=channels, input_range=(0, 1000))
    check_both_readers(tmp_path / name, values / 257, channels=channels)


def test_files_of_8_bits_keep_their_range(tmp_path):
    Image.new("RGB", (4, 4), (9, 99, 199)).save(tmp_path / "a.png")
    assert read_rgb(tmp_path / "a.png", input_range=(0, 9)).reshape(-1, 3).tolist()[0] == [9, 99, 199]


def test_many_pixels_are_sampled_in_all_channels():
    values = np.zeros((1500, 1500, 3), np.float32)
    values[..., 1] = 255.0
    assert chosen_range(values, bits=32) == (0.0, 255.0)


@pytest.mark.parametrize("wrong", [(1, 0), (1, 1), (np.nan, 1)])
def test_a_range_must_rise(tmp_path, wrong):
    path = stored(tmp_path / "a.tif", RAMP)
    with pytest.raises(ValueError, match=r"a.tif.*LOW,HIGH with LOW below HIGH\. Received: "):
        read_image(path, input_range=wrong)
