"""A data set and settings with which a whole training takes seconds."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]

TINY = {
    "data.image_size": 16,
    "training.batch_size": 4,
    "training.log_every_steps": 2,
    "training.sample_every_steps": 4,
    "training.validate_every_steps": 4,
    "training.checkpoint_every_steps": 3,
    "training.precision": "float32",
    "task.generator_width": 4,
    "task.generator_depth": 2,
    "task.discriminator": "patchgan_16",
    "task.discriminator_width": 4,
}


def write_pairs(folder: Path, *, train: int = 12, val: int = 4) -> Path:
    """Side-by-side pairs of 20 px: a colored box, and the same in gray."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        if count:
            (folder / split).mkdir(parents=True)
        for index in range(count):
            image = np.full((20, 20, 3), 255, np.uint8)
            top, left, size = rng.integers(2, 10, 3)
            image[top : top + size, left : left + size] = rng.integers(0, 200, 3)
            gray = image.mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1)
            Image.fromarray(np.concatenate([image, gray], 1)).save(folder / split / f"{index}.png")
    return folder


def train_arguments(run_dir: Path, data: Path, *, steps: int, settings: dict | None = None) -> list[str]:
    """Arguments of `tfgan_app` for a tiny training."""
    overrides = [f"--set={key}={value}" for key, value in (TINY | (settings or {})).items()]
    flags = ["--run-dir", str(run_dir), "--data", str(data), "--steps", str(steps)]
    return ["train", "--task", "translate", *flags, *overrides]


def start_app(arguments: list[str], **environment) -> subprocess.Popen:
    """Starts `tfgan_app` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tfgan_app", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_app(arguments: list[str]) -> subprocess.CompletedProcess:
    """Runs `tfgan_app` in a process of its own to its end."""
    with start_app(arguments) as process:
        stdout, stderr = process.communicate(timeout=900)
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on, below those that the system itself gives to others."""
    found: list[int] = []
    numbers = random.Random(f"{os.getpid()} {id(found)}")
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            port = numbers.randrange(20_000, 30_000)
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                found.append(port)
    return found
