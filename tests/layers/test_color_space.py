"""Color spaces against independent conversions, and round trips."""

import colorsys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from skimage import color

from tfgan_app.layers import (
    COLOR_SPACES,
    CONVERSIONS,
    ColorConversion,
    build_color_model,
    makes_color,
    receptive_field_of,
)


def colors(levels=18, largest=255):
    """uint8 or uint16 `[count, 3]`: a grid with pure colors, grays, the darkest levels, and what Lab keeps worst."""
    axis = np.linspace(0, largest, levels).round()
    dark = np.arange(12)
    grid = [np.stack(np.meshgrid(*[values] * 3), -1).reshape(-1, 3) for values in (axis, dark)]
    grays = np.repeat(np.arange(256)[:, None] * (largest // 255), 3, axis=1)
    worst = np.array([[26, 246, 248]]) * (largest // 255)
    return np.concatenate([*grid, grays, worst]).astype(np.uint8 if largest == 255 else np.uint16)


def convert(name, values):
    return np.asarray(ColorConversion(name)(values.astype(np.float32)), np.float64)


RGB = colors() / 255.0


def test_hsv_is_that_of_colorsys():
    expected = np.array([colorsys.rgb_to_hsv(*color) for color in RGB])
    found = convert("rgb_to_hsv", RGB)
    turn = np.abs(found[:, 0] - expected[:, 0])
    assert np.minimum(turn, 1.0 - turn).max() < 1e-6
    np.testing.assert_allclose(found[:, 1:], expected[:, 1:], atol=1e-6)
    back = np.array([colorsys.hsv_to_rgb(*color) for color in RGB])
    np.testing.assert_allclose(convert("hsv_to_rgb", RGB), back, atol=2e-6)


def test_lab_is_that_of_scikit_image():
    """Whose white is rounded to five digits, so that its grays are not quite without color."""
    found = convert("rgb_to_lab", RGB) * [100, 255, 255] - [0, 128, 128]
    np.testing.assert_allclose(found, color.rgb2lab(RGB), atol=0.03)
    np.testing.assert_allclose(found[:, 0], color.rgb2lab(RGB)[:, 0], atol=6e-3)
    grays = found[np.ptp(RGB, axis=1) == 0]
    np.testing.assert_allclose(grays[:, 1:], 0, atol=1e-3)


def test_lab_near_black_is_a_straight_line():
    """By hand: 903.3 times luminance, which is the level over 12.92."""
    level = 3.0 / 255.0
    found = convert("rgb_to_lab", np.full((1, 3), level))
    assert found[0, 0] * 100 == pytest.approx((29 / 3) ** 3 * level / 12.92, abs=2e-5)


def test_yuv_is_that_of_scikit_image():
    expected = color.rgb2yuv(RGB) / [1.0, 0.872, 1.23] + [0.0, 0.5, 0.5]
    np.testing.assert_allclose(convert("rgb_to_yuv", RGB), np.clip(expected, 0, 1), atol=3e-5)


def test_studio_ycbcr_is_that_of_scikit_image():
    np.testing.assert_allclose(convert("rgb_to_ycbcr_studio", RGB) * 255, color.rgb2ycbcr(RGB), atol=1e-3)


def test_ycbcr_is_that_of_jpeg_files():
    """Pillow rounds to levels with tables of integers."""
    pillow = np.asarray(Image.fromarray(colors()[None]).convert("YCbCr"))[0]
    assert np.abs(convert("rgb_to_ycbcr", RGB) * 255 - pillow).max() < 1.01
    pillow = Image.frombytes("YCbCr", (len(RGB), 1), colors().tobytes()).convert("RGB")
    assert np.abs(convert("ycbcr_to_rgb", RGB) * 255 - np.asarray(pillow)[0]).max() < 1.01


@pytest.mark.parametrize(
    ("name", "shares"), [("gray", (0.299, 0.587, 0.114)), ("gray_bt709", (0.2126, 0.7152, 0.0722))]
)
def test_gray_is_luma(name, shares):
    expected = RGB @ np.array(shares)
    found = convert(f"rgb_to_{name}", RGB)
    np.testing.assert_allclose(found, np.repeat(expected[:, None], 3, 1), atol=1e-6)
    np.testing.assert_array_equal(convert(f"{name}_to_rgb", found), found.astype(np.float32))


@pytest.mark.parametrize("bits601", [False, True])
def test_colors_of_bt709_by_hand(bits601):
    """Pure blue: luma 0.0722, and the largest difference of blue."""
    name, share = ("ycbcr", 0.114) if bits601 else ("ycbcr_bt709", 0.0722)
    red = 0.299 if bits601 else 0.2126
    found = convert(f"rgb_to_{name}", np.array([[0.0, 0.0, 1.0]]))[0] * 255
    np.testing.assert_allclose(found, [share * 255, 255, 128 - 127.5 * share / (1 - red)], atol=1e-4)


LOST_LEVELS = {
    **dict.fromkeys(("yuv", "yuv_bt709"), (1, 0)),
    **dict.fromkeys(("ycbcr", "ycbcr_bt709"), (1, 1)),
    **dict.fromkeys(("ycbcr_studio", "ycbcr_studio_bt709"), (2, 0)),
    "hsv": (3, 0),
    "lab": (26, 0),
}
"""Of 8-bit colors that were stored in 8 bits, and in 16: the most of all of them."""


@pytest.mark.parametrize("space", LOST_LEVELS)
def test_there_and_back_in_8_bits_and_in_16(space):
    for largest, lost in zip((255, 65535), LOST_LEVELS[space], strict=True):
        stored = np.rint(convert(f"rgb_to_{space}", RGB) * largest) / largest
        back = np.rint(convert(f"{space}_to_rgb", stored) * 255)
        assert np.abs(back - colors()).max() == lost


@pytest.mark.parametrize("space", [name for name in COLOR_SPACES if not COLOR_SPACES[name].is_gray])
def test_there_and_back_in_float32(space):
    back = convert(f"{space}_to_rgb", convert(f"rgb_to_{space}", RGB))
    # JPEG's pure blue and red are half a level beyond the largest chroma.
    np.testing.assert_allclose(back, RGB, atol=4e-3 if space in ("ycbcr", "ycbcr_bt709") else 1e-5)


@pytest.mark.parametrize("name", CONVERSIONS)
def test_models_are_local_and_load_safely(name, tmp_path):
    model = build_color_model(name)
    assert receptive_field_of(model).halo_px == 0 and receptive_field_of(model).multiple == 1
    assert makes_color(model) == (name not in ("rgb_to_gray", "rgb_to_gray_bt709"))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    image = RGB[:120].reshape(1, 10, 12, 3).astype(np.float32)
    np.testing.assert_array_equal(loaded(image), model(image))


def test_gradients_are_finite():
    for name in CONVERSIONS:
        image = tf.constant(RGB, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(image)
            total = tf.reduce_sum(ColorConversion(name)(image))
        assert np.isfinite(tape.gradient(total, image)).all(), name


def test_an_unknown_conversion_lists_those_that_there_are():
    with pytest.raises(ValueError, match="one of rgb_to_yuv, yuv_to_rgb.*Received: rgb_to_cmyk"):
        build_color_model("rgb_to_cmyk")
