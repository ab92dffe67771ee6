"""Imported models against the runtimes that they come from, and through each export: the table of the documentation.

python tests/benchmarks/import_parity.py [--oracle PYTHON] [--cases esrgan_old srvgg_x4 ...] [--weights FILE ...]

`--oracle` names a Python with `torch`, `spandrel` and `ncnn`. `--cases` (default: all) are networks of random weights,
made there; `--weights` are files of a user's, of which ncnn's are run by ncnn too. The PSNR of `int8` is that against
the float model on the bundled photographs, in dB. The time is that of one core a pixel of output by LiteRT, in floats
and in integers, as a multiple of the shipped `upscale_x4`'s, which is run in turn with it: the best of some rounds.
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

from tfgan_app.commands.export_source import photographs
from tfgan_app.export import export_model
from tfgan_app.importers import Imported, ImportOptions, import_weights
from tfgan_app.keras_info import model_info
from tfgan_app.lite import LiteModel

FORMATS = ("saved_model", "tflite")
REFERENCE = Path(__file__).parents[2] / "exported_models" / "upscale_x4.tflite"
CROP_PX = 96
ROUNDS = 5


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
        "| file | architecture | largest error | exports | int8, dB | time | in int8 |\n|---|---|---|---|---|---|---|",
        flush=True,
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
    error = f"{max(errors):.1e}" if errors else "-"
    with tempfile.TemporaryDirectory() as folder:
        passed, psnr, times = exports(imported, Path(folder))
    architecture = f"{imported.architecture}: {imported.details}"
    return f"| {name} | {architecture} | {error} | {', '.join(passed)} | {psnr} | {' | '.join(times)} |"


def exports(imported: Imported, folder: Path) -> tuple[list[str], str, list[str]]:
    """The formats that pass the check of an export, the PSNR in 8-bit integers, and the times of both .tflite files."""
    images = photographs(channels=3)
    noise = model_info(imported.model).kind == "noise"
    options = {
        "held_out": [] if noise else [(image[:CROP_PX, :CROP_PX], None) for image in images["val"]],
        "calibration": [image[:CROP_PX, :CROP_PX] for image in images["train"]],
    }
    passed, psnr, files = [], "-", {}
    for format, quantize in [*((format, "none") for format in FORMATS), ("tflite", "int8")]:
        tile = {} if noise or format == "saved_model" else {"tile_px": CROP_PX}
        asked = {"format": format, "quantize": quantize, "output_dir": folder, "name": "x", **options, **tile}
        try:
            result = export_model(imported.model, **asked)
        except ValueError as error:
            found = re.search(r"PSNR (-?[\d.]+) dB", str(error))
            print(f"{format} {quantize}: {error}"[:300], file=sys.stderr, flush=True)
            psnr = f"refused ({found[1]})" if quantize == "int8" and found else psnr
            continue
        if format == "tflite":
            files[quantize] = result.path
        if quantize == "int8":
            psnr = f"{result.parity.psnr:.1f}"
        else:
            passed.append(format)
    return passed, psnr, [f"{time_ratio(files[each]):.1f}" if each in files else "-" for each in ("none", "int8")]


def time_ratio(path: Path) -> float:
    """Time of one core a pixel of output, as a multiple of the reference's: both the best of some rounds."""
    models, best = [LiteModel(each, threads=1) for each in (REFERENCE, path)], [np.inf, np.inf]
    for _ in range(ROUNDS):
        for index, model in enumerate(models):
            size = (model.card.latent_dim,) if model.card.latent_dim else (CROP_PX, CROP_PX, 3)
            inputs = np.random.default_rng(0).random((1, *size), np.float32)
            start = time.process_time()
            outputs = model(inputs)
            best[index] = min(best[index], (time.process_time() - start) / (outputs.shape[1] * outputs.shape[2]))
    return best[1] / best[0]


if __name__ == "__main__":
    main()
