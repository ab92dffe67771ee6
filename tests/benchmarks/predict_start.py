"""How soon `tfgan_app predict` starts and how long it takes, under LiteRT and under TensorFlow.

python tests/benchmarks/predict_start.py [--model upscale_x4] [--rounds 3] [--memory-megapixels 100]

Every run is a process of its own that does all a user's does: start, load, read, predict, encode PNG, write. Seconds
count from its start; `first tile` is when the model returns for the first time. Engines alternate, and the best of the
rounds is printed, with the CPU time of that run. The rate of a float32 matrix product in the same
minutes tells how much of the machine there was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 1000, 800
ENGINES = {
    "LiteRT float32": ("--engine", "litert"),
    "LiteRT int8": ("--quantized",),
    "TensorFlow": ("--engine", "tensorflow"),
}
_FIRST_TILE = "first tile at "
_RUNNER = f"""
import sys, time
from tfgan_app import cli
from tfgan_app.inference.predictor import Predictor

run, told = Predictor._run, []

def timed(self, images):
    outputs = run(self, images)
    if not told:
        told.append(print("{_FIRST_TILE}", time.time(), file=sys.stderr))
    return outputs

Predictor._run = timed
cli.main(["tfgan_app", *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Run:
    """What one process took.

    Attributes:
        seconds: From its start to its end.
        first_tile: From its start until the model has returned for the first time.
        cpu_seconds: Of all its threads.
        peak_bytes: Its largest resident set.
    """

    seconds: float
    first_tile: float
    cpu_seconds: float
    peak_bytes: int


def main():
    """Prints a row for each engine, their ratio, and the peak memory of a large result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="upscale_x4")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-megapixels", type=float, default=100.0, help="of output; 0 leaves that out")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.png"
        Image.fromarray(photograph(HEIGHT, WIDTH)).save(source)
        print(f"{args.model}, {WIDTH} x {HEIGHT} px, {os.cpu_count()} CPUs, matrix product {gemm_gflops():.0f} GFLOP/s")
        found = {name: [] for name in ENGINES}
        for _ in range(args.rounds):
            for name, flags in ENGINES.items():
                found[name].append(measure(args.model, source, flags))
        best = {name: min(runs, key=lambda run: run.seconds) for name, runs in found.items()}
        slowest = best["TensorFlow"].seconds
        for name, run in best.items():
            first = min(each.first_tile for each in found[name])
            print(
                f"{name:15} first tile {first:5.2f} s, all {run.seconds:5.2f} s ({slowest / run.seconds:.2f} times as "
                f"fast), CPU {run.cpu_seconds:5.2f} s, peak {run.peak_bytes / 2**20:.0f} MB"
            )
        print(f"matrix product {gemm_gflops():.0f} GFLOP/s")
        if args.memory_megapixels:
            side = round((args.memory_megapixels * 1e6) ** 0.5 / 4)
            Image.fromarray(photograph(side, side)).save(source)
            for name in ("LiteRT int8", "LiteRT float32"):
                run = measure(args.model, source, ENGINES[name])
                print(
                    f"{name:15} {args.memory_megapixels:.0f} MP: {run.seconds:.1f} s, "
                    f"peak {run.peak_bytes / 2**20:.0f} MB",
                    flush=True,
                )


def measure(model: str, source: Path, flags: tuple[str, ...]) -> Run:
    """Predicts in a process of its own."""
    target = source.with_name("out.png")
    command = [sys.executable, "-c", _RUNNER, "predict", "--model", model, "--input", str(source)]
    began, start = time.time(), time.perf_counter()
    with open(source.with_name("stderr"), "w+") as said:
        process = subprocess.Popen([*command, "--output", str(target), *flags], stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        lines = said.read().splitlines()
    if status:
        raise SystemExit("\n".join(lines))
    (told,) = (line for line in lines if line.startswith(_FIRST_TILE))
    first = float(told.removeprefix(_FIRST_TILE)) - began
    return Run(seconds, first, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def photograph(height: int, width: int) -> np.ndarray:
    """Smooth shapes with fine noise: uint8 [height, width, 3]."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 32 + 2, width // 32 + 2, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    return np.clip(smooth + rng.normal(0, 3, smooth.shape).astype(np.int16), 0, 255).astype(np.uint8)


def gemm_gflops() -> float:
    """The best rate of a float32 matrix product of 1024 x 1024, on as many threads as NumPy takes."""
    rng = np.random.default_rng(0)
    first, second = (rng.random((1024, 1024), np.float32) for _ in range(2))
    best = np.inf
    for _ in range(8):
        start = time.perf_counter()
        first @ second
        best = min(best, time.perf_counter() - start)
    return 2 * 1024**3 / best / 1e9


if __name__ == "__main__":
    main()
