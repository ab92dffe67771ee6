"""Imported models against the runtimes that they come from, and through each export: the table of the documentation.

python tests/benchmarks/import_parity.py [--oracle PYTHON] [--cases esrgan_old srvgg_x4 ...] [--weights FILE ...]

`--oracle` names a Python with `torch`, `spandrel` and `ncnn`. `--cases` (default: all) are networks of random weights,
made there; `--weights` are files of a user's, of which ncnn's are run by ncnn too. The PSNR of `int8` is that against
the float model on the bundled photographs, in dB; seconds are per megapixel of output, by Keras.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from oracle import PYTHON_VARIABLE, oracle_cases
from torch_oracle import CASES

from tfgan_app.commands.export import photographs
from tfgan_app.export import export_model
from tfgan_app.importers import Imported, ImportOptions, import_weights
from tfgan_app.keras_info import model_info

FORMATS = ("saved_model", "tflite", "web", "keras")
CROP_PX = 96
TIMED_PX = 128
ROUNDS = 3


def main():
    """Prints a row for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", default=os.environ.get(PYTHON_VARIABLE), metavar="PYTHON")
    parser.add_argument("--cases", nargs="*", default=[], choices=CASES)
    parser.add_argument("--weights", nargs="*", default=[], type=Path, metavar="FILE")
    args = parser.parse_args()
    if args.oracle:
        os.environ[PYTHON_VARIABLE] = args.oracle
    cases = args.cases if args.cases or args.weights else list(CASES)
    print(
        "| file | architecture | largest error | exports | int8, dB | s / MP |\n|---|---|---|---|---|---|", flush=True
    )
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            pairs = oracle_cases(case, Path(folder), needs=("torch",))
            options = ImportOptions(
                norm="batch" if case.endswith("statistics") else "inference",
                noise_level=25.0 if case in ("fdncnn", "ffdnet", "drunet") else ImportOptions().noise_level,
            )
            print(row(case, import_weights(Path(folder) / "weights.pth", options=options), pairs), flush=True)
    for path in args.weights:
        print(row(path.name, import_weights(path), ncnn_pairs(path)), flush=True)


def ncnn_pairs(path: Path) -> list:
    """What ncnn makes of photographs; nothing for files of other kinds."""
    if path.suffix not in (".param", ".bin"):
        return []
    with tempfile.TemporaryDirectory() as folder:
        return oracle_cases(f"ncnn:{path.with_suffix('')}", Path(folder), needs=("ncnn",))


def row(name: str, imported: Imported, pairs: list) -> str:
    """A row of the table."""
    errors = [np.abs(np.asarray(imported.model(image, training=False)) - expected).max() for image, expected in pairs]
    exported, psnr = exports(imported)
    error = f"{max(errors):.1e}" if errors else "-"
    architecture = f"{imported.architecture}: {imported.details}"
    return f"| {name} | {architecture} | {error} | {exported} | {psnr} | {seconds_per_megapixel(imported):.2f} |"


def exports(imported: Imported) -> tuple[str, str]:
    """The formats that pass the check of an export, and the PSNR in 8-bit integers."""
    images = photographs(channels=3)
    held_out = [(image[:CROP_PX, :CROP_PX], None) for image in images["val"]]
    calibration = [image[:CROP_PX, :CROP_PX] for image in images["train"]]
    passed, psnr = [], "-"
    for format, quantize in [*((format, "none") for format in FORMATS), ("tflite", "int8")]:
        with tempfile.TemporaryDirectory() as folder:
            try:
                options = {"held_out": held_out, "calibration": calibration, "tile_px": None}
                if format in ("tflite", "web"):
                    options["tile_px"] = None if model_info(imported.model).kind == "noise" else CROP_PX
                result = export_model(
                    imported.model, format=format, quantize=quantize, output_dir=folder, name="x", **options
                )
            except ValueError as error:
                found = re.search(r"PSNR (-?[\d.]+) dB", str(error))
                print(f"{format} {quantize}: {error}"[:300], file=sys.stderr, flush=True)
                psnr = f"refused ({found[1]})" if quantize == "int8" and found else psnr
                continue
            if quantize == "int8":
                psnr = f"{result.parity.psnr:.1f}"
            else:
                passed.append(format)
    return ", ".join(passed), psnr


def seconds_per_megapixel(imported: Imported) -> float:
    """Of output, best of some runs."""
    model = imported.model
    shape = (model.inputs[0].shape[1],) if model_info(model).kind == "noise" else (TIMED_PX, TIMED_PX, 3)
    inputs = np.random.default_rng(0).random((1, *shape), np.float32)
    outputs, best = model.predict_on_batch(inputs), np.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        model.predict_on_batch(inputs)
        best = min(best, time.perf_counter() - start)
    return best / (outputs.shape[1] * outputs.shape[2] / 1e6)


if __name__ == "__main__":
    main()
