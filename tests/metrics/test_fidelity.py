"""Metrics of super-resolution against scikit-image, TensorFlow and arithmetic."""

import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tfgan_app.metrics import (
    check_comparable,
    fidelity_protocol,
    luma,
    measure_fidelity,
    psnr_rgb,
    psnr_y,
    ssim_rgb,
    ssim_y,
)

SKIMAGE = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 256, (7, 9, 3), np.uint8).repeat(6, axis=0).repeat(5, axis=1)
    output = np.clip(target + rng.normal(0, 25, target.shape), 0, 255).astype(np.uint8)
    return target, output


def test_luma_of_known_colors():
    colors = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    expected = np.array([16.0, 235.0, 81.481, 144.553, 40.966]) / 255.0
    np.testing.assert_allclose(luma(colors), expected, atol=1e-9)
    np.testing.assert_allclose(luma((colors * 255).astype(np.uint8)), expected, atol=1e-9)


@pytest.mark.parametrize("crop_px", [0, 3])
def test_all_agree_with_scikit_image_on_the_cropped_image(pair, crop_px):
    inside = slice(crop_px, -crop_px or None)
    target, output = (x[inside, inside] / 255.0 for x in pair)
    target_y, output_y = ((x @ [65.481, 128.553, 24.966] + 16) / 255 for x in (target, output))
    assert psnr_rgb(*pair, crop_px=crop_px) == pytest.approx(peak_signal_noise_ratio(target, output, data_range=1))
    assert psnr_y(*pair, crop_px=crop_px) == pytest.approx(peak_signal_noise_ratio(target_y, output_y, data_range=1))
    expected = structural_similarity(target_y, output_y, data_range=1, **SKIMAGE)
    assert ssim_y(*pair, crop_px=crop_px) == pytest.approx(expected, abs=1e-6)
    expected = structural_similarity(target, output, data_range=1, channel_axis=-1, **SKIMAGE)
    assert ssim_rgb(*pair, crop_px=crop_px) == pytest.approx(expected, abs=1e-6)


def test_floats_and_their_bytes_measure_alike(pair):
    floats = [x.astype(np.float32) / 255.0 for x in pair]
    for metric in (psnr_y, ssim_y, psnr_rgb, ssim_rgb):
        assert metric(*floats, crop_px=2) == pytest.approx(metric(*pair, crop_px=2), abs=1e-5)


def test_a_border_is_left_out(pair):
    target, output = pair[0], pair[0].copy()
    output[:4], output[-4:], output[:, :4], output[:, -4:] = 0, 0, 0, 0
    assert psnr_y(target, output, crop_px=4) == 100.0
    assert ssim_rgb(target, output, crop_px=4) == pytest.approx(1.0)
    assert psnr_y(target, output, crop_px=3) < 40


def test_sets_of_mixed_sizes(pair):
    pairs = [pair, tuple(x[:20, :31] for x in pair), tuple(x[:31, :20] for x in pair)]
    measured = measure_fidelity(*zip(*pairs, strict=True), crop_px=4)
    assert list(measured) == ["psnr_y", "ssim_y", "psnr", "ssim", "l1"]
    for index, (target, output) in enumerate(pairs):
        assert measured["psnr_y"][index] == psnr_y(target, output, crop_px=4)
        assert measured["ssim"][index] == ssim_rgb(target, output, crop_px=4)
        difference = np.abs(target[4:-4, 4:-4].astype(float) - output[4:-4, 4:-4]).mean() / 255
        assert measured["l1"][index] == pytest.approx(difference)
    assert all(values.dtype == np.float64 and values.shape == (3,) for values in measured.values())


def test_lpips_sees_whole_images_one_by_one(pair):
    seen = []

    def lpips(targets, outputs):
        seen.append((targets.shape, targets.dtype, float(targets.max())))
        return tf.reduce_mean(tf.abs(targets - outputs), axis=(1, 2, 3))

    pairs = [pair, tuple(x[:15] for x in pair)]
    measured = measure_fidelity(*zip(*pairs, strict=True), crop_px=4, lpips=lpips)["lpips"]
    assert seen == [((1, *pair[0].shape), np.float32, pair[0].max() / np.float32(255))]
    assert measured[0] == pytest.approx(np.abs(pair[0].astype(float) - pair[1]).mean() / 255, abs=1e-6)
    assert np.isnan(measured[1])


def test_images_smaller_than_the_window_are_measured(pair):
    target, output = (x[:8, :20] for x in pair)
    expected = tf.image.ssim(*(tf.cast(x, tf.float32) / 255.0 for x in (target, output)), 1.0, filter_size=8)
    assert ssim_rgb(target, output, crop_px=0) == pytest.approx(float(expected), abs=1e-4)


def test_figures_by_other_protocols_are_not_compared():
    first = fidelity_protocol(count=14, crop_px=4)
    check_comparable(first, fidelity_protocol(count=14, crop_px=4))
    for other in (
        fidelity_protocol(count=14, crop_px=0),
        fidelity_protocol(count=5, crop_px=4),
        fidelity_protocol(count=14, crop_px=4, lpips="a1b2"),
    ):
        with pytest.raises(ValueError, match="cannot be compared"):
            check_comparable(first, other)


def test_bad_pairs_are_refused(pair):
    target, output = pair
    with pytest.raises(ValueError, match="of one size"):
        psnr_y(target, output[1:], crop_px=0)
    with pytest.raises(ValueError, match="must leave something"):
        ssim_y(target, output, crop_px=21)
    with pytest.raises(ValueError, match="floats in"):
        psnr_rgb(target.astype(int), output.astype(int), crop_px=0)
    with pytest.raises(ValueError, match="rounded to uint8"):
        measure_fidelity([target / 255.0], [output / 255.0], crop_px=0)
    with pytest.raises(ValueError, match="as many outputs"):
        measure_fidelity([target], [], crop_px=0)
