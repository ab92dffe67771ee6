"""Images with some detail, and settings with which a whole `upscale` or `restore` training takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

TINY_IMAGES = {
    "data.image_size": 16,
    "data.resize": "none",
    "data.load_scale": 1.0,
    "training.batch_size": 2,
    "training.log_every_steps": 2,
    "training.sample_every_steps": 4,
    "training.validate_every_steps": 4,
    "training.checkpoint_every_steps": 3,
    "training.precision": "float32",
    "optimizer.warmup_steps": 0,
    "task.generator_width": 4,
    "task.discriminator_width": 4,
}
TINY_UPSCALE = TINY_IMAGES | {"task.scale": 2, "task.generator_blocks": 1}


def write_photos(folder: Path, *, train: int = 3, val: int = 2, size: tuple[int, int] = (53, 60)) -> Path:
    """Shapes with soft shades and hard edges: `folder/train/0.png`, ..."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        (folder / split).mkdir(parents=True)
        for index in range(count):
            Image.fromarray(draw_photo(rng, size)).save(folder / split / f"{index}.png")
    return folder


def draw_photo(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """uint8 `[height, width, 3]`."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    image = np.stack([np.sin(x / rng.uniform(5, 15) + rng.uniform(0, 6)) * np.cos(y / 9) for _ in range(3)], -1)
    image = 127 + 90 * image
    for _ in range(4):
        top, left = rng.integers(0, height - 8), rng.integers(0, width - 8)
        image[top : top + rng.integers(3, 16), left : left + rng.integers(3, 16)] = rng.integers(0, 256, 3)
    return np.clip(image, 0, 255).astype(np.uint8)


def image_arguments(task: str, run_dir: Path, data: Path, *, steps: int, settings: dict | None = None) -> list[str]:
    """Arguments of `tfgan_app` for a tiny training of `upscale` or `restore`."""
    tiny = TINY_UPSCALE if task == "upscale" else TINY_IMAGES
    overrides = [f"--set={key}={value}" for key, value in (tiny | (settings or {})).items()]
    flags = ["--run-dir", str(run_dir), "--data", str(data), "--steps", str(steps)]
    return ["train", "--task", task, *flags, *overrides]
