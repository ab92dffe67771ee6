"""Pixel metrics against scikit-image, an independent implementation."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tfgan_app.metrics import output_variation, paired_metrics


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 256, (5, 6, 7, 3), np.uint8).repeat(5, axis=1).repeat(5, axis=2)
    noise = rng.normal(0, 20, targets.shape)
    return targets, np.clip(targets + noise, 0, 255).astype(np.uint8)


def test_metrics_agree_with_scikit_image(images):
    targets, outputs = images
    measured = paired_metrics(targets, outputs, batch_size=2)
    for index, (target, output) in enumerate(zip(targets, outputs, strict=True)):
        assert measured["psnr"][index] == pytest.approx(peak_signal_noise_ratio(target, output), abs=1e-3)
        difference = np.abs(target.astype(float) - output.astype(float)).mean() / 255.0
        assert measured["l1"][index] == pytest.approx(difference, abs=1e-6)
        _, full = structural_similarity(
            target, output, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
        )
        # Only windows that lie inside the image count.
        assert measured["ssim"][index] == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-3)


def test_equal_images_are_perfect(images):
    targets, _ = images
    measured = paired_metrics(targets, targets)
    assert (measured["psnr"] == 100.0).all()
    np.testing.assert_allclose(measured["ssim"], 1.0, atol=1e-6)
    assert (measured["l1"] == 0).all()


def test_images_smaller_than_the_ssim_window_are_measured():
    tiny = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), np.uint8)
    assert np.isfinite(paired_metrics(tiny, 255 - tiny)["ssim"]).all()


def test_output_variation_is_nothing_where_the_input_is_ignored(images):
    targets, outputs = images
    assert output_variation(targets, np.broadcast_to(outputs[:1], outputs.shape)) < 1e-6
    assert output_variation(targets, targets) == pytest.approx(1.0)
    assert output_variation(targets[:1], outputs[:1]) is None
