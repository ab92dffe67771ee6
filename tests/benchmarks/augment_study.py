"""What a GAN's images are worth to a classifier of Fashion-MNIST, when there are 20, 50 or 200 real ones a class.

python tests/benchmarks/augment_study.py --fashion FOLDER [--sizes 20 50 200] [--subsets 0 1 2] [--steps 2500]
    [--seeds 5] [--output DIR] [--plot FILE.png]

FOLDER has the four files of Fashion-MNIST (train-images-idx3-ubyte.gz, ...). For each size and subset a
class-conditional GAN is trained on exactly these of the training images, and `tfgan_app evaluate` trains the
classifiers of every arm with every seed and measures them on the 10,000 test images. The intervals of a study are of
its choice of images and its GAN; how far those matter, the range over subsets tells, each of which has a GAN of
another seed. No setting is chosen by the test images; what was tried while the defaults were made was measured on
5,000 training images, with 200 others to train on. With --output, a run that was interrupted is resumed, and a study
that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import matplotlib

FILES = tuple(f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))


def main():
    """Trains and measures each size and subset, and prints tables with intervals and ranges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fashion", type=Path, required=True, help="folder of Fashion-MNIST's files")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 50, 200], help="images of each class")
    parser.add_argument("--subsets", type=int, nargs="+", default=[0, 1, 2], help="choices of images, and GANs")
    parser.add_argument("--steps", type=int, default=2500, help="of each GAN")
    parser.add_argument("--seeds", type=int, default=5, help="classifiers of each arm")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the study")
    parser.add_argument("--output", type=Path, help="folder for the run directories")
    parser.add_argument("--plot", type=Path, help="write a chart of accuracy over size")
    args = parser.parse_args()
    output = args.output or Path(tempfile.mkdtemp())
    use_files(args.fashion, output / "keras")
    settings = [f"task.study_seeds={args.seeds}", *args.set]
    studies: dict[int, list[dict[str, Any]]] = {}
    for subset in args.subsets:
        for size in args.sizes:
            run = output / f"fashion-{size}-{subset}"
            train(run, size, subset=subset, steps=args.steps)
            studies.setdefault(size, []).append(study(run, settings))
    report(studies)
    if args.plot:
        draw(studies, args.plot)


def study(run: Path, settings: list[str]) -> dict[str, Any]:
    """What `evaluate` found with these settings, now or earlier."""
    result, made_with = run / "evaluation.json", run / "evaluation-settings.json"
    if not result.exists() or not made_with.exists() or json.loads(made_with.read_text()) != settings:
        run_cli("evaluate", "--run", run, "--json", result, *(f"--set={text}" for text in settings))
        made_with.write_text(json.dumps(settings))
    return json.loads(result.read_text())["study"]["sizes"][0]


def report(studies: dict[int, list[dict[str, Any]]]) -> None:
    """Prints each study, and over subsets the means and the ranges."""
    from tfgan_app.tasks.augment.study import study_lines

    print("\nFashion-MNIST, 10,000 test images")
    for size, of_subsets in studies.items():
        print(*study_lines({"sizes": of_subsets}), sep="\n")
        if len(of_subsets) == 1:
            continue
        print(f"{size} a class, {len(of_subsets)} subsets: mean (smallest, largest)")
        for arm in of_subsets[0]["arms"]:
            print(f"  {arm:<32}{_spread([each['arms'][arm]['accuracy'] for each in of_subsets])} %")
        for rows in zip(*(each["differences"] for each in of_subsets), strict=True):
            verdicts = ", ".join(row["verdict"] for row in rows)
            difference = _spread([row["mean"] for row in rows], sign="+")
            print(f"  {rows[0]['first']} - {rows[0]['second']}: {difference} points: {verdicts}")


def _spread(values: list[float], *, sign: str = "") -> str:
    mean, low, high = (100.0 * value for value in (statistics.mean(values), min(values), max(values)))
    return f"{mean:{sign}.2f} ({low:{sign}.2f}, {high:{sign}.2f})"


def draw(studies: dict[int, list[dict[str, Any]]], path: Path) -> None:
    """Draws each arm's accuracy over the number of real images, with its range over subsets."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8.5, 4.6), dpi=110, layout="constrained")
    sizes = list(studies)
    for index, arm in enumerate(next(iter(studies.values()))[0]["arms"]):
        values = [[100.0 * each["arms"][arm]["accuracy"] for each in of_subsets] for of_subsets in studies.values()]
        means = [statistics.mean(each) for each in values]
        errors = [[m - min(v) for m, v in zip(means, values, strict=True)]]
        errors.append([max(v) - m for m, v in zip(means, values, strict=True)])
        shifted = [size * 1.015 ** (index - 3.5) for size in sizes]  # Or the bars would hide each other.
        style = "--" if arm.startswith("linear") else "-"
        axes.errorbar(shifted, means, yerr=errors, fmt=f"o{style}", markersize=4, linewidth=1.4, capsize=2, label=arm)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("real images of each class")
    axes.set_ylabel("accuracy on test images, %")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right center", frameon=False)
    figure.savefig(path)


def use_files(folder: Path, home: Path) -> None:
    """Lets Keras find the files where it would have downloaded them to."""
    cache = home / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if not (cache / name).exists():
            (cache / name).symlink_to((folder / name).resolve(strict=True))
    # Keras reads it when it is imported, which the commands do.
    os.environ["KERAS_HOME"] = str(home.resolve())


def train(run: Path, per_class: int, *, subset: int, steps: int) -> None:
    """Trains a run, goes on with it, or leaves it as it is when it has its steps."""
    if (run / "checkpoints" / f"step-{steps:07d}.npz").exists():
        return
    if (run / "config.json").exists():
        run_cli("train", "--task", "augment", "--run-dir", run, "--resume", "--steps", steps)
        return
    settings = [f"task.per_class={per_class}", f"task.subset_seed={subset}", "training.checkpoint_every_steps=250"]
    flags = ["--data", "keras:fashion_mnist", "--run-dir", run, "--steps", steps, "--seed", subset]
    run_cli("train", "--task", "augment", *flags, *(f"--set={text}" for text in settings))


def run_cli(*arguments: object) -> None:
    """Runs the command line in this process; a class that stays short is no failure."""
    from tfgan_app import cli

    if cli.run(cli.parse(["tfgan_app", *map(str, arguments)])) not in (0, 1):
        raise SystemExit(f"failed: {' '.join(map(str, arguments))}")


if __name__ == "__main__":
    main()
