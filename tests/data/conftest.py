"""Images and pair folders for the data tests."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def random_image():
    """A function that makes smooth random images."""
    return _random_image


@pytest.fixture(scope="session")
def save():
    """A function that writes an image and creates its folder."""
    return _save


def _random_image(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """A smooth random image, uint8 [height, width, 3]."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def _save(path, rgb, **options):
    """Writes `rgb` to `path`, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, **options)
    return path


@pytest.fixture
def side_by_side(tmp_path):
    """A folder of 12 side-by-side images, 24 to 45 px high halves of three shapes."""
    for i in range(12):
        height, half_width = [(24, 24), (30, 40), (45, 34)][i % 3]
        _save(tmp_path / f"p{i:02d}.png", _random_image(height, 2 * half_width, seed=i))
    return tmp_path
