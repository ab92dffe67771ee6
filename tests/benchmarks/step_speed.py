"""Images per second of the train step: this trainer against a bare hand-written `tf.function`, in one run.

python tests/benchmarks/step_speed.py [--sizes 64] [--batches 1 4 16] [--generators residual_unet unet]

Same networks, batch, precision and augmentation-free data on both sides; rounds alternate and the best of each
counts, so that a busy moment of the machine hits neither side alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.losses import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES
from tfgan_app.networks import DISCRIMINATORS, GENERATORS
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.optimizers import build_optimizer
from tfgan_app.training.task import GeneratorOutputs, Networks, Objective

ROUNDS = 5


def build_networks(args, precision: str, size: int) -> Networks:
    """The generator and discriminator under a precision policy."""
    keras.config.set_dtype_policy(precision)
    options = {"depth": min(8, size.bit_length() - 1)} if args.generator == "unet" else {}
    networks = Networks(
        {"generator": GENERATORS[args.generator](**options)}, {"discriminator": DISCRIMINATORS[args.discriminator]()}
    )
    keras.config.set_dtype_policy("float32")
    return networks


def build_trainer_step(args, precision: str, size: int, batch: dict):
    """This package's trainer, compiled as `fit` compiles it."""

    def forward(networks, batch, training):
        output = networks.generators["generator"](batch["input"], training=training)
        l1 = RECONSTRUCTION_LOSSES["l1"](batch["target"], output)
        return GeneratorOutputs({"discriminator": (batch["target"], output, batch["input"])}, {"l1": l1})

    trainer = AdversarialTrainer(
        build_networks(args, precision, size),
        build_networks(args, "float32", size),
        objective=Objective(ADVERSARIAL_LOSSES["non_saturating"], auxiliary_weights={"l1": 100.0}),
        forward=forward,
        global_batch_size=len(batch["input"]),
    )
    optimizers = [build_optimizer(learning_rate=2e-4, schedule_steps=1000) for _ in range(2)]
    trainer.compile(generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1], jit_compile=False)
    trainer.make_train_function()
    endless = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: trainer.train_function(endless)


def build_bare_step(args, precision: str, size: int, batch: dict):
    """The shortest step one would write by hand: no averaged weights, no metrics, no guards."""
    networks = build_networks(args, precision, size)
    generator, discriminator = networks.generators["generator"], networks.discriminators["discriminator"]
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    optimizers[0].build(generator.trainable_variables)
    optimizers[1].build(discriminator.trainable_variables)
    loss = ADVERSARIAL_LOSSES["non_saturating"]

    @tf.function
    def step(iterator):
        batch = next(iterator)
        source, real = batch["input"], batch["target"]
        with tf.GradientTape() as generator_tape:
            fake = generator(source, training=True)
            with generator_tape.stop_recording(), tf.GradientTape() as tape:
                real_logits = discriminator([source, real], training=True)
                fake_logits = discriminator([source, tf.stop_gradient(fake)], training=True)
                discriminator_loss = loss.discriminator(real_logits, fake_logits, 1.0)
            variables = discriminator.trainable_variables
            with generator_tape.stop_recording():
                gradients = tape.gradient(discriminator_loss, variables)
                optimizers[1].apply_gradients(zip(gradients, variables, strict=True))
            adversarial = loss.generator(discriminator([source, fake], training=True))
            generator_loss = adversarial + 100.0 * tf.reduce_mean(tf.abs(real - fake))
        variables = generator.trainable_variables
        optimizers[0].apply_gradients(zip(generator_tape.gradient(generator_loss, variables), variables, strict=True))
        return generator_loss, discriminator_loss

    endless = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: step(endless)


def best_seconds(steps: dict) -> dict[str, float]:
    """Best seconds a step of each side, measured in alternating rounds of about a second."""
    for step in steps.values():
        for _ in range(3):
            step()
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start, count = time.perf_counter(), 0
            while time.perf_counter() - start < 1.5 or count < 3:
                began = time.perf_counter()
                step()
                best[name] = min(best[name], time.perf_counter() - began)
                count += 1
    return best


def main():
    """Prints one row for each size, batch and precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--generator", default="residual_unet", choices=GENERATORS)
    parser.add_argument("--discriminator", default="patchgan_34", choices=DISCRIMINATORS)
    parser.add_argument("--precisions", nargs="+", default=["float32", "mixed_bfloat16"])
    args = parser.parse_args()
    gpus = tf.config.list_physical_devices("GPU")
    device = gpus[0].name if gpus else f"CPU {platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"device: {device}; TensorFlow {tf.__version__}; {args.generator} + {args.discriminator}")
    for size in args.sizes:
        for batch_size in args.batches:
            speeds = {}
            for precision in args.precisions:
                rng = np.random.default_rng(0)
                images = rng.uniform(-1, 1, (2, batch_size, size, size, 3)).astype(np.float32)
                batch = {"input": images[0], "target": images[1], "position": np.arange(batch_size)}
                seconds = best_seconds(
                    {
                        "trainer": build_trainer_step(args, precision, size, batch),
                        "bare": build_bare_step(args, precision, size, batch),
                    }
                )
                speeds[precision], bare = (batch_size / seconds[side] for side in ("trainer", "bare"))
                print(
                    f"{size} px, batch {batch_size}, {precision:14}  trainer {speeds[precision]:7.2f} images/s   "
                    f"bare {bare:7.2f}   trainer/bare {speeds[precision] / bare:.3f}",
                    flush=True,
                )
                keras.backend.clear_session()
            if len(speeds) == 2:
                slow, fast = speeds.values()
                print(f"{size} px, batch {batch_size}: {args.precisions[1]} / {args.precisions[0]} = {fast / slow:.2f}")


if __name__ == "__main__":
    main()
