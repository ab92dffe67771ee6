"""What a GAN's pictures are worth to a classifier of Fashion-MNIST, when there are 20, 50 or 200 real ones a class.

python tests/benchmarks/augment_study.py --fashion FOLDER [--sizes 20 50 200] [--steps 2500] [--seeds 5] [--output DIR]

FOLDER has the four files of Fashion-MNIST (train-images-idx3-ubyte.gz, ...). For each size a class-conditional GAN is
trained on exactly that subset of the training pictures, its pictures are drawn into class folders, and
`tfgan_app evaluate` trains the classifiers of every arm with every seed and measures them on the 10,000 test pictures.
No setting is chosen by these; what was tried while the defaults were made was measured on 5,000 training pictures
outside of every subset. With --output, a run that was interrupted is resumed and one that is there is only measured.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

FILES = tuple(f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))


def main():
    """Trains, draws and measures each size, and prints a table with intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fashion", type=Path, required=True, help="folder of Fashion-MNIST's files")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 50, 200])
    parser.add_argument("--steps", type=int, default=2500, help="of the GAN")
    parser.add_argument("--seeds", type=int, default=5, help="classifiers of each arm")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the study")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    output = args.output or Path(tempfile.mkdtemp())
    use_files(args.fashion, output / "keras")
    studies = []
    for size in args.sizes:
        run = output / f"fashion-{size}"
        train(run, size, steps=args.steps)
        if not (run / "drawn").exists():
            run_cli("augment", "--run", run, "--output", run / "drawn", "--per-class", 10 * size)
        settings = [f"task.study_seeds={args.seeds}", *args.set]
        run_cli("evaluate", "--run", run, "--json", run / "evaluation.json", *(f"--set={text}" for text in settings))
        studies += json.loads((run / "evaluation.json").read_text())["study"]["sizes"]
    from tfgan_app.tasks.augment.study import study_lines

    print("\nFashion-MNIST, 10,000 test pictures")
    print(*study_lines({"sizes": studies}), sep="\n")


def use_files(folder: Path, home: Path) -> None:
    """Lets Keras find the files where it would have downloaded them to."""
    cache = home / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if not (cache / name).exists():
            (cache / name).symlink_to((folder / name).resolve(strict=True))
    # Keras reads it when it is imported, which the commands do.
    os.environ["KERAS_HOME"] = str(home.resolve())


def train(run: Path, per_class: int, *, steps: int) -> None:
    """Trains a run, goes on with it, or leaves it as it is when it has its steps."""
    if (run / "checkpoints" / f"step-{steps:07d}.npz").exists():
        return
    if (run / "config.json").exists():
        run_cli("train", "--task", "augment", "--run-dir", run, "--resume", "--steps", steps)
        return
    settings = [f"task.per_class={per_class}", "training.checkpoint_every_steps=250"]
    flags = ["--data", "keras:fashion_mnist", "--run-dir", run, "--steps", steps]
    run_cli("train", "--task", "augment", *flags, *(f"--set={text}" for text in settings))


def run_cli(*arguments: object) -> None:
    """Runs the command line in this process; a class that stays short is no failure."""
    from tfgan_app import cli

    if cli.run(cli.parse(["tfgan_app", *map(str, arguments)])) not in (0, 1):
        raise SystemExit(f"failed: {' '.join(map(str, arguments))}")


if __name__ == "__main__":
    main()
