"""CIEDE2000 against its published test data and scikit-image."""

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from tfgan_app.metrics import ciede2000, color_shift, srgb_to_lab

SHARMA_PAIRS = np.array(
    [
        [50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425],
        [50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615],
        [50.0, 2.8361, -74.0200, 50.0, 0.0, -82.7485, 3.4412],
        [50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0000],
        [50.0, -1.1848, -84.8006, 50.0, 0.0, -82.7485, 1.0000],
        [50.0, -0.9009, -85.5211, 50.0, 0.0, -82.7485, 1.0000],
        [50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669],
        [50.0, -1.0, 2.0, 50.0, 0.0, 0.0, 2.3669],
        [50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0009, 7.1792],
        [50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0010, 7.1792],
        [50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0011, 7.2195],
        [50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0012, 7.2195],
        [50.0, -0.0010, 2.4900, 50.0, 0.0009, -2.4900, 4.8045],
        [50.0, -0.0010, 2.4900, 50.0, 0.0010, -2.4900, 4.8045],
        [50.0, -0.0010, 2.4900, 50.0, 0.0011, -2.4900, 4.7461],
        [50.0, 2.5000, 0.0, 50.0, 0.0, -2.5000, 4.3065],
        [50.0, 2.5000, 0.0, 73.0, 25.0, -18.0, 27.1492],
        [50.0, 2.5000, 0.0, 61.0, -5.0, 29.0, 22.8977],
        [50.0, 2.5000, 0.0, 56.0, -27.0, -3.0, 31.9030],
        [50.0, 2.5000, 0.0, 58.0, 24.0, 15.0, 19.4535],
        [50.0, 2.5000, 0.0, 50.0, 3.1736, 0.5854, 1.0000],
        [50.0, 2.5000, 0.0, 50.0, 3.2972, 0.0, 1.0000],
        [50.0, 2.5000, 0.0, 50.0, 1.8634, 0.5757, 1.0000],
        [50.0, 2.5000, 0.0, 50.0, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)


def test_the_published_pairs():
    first, second, expected = SHARMA_PAIRS[:, :3], SHARMA_PAIRS[:, 3:6], SHARMA_PAIRS[:, 6]
    np.testing.assert_allclose(ciede2000(first, second), expected, atol=5e-5)


def test_random_colors_agree_with_scikit_image():
    rng = np.random.default_rng(0)
    first, second = rng.uniform(0, 1, (2, 500, 3))
    np.testing.assert_allclose(srgb_to_lab(first), rgb2lab(first), atol=1e-3)
    expected = deltaE_ciede2000(rgb2lab(first), rgb2lab(second))
    np.testing.assert_allclose(ciede2000(srgb_to_lab(first), srgb_to_lab(second)), expected, atol=1e-3)


def test_an_output_that_reduces_to_its_input_has_no_shift():
    rng = np.random.default_rng(1)
    high = rng.integers(40, 216, (12, 16, 3), np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    low = np.asarray(Image.fromarray(high).resize((16, 12), Image.Resampling.BICUBIC))
    assert color_shift(low, high) < 0.5  # Pillow rounds the input to 8 bits.
    assert color_shift(high, high) == 0.0


def test_a_cast_is_its_difference():
    low = np.full((5, 7, 3), (0.5, 0.4, 0.3))
    high = np.full((20, 28, 3), (0.5, 0.45, 0.3))
    expected = deltaE_ciede2000(rgb2lab(low)[0, 0], rgb2lab(high)[0, 0])
    assert expected > 1 and color_shift(low, high) == pytest.approx(expected, abs=1e-3)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"\[height, width, 3\]"):
        color_shift(np.zeros((4, 4)), np.zeros((8, 8, 3)))
