"""Images per second of `generate`'s train step against a bare hand-written one, with and without penalties.

python tests/benchmarks/generate_speed.py [--architectures dcgan r3gan] [--batch 64] [--size 28]

Same networks (the default recipe's widths, or the architecture's own), latents, batch and precision on both sides;
rounds alternate and the best of each counts.
"""

from __future__ import annotations

import argparse

import keras
import numpy as np
import tensorflow as tf
from step_speed import best_seconds

from tfgan_app.losses import ADVERSARIAL_LOSSES, GRADIENT_PENALTIES
from tfgan_app.networks import IMAGE_DISCRIMINATORS, NOISE_GENERATORS
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.optimizers import build_optimizer
from tfgan_app.training.task import GeneratorOutputs, Networks, Objective

LATENTS = 64
WAYS = {"no penalty": (), "R1": ("r1",), "WGAN-GP": ("wgan_gp",)}
WIDTHS = {"dcgan": {"width": 32}}


def main():
    """Prints a row for each architecture, precision and penalty."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", choices=NOISE_GENERATORS, default=["dcgan", "r3gan"])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=28)
    parser.add_argument("--precisions", nargs="+", default=["float32", "mixed_bfloat16"])
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    batch = {
        "image": tf.constant(rng.uniform(-1, 1, (args.batch, args.size, args.size, 1)), tf.float32),
        "latents": tf.constant(rng.standard_normal((args.batch, LATENTS)), tf.float32),
        "position": tf.range(args.batch, dtype=tf.int64),
    }
    for name in args.architectures:
        for precision in args.precisions:
            for way, penalties in WAYS.items():
                steps = {
                    "trainer": build_trainer_step(name, precision, penalties, batch),
                    "bare": build_bare_step(name, precision, penalties, batch),
                }
                trainer, bare = (args.batch / seconds for seconds in best_seconds(steps).values())
                print(
                    f"{name:8} {args.size} px, batch {args.batch}, {precision:14} {way:11} trainer {trainer:7.0f} "
                    f"images/s   bare {bare:7.0f}   trainer/bare {trainer / bare:.3f}",
                    flush=True,
                )


def build_networks(name: str, precision: str, batch: dict) -> Networks:
    """Both players under a precision policy."""
    keras.config.set_dtype_policy(precision)
    shared = {"size_px": batch["image"].shape[1], "channels": 1, **WIDTHS.get(name, {})}
    options = {"normalization": "none"} if name == "dcgan" else {}
    networks = Networks(
        {"generator": NOISE_GENERATORS[name](latent_dim=LATENTS, **shared)},
        {"discriminator": IMAGE_DISCRIMINATORS[name](**shared, **options)},
    )
    keras.config.set_dtype_policy("float32")
    return networks


def build_trainer_step(name: str, precision: str, penalties: tuple, batch: dict):
    """This package's trainer, compiled as `fit` compiles it."""

    def forward(networks, batch, training):
        fake = networks.generators["generator"](batch["latents"], training=training)
        return GeneratorOutputs({"discriminator": (batch["image"], fake, None)})

    trainer = AdversarialTrainer(
        build_networks(name, precision, batch),
        build_networks(name, "float32", batch),
        objective=Objective(
            ADVERSARIAL_LOSSES["non_saturating"], penalties=tuple((GRADIENT_PENALTIES[key], 1.0) for key in penalties)
        ),
        forward=forward,
        global_batch_size=len(batch["image"]),
    )
    players = [build_optimizer(learning_rate=1e-3, schedule_steps=10_000, beta_1=0.0, beta_2=0.99) for _ in range(2)]
    trainer.compile(generator_optimizer=players[0], discriminator_optimizer=players[1], jit_compile=False)
    trainer.make_train_function()
    endless = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: trainer.train_function(endless)


def build_bare_step(name: str, precision: str, penalties: tuple, batch: dict):
    """The shortest step one would write by hand: no averaged weights, no metrics, no guards."""
    networks = build_networks(name, precision, batch)
    generator, discriminator = networks.generators["generator"], networks.discriminators["discriminator"]
    players = [keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99) for _ in range(2)]
    for optimizer, model in zip(players, (generator, discriminator), strict=True):
        optimizer.build(model.trainable_variables)
    loss = ADVERSARIAL_LOSSES["non_saturating"]

    @tf.function
    def step(iterator):
        batch = next(iterator)
        real = batch["image"]
        with tf.GradientTape() as generator_tape:
            fake = generator(batch["latents"], training=True)
            with generator_tape.stop_recording(), tf.GradientTape() as tape:
                judged = real
                if "wgan_gp" in penalties:
                    judged = real + tf.random.uniform([len(real), 1, 1, 1]) * (tf.stop_gradient(fake) - real)
                with tf.GradientTape() as inner:
                    inner.watch(judged)
                    logits = discriminator(judged, training=True)
                    summed = tf.reduce_sum(logits)
                real_logits = discriminator(real, training=True) if "wgan_gp" in penalties else logits
                fake_logits = discriminator(tf.stop_gradient(fake), training=True)
                total = loss.discriminator(real_logits, fake_logits, 1.0)
                for key in penalties:
                    total += GRADIENT_PENALTIES[key].of(inner.gradient(summed, judged))
            variables = discriminator.trainable_variables
            with generator_tape.stop_recording():
                gradients = tape.gradient(total, variables)
                players[1].apply_gradients(zip(gradients, variables, strict=True))
            generator_loss = loss.generator(discriminator(fake, training=True))
        variables = generator.trainable_variables
        players[0].apply_gradients(zip(generator_tape.gradient(generator_loss, variables), variables, strict=True))
        return generator_loss, total

    endless = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: step(endless)


if __name__ == "__main__":
    main()
