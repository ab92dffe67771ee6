"""Perceptual loss against its definition, computed by hand."""

import numpy as np
import pytest
from fake_vgg import features_by_hand, write_fake_vgg

from tfgan_app.losses import RECONSTRUCTION_LOSSES, build_perceptual_loss


def test_perceptual_loss_is_its_definition(tmp_path):
    arrays = write_fake_vgg(tmp_path / "vgg.npz")
    target, output = np.random.default_rng(1).uniform(-1, 1, (2, 1, 16, 17, 3)).astype(np.float32)
    levels = [features_by_hand(arrays, x[0]) for x in (target, output)]
    weights = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
    expected = sum(w * np.abs(x - y).mean() for w, x, y in zip(weights, *levels, strict=True))
    loss = build_perceptual_loss(weights=tmp_path / "vgg.npz")
    assert float(loss(target, output)) == pytest.approx(expected, rel=1e-3)
    assert float(loss(target, target)) == 0.0


def test_l1_is_the_mean_absolute_difference():
    target, output = np.array([[0.0, 1.0]], np.float32), np.array([[0.5, -1.0]], np.float16)
    assert float(RECONSTRUCTION_LOSSES["l1"](target, output)) == pytest.approx(1.25)
