"""Labeled images and settings with which a whole `generate` training takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

TINY_GENERATE = {
    "data.image_size": 16,
    "data.load_scale": 1.0,
    "training.batch_size": 4,
    "training.log_every_steps": 2,
    "training.sample_every_steps": 4,
    "training.validate_every_steps": 4,
    "training.checkpoint_every_steps": 3,
    "training.precision": "float32",
    "task.architecture": "mlp",
    "task.generator_width": 16,
    "task.discriminator_width": 16,
    "task.latent_dim": 8,
    "task.features": "random",
}


def write_class_folders(folder: Path, *, train: int = 12, val: int = 8, colors: bool = False) -> Path:
    """Images of 16 px in the classes `bar` and `box`: `folder/train/bar/0.png`, ..."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        for name, height in (("bar", 3), ("box", 8)):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                image = np.zeros((16, 16, 3) if colors else (16, 16), np.uint8)
                top, left = rng.integers(0, 8, 2)
                image[top : top + height, left : left + 8] = rng.integers(100, 256, 3 if colors else None)
                Image.fromarray(image).save(folder / split / name / f"{index}.png")
    return folder


def generate_arguments(run_dir: Path, data: Path, *, steps: int, settings: dict | None = None) -> list[str]:
    """Arguments of `tfgan_app` for a tiny training."""
    overrides = [f"--set={key}={value}" for key, value in (TINY_GENERATE | (settings or {})).items()]
    flags = ["--run-dir", str(run_dir), "--data", str(data), "--steps", str(steps)]
    return ["train", "--task", "generate", *flags, *overrides]


CAPTIONED = {"task.captions": True, "task.text_width": 8, "task.text_blocks": 1, "task.caption_tokens": 6}
"""Settings of a tiny training on captions."""


def write_captioned(folder: Path, *, train: int = 16, val: int = 8) -> Path:
    """Images of 16 px, a bar or a box in a color, with a caption each in `metadata.csv`."""
    rng = np.random.default_rng(0)
    colors = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
    for split, count in (("train", train), ("val", val)):
        (folder / split).mkdir(parents=True)
        lines = ["file_name,text"]
        for index in range(count):
            name, kind = list(colors)[index % 3], ("bar", "box")[index % 2]
            image = np.zeros((16, 16, 3), np.uint8)
            top, left = rng.integers(0, 8, 2)
            image[top : top + (3 if kind == "bar" else 8), left : left + 8] = colors[name]
            Image.fromarray(image).save(folder / split / f"{index}.png")
            lines.append(f"{index}.png,a {name} {kind}")
        (folder / split / "metadata.csv").write_text("\n".join(lines))
    return folder
