"""The default recipe of `generate` against the Keras documentation's DCGAN on Fashion-MNIST, at equal minutes.

python tests/benchmarks/fashion_quality.py [--seeds 0 1 2 3 4] [--reference-seeds 0] [--output FOLDER]

Each seed is one `tfgan_app train --task generate --data keras:fashion_mnist`; the reference gets as many minutes as the
longest of them took, all that it does counted, and the reference's compilation left out. Both are measured on 10,000
generated images against the 10,000 test images, with features of a classifier of its own seed that neither side
has seen; the floor is that of 10,000 training images.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from dcgan_reference import sample_reference, train_reference

from tfgan_app.image_io.grid import make_grid
from tfgan_app.image_io.loading import write_image
from tfgan_app.inference import load_keras_model, run_checkpoint
from tfgan_app.metrics import generation_metrics, train_classifier_features
from tfgan_app.tasks.generate.evaluation import feature_cache
from tfgan_app.tasks.generate.sampling import draw_latents, rows_of, sample

JUDGE_SEED = 20_261_120
COUNT = 10_000
SHOWN = ("fid", "kid", "precision", "recall", "density", "coverage")


def main():
    """Trains, measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--reference-seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--minutes", type=float, help="of the reference; by default as long as the longest run took")
    parser.add_argument("--reference-steps", type=int, help="as many as fit into the minutes when measured alone")
    parser.add_argument("--output", type=Path, help="folder for runs and grids; a temporary one by default")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    output = args.output or Path(tempfile.mkdtemp())
    (images, labels), (test_images, _) = keras.datasets.fashion_mnist.load_data()
    images, test_images = images[..., None], test_images[..., None]
    judge = train_classifier_features(
        images, labels.astype(np.int32), classes=10, seed=JUDGE_SEED, cache_dir=feature_cache(print)
    )
    real = judge(test_images)
    print(json.dumps(judge.protocol()))
    floor = show("floor", measure(real, judge(images[:COUNT])), images[:COUNT], output)
    rows, minutes = {"floor": floor}, [args.minutes or 0.0]
    for seed in args.seeds:
        model = train_default(output / f"seed{seed}", seed, args.set)
        minutes.append(float((output / f"seed{seed}" / "minutes.txt").read_text()))
        labeled = sample(model, draw_latents(model, COUNT, first_seed=10**6))
        name = f"default, seed {seed} ({minutes[-1]:.1f} min)"
        rows[name] = show(name, measure(real, judge(labeled)), labeled, output)
    for seed in args.reference_seeds:
        gan, steps = train_reference(images, minutes=max(minutes), seed=seed, steps=args.reference_steps)
        labeled = sample_reference(gan, COUNT, size_px=28, seed=1)
        name = f"Keras DCGAN, seed {seed} ({max(minutes):.1f} min, {steps} steps)"
        rows[name] = show(name, measure(real, judge(labeled)), labeled, output)
    fids = {side: [row["fid"] for name, row in rows.items() if name.startswith(side)] for side in ("default", "Keras")}
    for side, values in fids.items():
        if values:
            print(f"{side}: FID mean {np.mean(values):.2f}, standard deviation {np.std(values):.2f}, of {len(values)}")
    if all(fids.values()):
        print(f"ratio of the means: {np.mean(fids['default']) / np.mean(fids['Keras']):.3f}")


def train_default(run_dir: Path, seed: int, settings: list[str]) -> keras.Model:
    """One run of the command line; a run that is there already is measured again."""
    if not (run_dir / "report.html").exists():
        command = [sys.executable, "-m", "tfgan_app", "train", "--task", "generate", "--data", "keras:fashion_mnist"]
        command += ["--run-dir", str(run_dir), "--seed", str(seed), *(f"--set={value}" for value in settings)]
        start = time.perf_counter()
        subprocess.run(command, check=True)
        (run_dir / "minutes.txt").write_text(str((time.perf_counter() - start) / 60.0))
    return load_keras_model(run_checkpoint(run_dir, "last"))


def measure(real: np.ndarray, features: np.ndarray) -> dict[str, float]:
    """The metrics that are shown."""
    return {name: value for name, value in generation_metrics(real, features).items() if name in SHOWN}


def show(name: str, row: dict[str, float], images: np.ndarray, output: Path) -> dict[str, float]:
    """Prints one row and writes its images."""
    print(f"{name:44} " + "  ".join(f"{key} {value:.3f}" for key, value in row.items()), flush=True)
    write_image(output / f"{name.split(' (')[0].replace(' ', '_')}.png", make_grid(rows_of(images[:96], 12)))
    return row


if __name__ == "__main__":
    main()
