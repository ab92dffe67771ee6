"""The 25-Gaussian grid: which losses cover all modes of a two-dimensional mixture.

python tests/benchmarks/gaussian_grid.py [--steps 3000] [--seeds 0 1 2]

25 Gaussians of standard deviation 0.05 on the grid {-2, -1, 0, 1, 2}^2; two small dense networks (3 x 128 leaky ReLU)
and 2-dimensional latents, batch 256. 25,000 samples; one within 4 standard deviations of a center belongs to its mode.
"""

from __future__ import annotations

import argparse
import time

import keras
import numpy as np
import tensorflow as tf
from mode_coverage import DISCRIMINATOR_STEPS, LOSS_SETTINGS, coverage

from tfgan_app.losses import ADVERSARIAL_LOSSES, GRADIENT_PENALTIES
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.optimizers import build_optimizer
from tfgan_app.training.task import GeneratorOutputs, Networks, Objective

CENTERS = np.stack(np.meshgrid(np.arange(-2, 3), np.arange(-2, 3)), axis=-1).reshape(25, 2)
SIGMA, BATCH, SAMPLES, LATENTS = 0.05, 256, 25_000, 2


def main():
    """Prints a row for each loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--losses", nargs="+", choices=LOSS_SETTINGS, default=list(LOSS_SETTINGS))
    args = parser.parse_args()
    print(f"{'loss':26} {'modes of 25':>14} {'KL':>14} {'near a mode':>12} {'seconds':>8}")
    for name in args.losses:
        start = time.perf_counter()
        modes, divergences, near = zip(*(measure(name, args.steps, seed) for seed in args.seeds), strict=True)
        seconds = (time.perf_counter() - start) / len(args.seeds)
        print(
            f"{name:26} {' '.join(map(str, modes)):>14} {' '.join(f'{x:.2f}' for x in divergences):>14} "
            f"{' '.join(f'{x:.0%}' for x in near):>12} {seconds:8.0f}",
            flush=True,
        )


def measure(name: str, steps: int, seed: int) -> tuple[int, float, float]:
    """Trains one loss; returns modes covered, KL and the share of samples near a mode."""
    trainer = build_trainer(name, steps=steps, seed=seed)
    trainer.fit(
        build_dataset(seed, BATCH * DISCRIMINATOR_STEPS.get(name, 1)),
        steps_per_epoch=steps,
        epochs=1,
        shuffle=False,
        verbose=0,
    )
    latents = np.random.default_rng(1).standard_normal((SAMPLES, LATENTS)).astype(np.float32)
    points = np.asarray(trainer.averaged.generators["generator"](latents)) * 2.0
    distances = np.linalg.norm(points[:, None] - CENTERS[None], axis=-1)
    nearest = np.where(distances.min(1) <= 4 * SIGMA, distances.argmin(1), -1)
    return *coverage(nearest, 25), float((nearest >= 0).mean())


def build_trainer(name: str, *, steps: int, seed: int) -> AdversarialTrainer:
    """Two dense networks that play for one row of the table."""
    loss, penalties = LOSS_SETTINGS[name]
    keras.utils.set_random_seed(seed)
    objective = Objective(
        ADVERSARIAL_LOSSES[loss], penalties=tuple((GRADIENT_PENALTIES[key], w) for key, w in penalties.items())
    )
    trainer = AdversarialTrainer(
        build_networks(), build_networks(), objective=objective, forward=forward, ema_decay=0.99,
        global_batch_size=BATCH, seed=seed, discriminator_steps=DISCRIMINATOR_STEPS.get(name, 1),
    )  # fmt: skip
    players = [
        build_optimizer(learning_rate=5e-4, schedule="cosine", schedule_steps=steps, beta_1=0.0, beta_2=0.99)
        for _ in range(2)
    ]
    trainer.compile(generator_optimizer=players[0], discriminator_optimizer=players[1], jit_compile=False)
    return trainer


def build_networks() -> Networks:
    """A generator and a discriminator of points, which are halved to lie about [-1, 1]."""
    return Networks({"generator": _dense(LATENTS, 2)}, {"discriminator": _dense(2, 1)})


def _dense(inputs: int, outputs: int) -> keras.Model:
    x = first = keras.Input((inputs,))
    for _ in range(3):
        x = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(128)(x))
    return keras.Model(first, keras.layers.Dense(outputs)(x))


def forward(networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
    """The generator's points beside the real ones."""
    return GeneratorOutputs(
        {
            "discriminator": (
                batch["points"],
                networks.generators["generator"](batch["latents"], training=training),
                None,
            )
        }
    )


def build_dataset(seed: int, count: int) -> tf.data.Dataset:
    """Endless batches of points and latents, functions of (seed, step)."""
    centers = tf.constant(CENTERS, tf.float32)

    def draw(step):
        key = tf.stack([tf.cast(seed, tf.int64), step])
        indices = tf.random.stateless_uniform([count], key, 0, 25, tf.int32)
        noise = tf.random.stateless_normal([count, 2 + LATENTS], key)
        points = (tf.gather(centers, indices) + SIGMA * noise[:, :2]) / 2.0
        return {"points": points, "latents": noise[:, 2:], "position": step * count + tf.range(count, dtype=tf.int64)}

    return tf.data.Dataset.counter().map(draw).prefetch(4)


if __name__ == "__main__":
    main()
