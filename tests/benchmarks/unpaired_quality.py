"""CycleGAN, CUT and FastCUT on unpaired line drawings and color images, measured on held-out true pairs.

python tests/benchmarks/unpaired_quality.py [--minutes 5 | --steps 2000] [--image-size 32] [--seeds 0 1]
    [--vgg16 VGG16_LPIPS.npz] [--grid unpaired.png]

The bundled pairs are trained on as halves of disjoint emoji; the held-out ones are whole. The speeds of the train steps
are measured side by side first, round by round; with `--minutes` they decide how many steps each method gets.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgan_app.callbacks import read_metrics
from tfgan_app.commands.building import build_trainer
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import apply_overrides, default_config, replace_values
from tfgan_app.image_io.grid import make_grid
from tfgan_app.inference import load_companions, load_keras_model, run_checkpoint
from tfgan_app.tasks.translate import TRANSLATE
from tfgan_app.tasks.translate.paired import translate
from tfgan_app.tasks.translate.presets import UNPAIRED_PRESETS
from tfgan_app.training.devices import resolve_precision

METHODS = ("cyclegan", "cut", "fastcut")
ROUNDS, STEPS_A_ROUND, WARM_UP_STEPS = 5, 4, 2
GRID_ROWS = 12
SHOWN = ("fid", "kid", "psnr", "ssim", "lpips", "change", "inverse_fid", "cycle_psnr")


def main():
    """Runs the comparison and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="of each method")
    length.add_argument("--minutes", type=float, help="of each method, by its measured speed (default: 5)")
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--data", help="another source with held-out images of equal names")
    parser.add_argument("--vgg16", help="VGG16 and LPIPS weights (.npz): features of FID and KID, and LPIPS")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE, for all methods")
    parser.add_argument("--runs", help="folder for the run directories")
    parser.add_argument("--grid", help="write an image: input, each method, truth")
    args = parser.parse_args()
    overrides = [*args.set, f"data.image_size={args.image_size}", "data.max_val_images=100000"]
    overrides += [f"data.source={args.data}"] if args.data else []
    if args.vgg16:
        path = Path(args.vgg16).resolve()
        overrides += [f"task.feature_weights={path}", f"task.lpips_weights={path}"]

    speeds = measure_speeds(args.methods, overrides)
    print(f"train step, side by side, {args.image_size} px, {len(tf.config.list_physical_devices('GPU'))} GPUs:")
    for method, speed in speeds.items():
        print(f"  {method:10} {speed:7.1f} images/s, {speed / speeds[args.methods[0]]:.2f} x {args.methods[0]}")
    runs, batch = Path(args.runs or tempfile.mkdtemp()), config_of(args.methods[0], overrides).training.batch_size
    for seed in args.seeds:
        for method in args.methods:
            steps = args.steps or max(1, round((args.minutes or 5.0) * 60 * speeds[method] / batch))
            flags = ["--preset", method, "--steps", str(steps), "--seed", str(seed)]
            quiet = [f"training.{name}_every_steps={10**9}" for name in ("sample", "validate", "checkpoint")]
            settings = [part for text in (*overrides, *quiet) for part in ("--set", text)]
            command = ["train", "--task", "translate", *flags, *settings, "--run-dir", str(runs / f"{method}-{seed}")]
            subprocess.run([sys.executable, "-m", "tfgan_app", *command], check=True, stdout=subprocess.DEVNULL)
    report(runs, args)


def config_of(method: str, overrides: list[str]):
    """The configuration of a method's preset."""
    config = replace_values(default_config("translate", TRANSLATE.config_class), UNPAIRED_PRESETS[method])
    config = apply_overrides(config, overrides)
    return replace_values(config, {"training.precision": resolve_precision(config.training.precision)})


def measure_speeds(methods: list[str], overrides: list[str]) -> dict[str, float]:
    """Images/s of each method's train step: the median of rounds in which each has its turn."""
    steps, seconds, batch = {}, {method: [] for method in methods}, {}
    for method in methods:
        config = config_of(method, overrides)
        task = TRANSLATE(config, report=lambda line: None)
        trainer = build_trainer(task, config, strategy=tf.distribute.get_strategy())
        batch[method] = next(iter(task.build_dataset(start_step=0, seed=0)))
        steps[method] = tf.function(trainer.train_step)
        for _ in range(WARM_UP_STEPS):
            steps[method](batch[method])
    for _ in range(ROUNDS):
        for method in methods:
            start = time.perf_counter()
            for _ in range(STEPS_A_ROUND):
                logs = steps[method](batch[method])
            _ = {name: float(value[0]) for name, value in logs.items()}
            seconds[method].append((time.perf_counter() - start) / STEPS_A_ROUND)
    return {method: len(batch[method]["position"]) / statistics.median(seconds[method]) for method in methods}


def report(runs: Path, args: argparse.Namespace) -> None:
    """Prints each method's figures, means over seeds with their range, and writes the grid of the first seed."""
    columns, values = {}, {}
    for method in args.methods:
        measured = []
        for seed in args.seeds:
            directory = RunDirectory.existing(str(runs / f"{method}-{seed}"))
            config, task_class = directory.read_config()
            task = task_class(config, report=lambda line: None)
            path = run_checkpoint(directory.path)
            model = load_keras_model(path)
            figures = task.evaluate(model, **load_companions(path))
            last = read_metrics(str(directory.path))[-1]
            measured.append(figures | {"minutes": last["seconds"] / 60.0, "steps": last["step"]})
            columns.setdefault(method, translate(model, task.data.images["input"]))
        values[method] = measured
    images, (first, second) = task.data.images, task.data.true_pairs
    print(f"\n{len(images['input'])} held-out images, {len(first)} true pairs; seeds {args.seeds}")
    for method, measured in values.items():
        names = [name for name in (*SHOWN, "minutes", "steps") if name in measured[0]]
        print(f"{method:12}", "  ".join(f"{name} {_spread([m[name] for m in measured])}" for name in names))
    for prefix, label in (("copy_", "copy the input"), ("floor_", "real images")):
        known = [name for name in SHOWN if f"{prefix}{name}" in measured[0]]
        print(f"{label:12}", "  ".join(f"{name} {measured[0][f'{prefix}{name}']:.4g}" for name in known))
    if args.grid:
        chosen = np.linspace(0, len(first) - 1, min(GRID_ROWS, len(first))).astype(int)
        parts = [images["input"][first], *(x[first] for x in columns.values()), images["target"][second]]
        rows = [[part[index] for part in parts] for index in chosen]
        headers = ("input", *columns, "truth")
        Image.fromarray(make_grid(rows, headers=headers)).save(args.grid)


def _spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.4g} to {max(values):.4g})"


if __name__ == "__main__":
    main()
