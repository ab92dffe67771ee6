"""Prints how many images per second the data pipeline delivers, and how many the default train step takes.

From memory and from disk, at 64 and 256 px. The step is timed on one batch that is already there.

Run `python tests/benchmarks/pipeline_speed.py [--data FOLDER] [--batch-size N] [--seconds S]`.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from tfgan_app.commands.building import build_trainer
from tfgan_app.config import replace_values, resolve_config
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.pairs import ImagePair, find_pairs
from tfgan_app.data.pipeline import build_pair_dataset
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.tasks.translate.config import TranslateConfig
from tfgan_app.tasks.translate.paired import PairedTranslation
from tfgan_app.training.devices import resolve_precision

SIZES_PX = (64, 256)
LOAD_SCALE = 1.125
BUDGETS_MB = {"memory": 4096, "disk": 0}
WARM_UP_STEPS = 20


def images_per_second(dataset: tf.data.Dataset, *, batch_size: int, seconds: float) -> float:
    """Pairs per second that an infinite-enough dataset yields once it is warm."""
    batches = iter(dataset)
    for _ in range(WARM_UP_STEPS):
        next(batches)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(batches)
        steps += 1
    return steps * batch_size / (time.perf_counter() - start)


def measure(pairs: list[ImagePair], *, image_size_px: int, mode: str, batch_size: int, seconds: float) -> float:
    """Pairs per second of the pipeline that trains at `image_size_px`, in mode `"memory"` or `"disk"`."""
    dataset = build_pair_dataset(
        pairs,
        CropSpec(round(image_size_px * LOAD_SCALE)),
        Schedule(batch_size=batch_size, steps=10**9, seed=0),
        cache_budget_mb=BUDGETS_MB[mode],
    )
    return images_per_second(dataset, batch_size=batch_size, seconds=seconds)


def step_images_per_second(image_size_px: int, *, batch_size: int, seconds: float) -> float:
    """Pairs per second that the default train step takes when data are no limit."""
    values = {
        "data.image_size": image_size_px,
        "training.batch_size": batch_size,
        "training.precision": resolve_precision("auto"),
    }
    config = replace_values(
        resolve_config("translate", TranslateConfig, preset=PairedTranslation.presets["default"]), values
    )
    task = PairedTranslation(config)
    trainer = build_trainer(task, config, strategy=tf.distribute.get_strategy())
    trainer.make_train_function()
    batch = next(iter(task.build_dataset(start_step=0, seed=0)))
    endless = iter(tf.data.Dataset.from_tensors(batch).repeat())
    for _ in range(3):
        trainer.train_function(endless)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        trainer.train_function(endless)
        steps += 1
    return steps * batch_size / (time.perf_counter() - start)


def main() -> None:
    """Measures every size in both modes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=str(bundled_path("emoji_pairs")))
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    args = parser.parse_args()
    pairs = find_pairs(args.data).train
    print(f"{len(pairs)} pairs, batch {args.batch_size}, {os.cpu_count()} CPU cores, TensorFlow {tf.__version__}")
    for image_size_px in SIZES_PX:
        step = step_images_per_second(image_size_px, batch_size=args.batch_size, seconds=args.seconds)
        print(f"{image_size_px:4d} px  train step {step:8.1f} pairs/s")
        for mode in BUDGETS_MB:
            rate = measure(
                pairs,
                image_size_px=image_size_px,
                mode=mode,
                batch_size=args.batch_size,
                seconds=args.seconds,
            )
            print(f"{image_size_px:4d} px  {mode:6s}  {rate:10.0f} pairs/s, {rate / step:.0f} times the train step")


if __name__ == "__main__":
    main()
