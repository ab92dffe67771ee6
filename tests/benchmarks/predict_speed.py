"""What `tfgan_app predict` takes: seconds per megapixel of output and peak memory, from small to large images.

python tests/benchmarks/predict_speed.py --model exported_models/upscale_x4 [--megapixels 0.25 1 4 25 100]
    [--suffix png]

Each size is a process of its own that does all a user's does: start, load, read, predict, encode, write. `start` is
what an image of 8 x 8 pixels takes, and is subtracted in `s/MP`. Peak memory is the largest resident set of the
process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_app.inference import load_predictor


def main():
    """Prints a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.25, 1.0, 4.0, 25.0, 100.0], help="of output")
    parser.add_argument("--suffix", default="png", help="of input and output")
    parser.add_argument("--tile", type=int)
    args = parser.parse_args()
    scale = load_predictor(args.model).scale
    print(f"{args.model.name}, scale {scale}, {os.cpu_count()} CPUs, {args.suffix}")
    with tempfile.TemporaryDirectory() as folder:
        start, memory = measure(args, Path(folder), side_px=8)
        print(f"start: {start:.2f} s, {memory / 2**20:.0f} MB")
        for megapixels in args.megapixels:
            side_px = round((megapixels * 1e6) ** 0.5 / scale)
            seconds, memory = measure(args, Path(folder), side_px=side_px)
            output = (side_px * scale) ** 2 / 1e6
            rate = (seconds - start) / output
            print(
                f"{side_px:5d} px -> {output:7.2f} MP: {seconds:7.2f} s, {rate:.3f} s/MP, peak {memory / 2**20:.0f} MB",
                flush=True,
            )


def measure(args: argparse.Namespace, folder: Path, *, side_px: int) -> tuple[float, int]:
    """Seconds of a process that predicts a square image, and bytes of its largest resident set."""
    source, target = folder / f"in.{args.suffix}", folder / f"out.{args.suffix}"
    Image.fromarray(photograph(side_px)).save(source)
    command = [sys.executable, "-m", "tfgan_app", "predict", "--model", str(args.model)]
    command += ["--input", str(source), "--output", str(target)]
    command += ["--tile", str(args.tile)] if args.tile else []
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"`{' '.join(command)}` failed")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def photograph(side_px: int) -> np.ndarray:
    """uint8 `[side, side, 3]` that compresses about as a photograph does: smooth shapes and a little noise."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (max(2, side_px // 16), max(2, side_px // 16), 3), np.uint8))
    smooth = np.asarray(coarse.resize((side_px, side_px), Image.Resampling.BICUBIC), np.int16)
    return np.clip(smooth + rng.integers(-4, 5, smooth.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
