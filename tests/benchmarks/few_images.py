"""What augmenting the discriminator's images gains when there are only 200 training images.

python tests/benchmarks/few_images.py [--images 200] [--steps 4000] [--seeds 0] [--vgg16 WEIGHTS.npz]

The color halves of 200 bundled emoji at 32 px: the default recipe without augmentation, with DiffAugment (which it
takes by itself for so few images), with ADA, and with transformed real images as a further term. 1,000 generated
images against 1,000 other emoji, with VGG16's features where its weights are given, else random ones. The floor is
that of half of the training images.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

from PIL import Image

from tfgan_app import cli
from tfgan_app.data.bundled import bundled_path
from tfgan_app.image_io.loading import find_images

SIZE_PX, HELD_OUT = 32, 1000
WAYS = {
    "none": ["task.augmentation=none"],
    "diffaugment": ["task.augmentation=diffaugment"],
    "ada": ["task.augmentation=ada"],
    "transformed real": ["task.augmentation=diffaugment", "task.transformed_real_weight=1"],
}
SHOWN = ("fid", "kid", "precision", "recall", "density", "coverage")


def main():
    """Trains each way and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--vgg16", help="VGG16 weights (.npz)")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    output = args.output or Path(tempfile.mkdtemp())
    data = write_folder(output / "data", args.images)
    features = ["task.features=random"]
    if args.vgg16:
        features = ["task.features=vgg16", f"task.feature_weights={args.vgg16}"]
    for way in args.ways:
        for seed in args.seeds:
            run = output / f"{way.replace(' ', '_')}-{seed}"
            settings = [*WAYS[way], *features, f"training.seed={seed}", f"data.max_val_images={HELD_OUT}"]
            flags = [
                "--image-size",
                str(SIZE_PX),
                "--steps",
                str(args.steps),
                *(f"--set={value}" for value in settings),
            ]
            run_cli("train", "--task", "generate", "--data", str(data), "--run-dir", str(run), *flags)
            run_cli("evaluate", "--run", str(run), "--json", str(run / "evaluation.json"))
            metrics = json.loads((run / "evaluation.json").read_text())["metrics"]
            print(f"{f'{way}, seed {seed}':28}", *(f" {name} {metrics[name]:.3f}" for name in SHOWN), flush=True)
    print(f"{'floor':28}", *(f" {name} {metrics[f'floor_{name}']:.3f}" for name in SHOWN))


def run_cli(*arguments: str):
    """Runs the command line in this process."""
    if code := cli.run(cli.parse(["tfgan_app", *arguments])):
        raise SystemExit(code)


def write_folder(folder: Path, training: int) -> Path:
    """Writes training and held-out images as PNG files."""
    files = find_images(bundled_path("emoji_pairs") / "train")
    random.Random(0).shuffle(files)
    for index, path in enumerate(files[: training + HELD_OUT]):
        with Image.open(path) as pair:
            right = pair.convert("RGB").crop((pair.width // 2, 0, pair.width, pair.height))
        split = folder / ("train" if index < training else "val")
        split.mkdir(parents=True, exist_ok=True)
        right.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS).save(split / f"{index:05d}.png")
    return folder


if __name__ == "__main__":
    main()
