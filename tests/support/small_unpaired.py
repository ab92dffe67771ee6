"""Two sets of images that do not belong together, and settings with which a training of them takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

TINY_UNPAIRED = {
    "data.image_size": 16,
    "data.load_scale": 1.0,
    "training.batch_size": 2,
    "training.precision": "float32",
    "task.generator_width": 4,
    "task.generator_depth": 2,
    "task.discriminator": "patchgan_16",
    "task.discriminator_width": 4,
    "task.features": "random",
}


def write_unpaired(folder: Path, *, train: tuple[int, int] = (14, 12), val: int = 6, pairs: bool = False) -> Path:
    """Boxes on white in `trainA/` and `valA/`, on black in `trainB/` and `valB/`; with `pairs`, of equal names."""
    rng = np.random.default_rng(0)
    for split, counts in (("train", train), ("val", (val, val))):
        for side, count, ground in zip("AB", counts, (255, 0), strict=True):
            (folder / f"{split}{side}").mkdir(parents=True)
            for index in range(count):
                image = np.full((16, 16, 3), ground, np.uint8)
                top, left, size = rng.integers(2, 10, 3)
                image[top : top + size, left : left + size] = rng.integers(50, 200, 3)
                name = index if pairs and split == "val" else f"{side}{index}"
                Image.fromarray(image).save(folder / f"{split}{side}" / f"{name}.png")
    return folder
