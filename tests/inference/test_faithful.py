"""Gray, 16 bits and transparency through a model."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from fake_predictors import FakePredictor, enlarged
from scipy import ndimage

from tfgan_app.image_io.decoded_image import DecodedImage
from tfgan_app.image_io.reading import read_image
from tfgan_app.image_io.writing import open_image_writer
from tfgan_app.inference.alpha_bleed import fill_hidden_color
from tfgan_app.inference.image_pipeline import predict_image
from tfgan_app.metrics import color_shift

RNG = np.random.default_rng(0)
PHOTO = np.ascontiguousarray(skimage.data.astronaut()[60:188, 150:278])


def predicted(predictor, image, **options):
    channels, strips = predict_image(predictor, image, **options)
    result = np.concatenate(list(strips))
    height, width = image.pixels.shape[:2]
    assert result.shape == (predictor.scale * height, predictor.scale * width, channels)
    assert result.dtype == image.pixels.dtype
    return result


def lanczos(scale):
    return FakePredictor(lambda values: enlarged(values, scale), scale=scale)


def random_image(channels, dtype, shape=(19, 23)):
    values = RNG.integers(0, np.iinfo(dtype).max + 1, (*shape, channels), dtype)
    if channels in (2, 4):
        values[:5, :, -1] = 0
        return DecodedImage(values[..., :-1], values[..., -1]), values
    return DecodedImage(values), values


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_an_identity_loses_nothing(tmp_path, channels, dtype, suffix):
    image, values = random_image(channels, dtype)
    np.testing.assert_array_equal(predicted(FakePredictor(), image, tile_px=4), values)
    channels, strips = predict_image(FakePredictor(), image)
    options = {"height": 19, "width": 23, "channels": channels, "dtype": dtype}
    with open_image_writer(tmp_path / f"a{suffix}", **options) as writer:
        for strip in strips:
            writer.write(strip)
    read_back = read_image(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read_back.pixels, image.pixels)
    if image.alpha is not None:
        np.testing.assert_array_equal(read_back.alpha, image.alpha)


def test_gray_is_the_mean_of_three_equal_channels():
    image, values = random_image(1, np.uint16)
    predictor = FakePredictor(lambda colors: colors * np.array([0.2, 0.4, 0.9], np.float32))
    result = predicted(predictor, image)
    np.testing.assert_array_equal(predictor.seen[0], values.repeat(3, axis=-1))
    np.testing.assert_allclose(result, values * 0.5, atol=0.51)


def test_sixteen_bits_are_used_in_full():
    ramp = np.arange(65536, dtype=np.uint16).reshape(64, 1024, 1).repeat(3, axis=-1)
    assert len(np.unique(predicted(FakePredictor(), DecodedImage(ramp)))) == 65536
    halved = predicted(FakePredictor(lambda values: values * 0.5), DecodedImage(ramp))
    np.testing.assert_allclose(halved, ramp / 2, atol=0.51)


def disc(size=128, *, softness_px=1.0):
    """Alpha of a disc with a soft edge: uint8 [size, size]."""
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    distance = np.hypot(rows, columns) - size / 3
    return np.rint(np.clip(0.5 - distance / softness_px, 0, 1) * 255).astype(np.uint8)


def composited(values, alpha, background):
    """float64 [height, width, 3] in [0, 1] of uint8 color and alpha."""
    weight = alpha[..., None] / 255
    return values / 255 * weight + np.asarray(background) * (1 - weight)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("background", [(0, 0, 0), (1, 1, 1), (1, 0, 0)], ids=["black", "white", "red"])
@pytest.mark.parametrize("softness_px", [0.5, 3.0])
def test_no_halo_on_any_background(scale, background, softness_px):
    alpha = disc(softness_px=softness_px)
    hidden = np.where(alpha[..., None] == 0, np.array([0, 255, 0], np.uint8), PHOTO)  # What must not be seen.
    result = predicted(lanczos(scale), DecodedImage(hidden, alpha))
    shown = composited(result[..., :3], result[..., 3], background)
    direct = np.clip(enlarged(composited(hidden, alpha, background).astype(np.float32), scale), 0, 1)
    edge = ndimage.binary_dilation((alpha > 0) & (alpha < 255), iterations=4).repeat(scale, 0).repeat(scale, 1)
    difference = np.abs(shown - direct)
    assert difference[edge].mean() < 0.02
    assert np.percentile(difference[edge], 99) < 0.1
    np.testing.assert_allclose(shown[~edge], direct[~edge], atol=0.02)
    unfilled = lanczos(scale)
    naive = np.concatenate(list(unfilled.rows(hidden)))
    bled = composited(np.rint(naive * 255), result[..., 3], background)
    assert difference[edge].mean() < 0.5 * np.abs(bled - direct)[edge].mean()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [1, 2])
def test_an_opaque_alpha_changes_nothing(channels, scale):
    pixels = PHOTO[..., :channels]
    opaque = np.full(pixels.shape[:2], 255, np.uint8)
    plain, result = (predicted(lanczos(scale), DecodedImage(pixels, alpha)) for alpha in (None, opaque))
    np.testing.assert_array_equal(result[..., :-1], plain)
    assert (result[..., -1] == 255).all()


def test_a_transparent_image_stays_transparent():
    clear = np.zeros(PHOTO.shape[:2], np.uint8)
    assert (predicted(lanczos(2), DecodedImage(PHOTO, clear))[..., 3] == 0).all()


@pytest.mark.parametrize("strip", [1, 7, 64])
def test_flat_regions_of_alpha_stay_exact(strip):
    alpha = disc()
    predictor = FakePredictor(lambda values: np.clip(enlarged(values, 2) * 0.9 + 0.05, 0, 1), scale=2)
    result = predicted(predictor, DecodedImage(PHOTO, alpha), tile_px=strip)[..., 3]
    lowest, highest = ndimage.minimum_filter(alpha, 3), ndimage.maximum_filter(alpha, 3)
    for value in (0, 255):
        flat = ((lowest == value) & (highest == value)).repeat(2, 0).repeat(2, 1)
        assert flat.sum() > 1000 and (result[flat] == value).all()
    # Elsewhere it is what the model says.
    elsewhere = (lowest != highest).repeat(2, 0).repeat(2, 1)
    expected = np.clip(enlarged(alpha[..., None] / np.float32(255), 2)[..., 0] * 0.9 + 0.05, 0, 1) * 255
    np.testing.assert_allclose(result[elsewhere], expected[elsewhere], atol=0.51)


def test_a_model_of_the_same_size_leaves_alpha_and_hidden_color():
    alpha = disc()
    result = predicted(FakePredictor(lambda values: 1 - values), DecodedImage(PHOTO, alpha))
    np.testing.assert_array_equal(result[..., 3], alpha)
    expected = np.where(alpha[..., None] == 0, PHOTO, 255 - PHOTO)
    np.testing.assert_array_equal(result[..., :3], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (64, 64), (37, 90), (300, 41)])
def test_hidden_color_comes_from_visible_neighbors(dtype, shape):
    peak = np.iinfo(dtype).max
    left, right = np.array([peak, 0, 0], dtype), np.array([0, 0, peak // 2], dtype)
    pixels = np.full((*shape, 3), peak, dtype)
    alpha = np.zeros(shape, dtype)
    pixels[:1, :1], pixels[-1:, -1:] = left, right
    alpha[0, 0] = alpha[-1, -1] = peak
    filled = fill_hidden_color(pixels, alpha)
    np.testing.assert_array_equal(filled[alpha > 0], pixels[alpha > 0])
    # Between the two colors everywhere, so without any of the white that was hidden.
    assert (filled[..., 1] == 0).all()
    shares = filled[..., 0] / peak + filled[..., 2] / (peak // 2)
    np.testing.assert_allclose(shares, 1.0, atol=0.02)
    next_to_left = filled[1, 0] if shape[1] == 1 else filled[0, 1]
    assert next_to_left[0] > peak // 2


def test_one_color_fills_all_and_the_faint_count_little():
    pixels = np.full((50, 70, 3), [10, 200, 30], np.uint8)
    alpha = np.where(RNG.random((50, 70)) < 0.1, 255, 0).astype(np.uint8)
    pixels[alpha == 0] = 255
    assert (fill_hidden_color(pixels, alpha) == [10, 200, 30]).all()
    pixels[alpha == 0], alpha[alpha == 0] = 255, 1
    alpha[20:30, 20:30] = 0
    hole = fill_hidden_color(pixels, alpha)[20:30, 20:30].reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(hole, [10, 200, 30], atol=40)


def test_nothing_to_fill_is_left_alone():
    pixels = random_image(3, np.uint8)[1]
    for alpha in (np.full((19, 23), 1, np.uint8), np.zeros((19, 23), np.uint8)):
        assert fill_hidden_color(pixels, alpha) is pixels


@pytest.mark.parametrize("scale", [1, 2])
def test_color_does_not_shift(scale):
    predictor = lanczos(scale) if scale > 1 else FakePredictor()
    result = predicted(predictor, DecodedImage(PHOTO))
    assert color_shift(PHOTO, result) < 1.0


def test_an_image_is_checked():
    with pytest.raises(ValueError, match=r"`pixels` must be uint8, uint16 or float32 \[height, width, 1 or 3\]"):
        DecodedImage(np.zeros((2, 2, 4), np.uint8))
    with pytest.raises(ValueError, match=r"`alpha` must be uint8 \[2, 3\] like `pixels`. Received: uint16 \[2, 3\]"):
        DecodedImage(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), np.uint16))
