"""What augmenting the discriminator's pictures gains when there are only 200 training pictures.

python tests/benchmarks/few_images.py [--class sneaker] [--pictures 200] [--steps 4000] [--seeds 0] [--set KEY=VALUE]

One class of Fashion-MNIST: its first 200 training pictures, the default recipe without augmentation, with DiffAugment,
with ADA, and with transformed real pictures as a further term. FID against the 1,000 test pictures of the class, 5,000
generated ones, features of a classifier of all classes that no run has seen. Both the last and the best validated
weights of each run are measured, the latter with the run's own features: without augmentation training gets worse again
at some point, and an engineer would stop there.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import keras
import numpy as np
from fashion_quality import JUDGE_SEED, SHOWN

from tfgan_app import cli
from tfgan_app.images import make_grid, write_picture
from tfgan_app.inference import load_keras_model, run_checkpoint
from tfgan_app.metrics import generation_metrics, train_classifier_features
from tfgan_app.tasks.generate_quality import feature_cache
from tfgan_app.tasks.sampling import draw_latents, rows_of, sample

CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")
GENERATED = 5000
WAYS = {
    "none": ["task.augmentation=none"],
    "diffaugment": ["task.augmentation=diffaugment"],
    "ada": ["task.augmentation=ada"],
    "transformed real": ["task.augmentation=diffaugment", "task.transformed_real_weight=1"],
}


def main():
    """Trains each way and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--class", dest="name", choices=CLASSES, default="sneaker")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    output = args.output or Path(tempfile.mkdtemp())
    (images, labels), (test_images, test_labels) = keras.datasets.fashion_mnist.load_data()
    images, test_images = images[..., None], test_images[..., None]
    label = CLASSES.index(args.name)
    data = write_folder(images[labels == label][: args.pictures + 50], output / "data", args.pictures)
    judge = train_classifier_features(
        images, labels.astype(np.int32), classes=10, seed=JUDGE_SEED, cache_dir=feature_cache()
    )
    real = judge(test_images[test_labels == label])
    floor = measure(real, judge(images[labels == label][-5000:]))
    print(f"{'floor (5,000 other training pictures)':44}", *floor)
    for way in args.ways:
        for seed in args.seeds:
            run = output / f"{way.replace(' ', '_')}-{seed}"
            if not (run / "report.html").exists():
                settings = [
                    "task.colours=gray",
                    *WAYS[way],
                    *args.set,
                    f"training.seed={seed}",
                    f"training.steps={args.steps}",
                ]
                flags = [f"--set={value}" for value in settings]
                arguments = ["train", "--task", "generate", "--data", str(data), "--run-dir", str(run), *flags]
                cli.run(cli.parse(["tfgan_app", *arguments]))
            for which in ("last", "best"):
                model = load_keras_model(run_checkpoint(run, which))
                pictures = sample(model, draw_latents(model, GENERATED, first_seed=10**6))
                print(f"{f'{way}, seed {seed}, {which} weights':44}", *measure(real, judge(pictures)), flush=True)
                write_picture(output / f"{run.name}-{which}.png", make_grid(rows_of(pictures[:96], 12)))


def write_folder(pictures: np.ndarray, folder: Path, training: int) -> Path:
    """Writes training and held-out pictures as PNG files."""
    for index, picture in enumerate(pictures):
        split = "train" if index < training else "val"
        write_picture(folder / split / f"{index:05d}.png", np.repeat(picture, 3, axis=-1))
    return folder


def measure(real: np.ndarray, features: np.ndarray) -> list[str]:
    """The metrics that are shown."""
    return [f" {name} {value:.3f}" for name, value in generation_metrics(real, features).items() if name in SHOWN]


if __name__ == "__main__":
    main()
