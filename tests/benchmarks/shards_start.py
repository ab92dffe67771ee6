"""Start of a training from a prepared set by its number of records, beside that of the folder.

The images are synthetic: `python tests/benchmarks/shards_start.py 1000 10000`. Each number is measured in a fresh
process: opening, check, fingerprint and the first batch of 64, without the start of TensorFlow; and peak memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, CLASSES = 16, 10


def write_images(folder: Path, count: int) -> None:
    """Writes PNG files of noise into class folders."""
    rng = np.random.default_rng(0)
    for index in range(count):
        path = folder / f"class{index % CLASSES}" / f"{index:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path, compress_level=0)


def measure(source: str) -> dict[str, float]:
    """Returns seconds until the first batch, and peak memory in MiB before and after."""
    from tfgan_app.data.checking import find_readable_images
    from tfgan_app.data.labeled import labeled_fingerprint
    from tfgan_app.data.opening import open_labeled
    from tfgan_app.data.pipeline import build_labeled_dataset
    from tfgan_app.data.specs import CropSpec, Schedule

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    images = find_readable_images(open_labeled(source).train, on_skip=print)
    labeled_fingerprint(images)
    dataset = build_labeled_dataset(
        images, CropSpec(SIDE), Schedule(batch_size=64, steps=10, seed=0), cache_budget_mb=0
    )
    next(iter(dataset))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "before": before, "after": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Prints a table with a row for each number of images."""
    from tfgan_app.data.preparing import prepare

    print("| images | prepare | start from the folder | start from the shards | memory added, folder | shards |")
    for count in map(int, sys.argv[1:] or ("1000", "4000", "16000")):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "source"), Path(folder, "set")
            write_images(source, count)
            start = time.perf_counter()
            prepare(source, target, shards=8)
            prepared = time.perf_counter() - start
            rows = []
            for data in (source, target):
                done = subprocess.run(
                    [sys.executable, __file__, "--measure", str(data)], capture_output=True, text=True, check=True
                )
                rows.append(json.loads(done.stdout.splitlines()[-1]))
            cells = [f"{count:,}", f"{prepared:.1f} s", *(f"{row['seconds']:.2f} s" for row in rows)]
            cells += [f"{row['after'] - row['before']:.0f} MiB" for row in rows]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main()
