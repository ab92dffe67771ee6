"""Upscalers under LiteRT, as on a phone: seconds per megapixel of output, in float32 and in integers.

python tests/benchmarks/litert_speed.py [--scale 4] [--sizes small medium] [--threads 2] [--side 128]

Fresh networks: the time does not depend on the weights. Best of alternating rounds in one run; `dynamic` keeps weights
as 8-bit integers and quantizes features as it goes, `int8` has both fixed.
"""

from __future__ import annotations

import argparse
import itertools
import time

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfgan_app.networks.compact import ACTIVATIONS, SIZES, build_compact

ROUNDS = 8


def main():
    """Prints a row for each network and precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=4, choices=(2, 3, 4, 8))
    parser.add_argument("--sizes", nargs="+", default=["small", "medium"], choices=SIZES)
    parser.add_argument("--activations", nargs="+", default=["leaky_relu"], choices=ACTIVATIONS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--side", type=int, default=128, help="pixels of the input")
    args = parser.parse_args()
    runners = {}
    for size, activation in itertools.product(args.sizes, args.activations):
        model = build_compact(scale=args.scale, size=size, activation=activation)
        for precision in ("float32", "dynamic", "int8"):
            content = convert(model, precision, side_px=args.side)
            runners[size, activation, precision] = runner(content, args)
            runners[size, activation, precision]()
            weights = f"{model.count_params():,} parameters, {len(content) / 1024:.0f} kB"
            print(f"{size}, {activation}, {precision}: {weights}", flush=True)
    seconds = {key: [] for key in runners}
    for _ in range(ROUNDS):
        for key, run in runners.items():
            start = time.perf_counter()
            run()
            seconds[key].append(time.perf_counter() - start)
    megapixels = (args.side * args.scale) ** 2 / 1e6
    for (size, activation, precision), values in seconds.items():
        print(f"{size:7} {activation:10} {precision:8} {min(values) / megapixels:.3f} s per megapixel of output")


def convert(model: keras.Model, precision: str, *, side_px: int) -> bytes:
    """The network as a LiteRT file."""
    spec = tf.TensorSpec([1, side_px, side_px, 3], tf.float32, name="images")
    function = tf.function(lambda images: model(images, training=False), input_signature=[spec])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], function)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "int8":
        rng = np.random.default_rng(0)
        converter.representative_dataset = lambda: (
            [rng.uniform(-1, 1, spec.shape).astype(np.float32)] for _ in range(8)
        )
    return converter.convert()


def runner(content: bytes, args: argparse.Namespace):
    """A function that runs the network once."""
    interpreter = Interpreter(model_content=content, num_threads=args.threads)
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, args.side, args.side, 3)).astype(np.float32)

    def run():
        interpreter.set_tensor(index, pixels)
        interpreter.invoke()

    return run


if __name__ == "__main__":
    main()
