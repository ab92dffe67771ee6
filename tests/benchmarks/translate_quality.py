"""The default recipe of `translate` against the standard pix2pix recipe, at equal minutes, on held-out pairs.

python tests/benchmarks/translate_quality.py [--data FOLDER] [--image-size 64] [--lpips VGG16_LPIPS.npz] [--seed 0]

Trains the default with `tfgan_app train`, takes its training time, gives the reference the same, and measures
both with the same code on the same held-out images. Nothing was tuned on those.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from pix2pix_reference import train_reference

from tfgan_app.callbacks import read_metrics
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import replace_values
from tfgan_app.data.pipeline import load_pairs
from tfgan_app.data.specs import CropSpec
from tfgan_app.image_io.grid import make_grid
from tfgan_app.inference import load_keras_model
from tfgan_app.metrics import PIXEL_METRICS, build_lpips, paired_metrics
from tfgan_app.tasks.translate.paired import PairedTranslation, translate


def main():
    """Runs the comparison and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--image-size", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--lpips", help="VGG16 and LPIPS weights (.npz)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="train the reference for this long instead")
    parser.add_argument("--run-dir", help="measure this finished run instead of training one")
    parser.add_argument("--grid", help="write an image: input, reference, ours, target")
    args = parser.parse_args()

    run_dir = args.run_dir or tempfile.mkdtemp() + "/run"
    if not args.run_dir:
        flags = {"--data": args.data, "--image-size": args.image_size, "--steps": args.steps, "--seed": args.seed}
        given = [str(x) for flag, value in flags.items() if value is not None for x in (flag, value)]
        command = [sys.executable, "-m", "tfgan_app", "train", "--task", "translate", "--run-dir", run_dir, *given]
        subprocess.run(command, check=True)
    config, _ = RunDirectory(Path(run_dir)).read_config()
    task = PairedTranslation(
        dataclasses.replace(config, data=replace_values(config, {"data.max_val_images": 10**6}).data)
    )
    minutes = args.minutes or read_metrics(run_dir)[-1]["seconds"] / 60.0

    size = config.data.image_size
    inputs, targets = load_pairs(task.pairs.train, CropSpec(size))
    reference, steps = train_reference(inputs, targets, minutes=minutes, seed=args.seed)

    metrics = dict(PIXEL_METRICS) | ({"lpips": build_lpips(args.lpips)} if args.lpips else {})
    inputs, targets = task.held_out
    ours = translate(load_keras_model(Path(run_dir) / "checkpoints" / "last.keras"), inputs)
    outputs = {"copy the input": inputs, "default recipe": ours}
    for training in (True, False):
        name = f"pix2pix recipe, training={training}"
        outputs[name] = np.concatenate([_reference_outputs(reference, x[None], training) for x in inputs])
    print(f"\n{len(inputs)} held-out pairs, {size} px, {minutes:.1f} minutes each; the reference made {steps} steps")
    for name, output in outputs.items():
        means = {k: float(v.mean()) for k, v in paired_metrics(targets, output, metrics=metrics).items()}
        print(f"{name:32}", "  ".join(f"{metric} {value:.4f}" for metric, value in means.items()))
    if args.grid:
        columns = [inputs, outputs["pix2pix recipe, training=True"], ours, targets]
        rows = [list(row) for row in zip(*(x[:: max(1, len(x) // 12)][:12] for x in columns), strict=True)]
        Image.fromarray(make_grid(rows)).save(args.grid)


def _reference_outputs(generator, images: np.ndarray, training: bool) -> np.ndarray:
    outputs = np.asarray(generator(images.astype(np.float32) / 127.5 - 1.0, training=training))
    return np.clip(np.rint((outputs + 1.0) * 127.5), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
