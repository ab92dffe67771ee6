"""LiteRT files as on a phone: time by threads, peak memory, size, and which operation takes how long.

python tests/benchmarks/litert_profile.py MODEL.tflite [OTHER.tflite ...] [--threads 1 2] [--side 128]
    [--saved-model exported_models/NAME] [--operations 10]

Times are the best of alternating rounds in one run; peak memory is that of a process of its own for each file (on
Linux). `--saved-model` runs a SavedModel on the same image in the same rounds. For the profile each operation runs
as a model of its own, on random numbers: what the runtime saves by fusing them is missing, so their sum is told beside
the time of the whole.
"""

from __future__ import annotations

import argparse
import collections
import copy
import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

from tfgan_app.lite import LiteModel
from tfgan_app.lite.quiet import native_stderr_hidden

ROUNDS = 8
PROFILE_ROUNDS = 5
WITHOUT_XNNPACK = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES

PEAK_MEMORY = """
import sys
import numpy as np
from tfgan_app.lite import LiteModel

def kilobytes(name):
    # `ru_maxrss` begins with what the parent process took.
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1])

model = LiteModel(sys.argv[1], threads=int(sys.argv[3]))
side = int(sys.argv[2])
before = kilobytes("VmRSS")
model(np.full((1, side, side, model.card.channels), 0.5, np.float32))
print(before, kilobytes("VmHWM"))
"""


def main():
    """Prints a row for each file and number of threads, then a profile of each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--side", type=int, help="pixels of the input; the file's own by default")
    parser.add_argument("--saved-model", type=Path, help="folder of an exported SavedModel to compare with")
    parser.add_argument(
        "--operations", type=int, default=10, help="kinds of operations in the profile; 0 leaves it out"
    )
    args = parser.parse_args()
    sides = {path: side_of(path, args.side) for path in args.models}
    runners: dict[tuple[str, str], Callable] = {}
    for path, side in sides.items():
        for threads in args.threads:
            model = LiteModel(path, threads=threads)
            runners[str(path), str(threads)] = functools.partial(model, random_image(model, side))
    if args.saved_model:
        image = random_image(model, side)
        runners[str(args.saved_model), "all"] = saved_model_runner(args.saved_model, image)
    seconds = time_all(runners)
    print(f"{os.cpu_count()} cores")
    print(f"{'file':48} {'MB':>6} {'input':>5} {'threads':>7} {'ms':>8} {'s/MP out':>8} {'peak MB':>7} {'of model':>8}")
    for (name, threads), best in seconds.items():
        print(row(Path(name), threads, best, side=sides.get(Path(name), side), scale=model.card.scale))
    if args.operations:
        for path in args.models:
            print_profile(path, threads=args.threads[-1], whole=seconds[str(path), str(args.threads[-1])], args=args)


def side_of(path: Path, wanted: int | None) -> int:
    """The size of the images that a file is run on."""
    side = wanted or LiteModel(path).card.tile_px
    if side is None:
        raise SystemExit(f"{path} has no size of its own: give one with --side")
    return side


def random_image(model: LiteModel, side: int) -> np.ndarray:
    """Noise, of the channels that a model takes."""
    return np.random.default_rng(0).random((1, side, side, model.card.channels), np.float32)


def row(path: Path, threads: str, best: float, *, side: int, scale: int) -> str:
    """One line of the table."""
    size = whole = own = float("nan")
    if path.suffix == ".tflite":
        size = path.stat().st_size / 1e6
        whole, own = peak_megabytes(path, side, threads)
    rate = best / ((side * scale) ** 2 / 1e6)
    return f"{path!s:48} {size:6.2f} {side:5} {threads:>7} {best * 1e3:8.1f} {rate:8.3f} {whole:7.0f} {own:8.0f}"


def time_all(runners: dict[tuple[str, str], Callable]) -> dict[tuple[str, str], float]:
    """The best time of each, in seconds, taken in turns."""
    for run in runners.values():
        run()
    best = dict.fromkeys(runners, float("inf"))
    for _ in range(ROUNDS):
        for key, run in runners.items():
            start = time.perf_counter()
            run()
            best[key] = min(best[key], time.perf_counter() - start)
    return best


def saved_model_runner(folder: Path, image: np.ndarray) -> Callable:
    """Calls the `float` signature of a SavedModel."""
    import tensorflow as tf

    version = max((int(path.name) for path in folder.iterdir() if path.name.isdecimal()), default=None)
    loaded = tf.saved_model.load(str(folder if version is None else folder / str(version)))
    signature, images = loaded.signatures["float"], tf.constant(image)
    return lambda: (loaded, signature(images=images)["outputs"].numpy())


def peak_megabytes(path: Path, side: int, threads: str) -> tuple[float, float]:
    """Peak memory of a process that runs a file once, and how much of it came with running."""
    command = [sys.executable, "-c", PEAK_MEMORY, str(path), str(side), threads]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = (int(word) * 1024 / 1e6 for word in done.stdout.split())
    return after, after - before


def print_profile(path: Path, *, threads: int, whole: float, args: argparse.Namespace) -> None:
    """The operations that take longest, by kind and shape of the output."""
    rows = collections.Counter()
    counts = collections.Counter()
    for name, shape, seconds in profile(path.read_bytes(), threads=threads):
        key = f"{name} {'x'.join(map(str, shape))}"
        rows[key] += seconds
        counts[key] += 1
    total = rows.total()
    print(
        f"\n{path.name}, {threads} threads: operations one by one {total * 1e3:.1f} ms, together {whole * 1e3:.1f} ms"
    )
    for key, seconds in rows.most_common(args.operations):
        print(f"  {seconds * 1e3:8.2f} ms {seconds / total:6.1%}  {counts[key]:3} x {key}")


def profile(content: bytes, *, threads: int) -> list[tuple[str, list[int], float]]:
    """Name, shape of the output and best time in seconds of each operation."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    model.signatureDefs, model.metadata = [], []
    rows = []
    with native_stderr_hidden():
        for operator in model.subgraphs[0].operators:
            alone = only(model, operator)
            try:
                shape, best = time_alone(alone, threads=threads)
            except RuntimeError:  # XNNPACK wants constant weights, which those of 16 bits are only together.
                shape, best = time_alone(alone, threads=threads, experimental_op_resolver_type=WITHOUT_XNNPACK)
            name = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
            rows.append((name, shape, best))
    return rows


def time_alone(content: bytes, *, threads: int, **options) -> tuple[list[int], float]:
    """Shape of the output and best time in seconds of a file with one operation."""
    interpreter = Interpreter(model_content=content, num_threads=threads, **options)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for details in interpreter.get_input_details():
        interpreter.set_tensor(details["index"], random_array(details, rng))
    best = float("inf")
    for _ in range(PROFILE_ROUNDS):
        start = time.perf_counter()
        interpreter.invoke()
        best = min(best, time.perf_counter() - start)
    return list(interpreter.get_output_details()[0]["shape"]), best


def only(model, operator) -> bytes:
    """A file with one operation, whose inputs are those of the operation that are no constants."""
    subgraph = copy.copy(model.subgraphs[0])
    subgraph.operators = [operator]
    changing = [index for index in operator.inputs if index >= 0 and not has_data(model, subgraph.tensors[index])]
    subgraph.inputs, subgraph.outputs = np.unique(changing), operator.outputs
    alone = copy.copy(model)
    alone.subgraphs = [subgraph]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(alone))


def has_data(model, tensor) -> bool:
    """Whether a tensor is a constant."""
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def random_array(details: dict, rng: np.random.Generator) -> np.ndarray:
    """Numbers of the kind that an input takes."""
    if np.issubdtype(details["dtype"], np.floating):
        return rng.random(details["shape"]).astype(details["dtype"])
    return rng.integers(0, 100, details["shape"]).astype(details["dtype"])


if __name__ == "__main__":
    main()
