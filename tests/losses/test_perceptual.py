"""Perceptual loss against its definition, computed by hand."""

import keras
import numpy as np
import pytest
from fake_vgg import features_by_hand, write_fake_vgg

from tfgan_app.losses import REAL_ESRGAN_LEVELS, build_perceptual_loss
from tfgan_app.losses.perceptual import PATTERN_MAGNITUDES, PIX2PIXHD_LEVELS


def test_perceptual_loss_is_its_definition(tmp_path):
    arrays = write_fake_vgg(tmp_path / "vgg.npz")
    target, output = np.random.default_rng(1).uniform(-1, 1, (2, 1, 16, 17, 3)).astype(np.float32)
    levels = [features_by_hand(arrays, x[0]) for x in (target, output)]
    weights = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
    expected = sum(w * np.abs(x - y).mean() for w, x, y in zip(weights, *levels, strict=True))
    loss = build_perceptual_loss(weights=tmp_path / "vgg.npz")
    assert float(loss(target, output)) == pytest.approx(expected, rel=1e-3)
    assert float(loss(target, target)) == 0.0


def test_features_may_be_taken_before_their_activation(tmp_path):
    arrays = write_fake_vgg(tmp_path / "vgg.npz")
    target, output = np.random.default_rng(2).uniform(-1, 1, (2, 1, 16, 16, 3)).astype(np.float32)
    levels = [features_by_hand(arrays, x[0], before_relu=True) for x in (target, output)]
    expected = sum(w * np.abs(x - y).mean() for w, x, y in zip(REAL_ESRGAN_LEVELS, *levels, strict=True))
    options = {"level_weights": REAL_ESRGAN_LEVELS, "taken": "before_relu"}
    loss = build_perceptual_loss(weights=tmp_path / "vgg.npz", **options)
    assert float(loss(target, output)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("taken", ["after_relu", "before_relu"])
def test_features_of_keras_applications_weigh_as_much_as_those_of_a_file(monkeypatch, taken):
    """Weights that differ in their scale alone give the same loss."""
    keras.utils.set_random_seed(0)
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    monkeypatch.setattr(keras.applications, "VGG16", lambda **kwargs: vgg)
    target, output = np.random.default_rng(3).uniform(-1, 1, (2, 1, 32, 32, 3)).astype(np.float32)
    before = float(build_perceptual_loss(taken=taken)(target, output))
    kernel = vgg.get_layer("block1_conv1").kernel
    kernel.assign(kernel * 58.0)
    assert float(build_perceptual_loss(taken=taken)(target, output)) == pytest.approx(before, rel=1e-3)
    # Images as unlike as these differ by about what the features of an image are.
    assert 0.1 < before / sum(w * m for w, m in zip(PIX2PIXHD_LEVELS, PATTERN_MAGNITUDES[taken], strict=True)) < 10
