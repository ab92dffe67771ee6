"""LPIPS against its definition, computed by hand."""

import numpy as np
import pytest
from fake_vgg import features_by_hand, write_fake_vgg

from tfgan_app.metrics import build_lpips


def test_lpips_is_its_definition(tmp_path):
    arrays = write_fake_vgg(tmp_path / "vgg.npz")
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0, 1, (2, 2, 18, 16, 3)).astype(np.float32)
    expected = []
    for pair in zip(a, b, strict=True):
        distance, levels = 0.0, [features_by_hand(arrays, 2 * x - 1) for x in pair]
        for level, (x, y) in enumerate(zip(*levels, strict=True)):
            x, y = (z / np.linalg.norm(z, axis=-1, keepdims=True) for z in (x, y))
            head = arrays[f"NetLinLayer_{level}/Conv_0/kernel"][0, 0, :, 0]
            distance += ((x - y) ** 2 * head).sum(-1).mean()
        expected.append(distance)
    lpips = build_lpips(tmp_path / "vgg.npz")
    np.testing.assert_allclose(lpips(a, b), expected, rtol=1e-3)
    np.testing.assert_allclose(lpips(a, a), 0.0, atol=1e-7)


def test_a_file_without_the_weights_is_one_line(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="Expected an .npz of VGG16 weights"):
        build_lpips(tmp_path / "other.npz")
