"""The DCGAN of the Keras documentation, written from its description, to measure against.

"DCGAN to generate face images" (keras.io): discriminator of three 4 x 4 convolutions of stride 2 (64, 128, 128) with
leaky ReLU 0.2, dropout 0.2 and a sigmoid; generator of a dense layer, three 4 x 4 transposed convolutions of stride 2
(128, 256, 512) with leaky ReLU 0.2 and a 5 x 5 convolution with a sigmoid; 128 latents, batch 32; binary
cross-entropy with noise of up to 0.05 on the labels, Adam 1e-4 for both, a custom `train_step`. The documentation's
images are 64 px and start from 8 x 8 pixels; here they are 32 px (28 px padded with black) and start from 4 x 4.
"""

from __future__ import annotations

import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers

LATENT_DIM = 128
BATCH = 32


def build_reference_discriminator(channels: int) -> keras.Model:
    """Real (0) or fake (1), as in the documentation."""
    return keras.Sequential(
        [
            keras.Input((32, 32, channels)),
            *(layer for width in (64, 128, 128) for layer in (_down(width), layers.LeakyReLU(negative_slope=0.2))),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def build_reference_generator(channels: int) -> keras.Model:
    """From 128 latents to an image in [0, 1]."""
    return keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(4 * 4 * 128),
            layers.Reshape((4, 4, 128)),
            *(layer for width in (128, 256, 512) for layer in (_up(width), layers.LeakyReLU(negative_slope=0.2))),
            layers.Conv2D(channels, 5, padding="same", activation="sigmoid"),
        ]
    )


def _down(width: int) -> layers.Layer:
    return layers.Conv2D(width, 4, strides=2, padding="same")


def _up(width: int) -> layers.Layer:
    return layers.Conv2DTranspose(width, 4, strides=2, padding="same")


class ReferenceGAN(keras.Model):
    """Both players with the documentation's train step."""

    def __init__(self, channels: int, *, seed: int):
        super().__init__()
        self.discriminator = build_reference_discriminator(channels)
        self.generator = build_reference_generator(channels)
        self.seeds = keras.random.SeedGenerator(seed)

    def compile(self):
        """Adam 1e-4 for both, binary cross-entropy."""
        super().compile()
        self.d_optimizer, self.g_optimizer = (keras.optimizers.Adam(1e-4) for _ in range(2))
        self.loss_fn = keras.losses.BinaryCrossentropy()

    def train_step(self, real_images):
        """The discriminator on a joined batch with noisy labels, then the generator with misleading ones."""
        count = tf.shape(real_images)[0]
        latents = keras.random.normal((count, LATENT_DIM), seed=self.seeds)
        images = tf.concat([self.generator(latents), real_images], axis=0)
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        labels += 0.05 * keras.random.uniform((2 * count, 1), seed=self.seeds)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(images))
        self.d_optimizer.apply(tape.gradient(d_loss, self.discriminator.trainable_weights))
        latents = keras.random.normal((count, LATENT_DIM), seed=self.seeds)
        with tf.GradientTape() as tape:
            g_loss = self.loss_fn(tf.zeros((count, 1)), self.discriminator(self.generator(latents)))
        self.g_optimizer.apply(tape.gradient(g_loss, self.generator.trainable_weights))
        return {"d_loss": d_loss, "g_loss": g_loss}


def train_reference(
    images: np.ndarray, *, minutes: float, seed: int = 0, steps: int | None = None
) -> tuple[ReferenceGAN, int]:
    """Trains the recipe for a number of minutes of wall clock, compilation left out, or for a number of steps.

    Args:
        images: uint8 `[count, 28, 28, channels]` or `[count, 32, 32, channels]`.
        minutes: time to train for, unless steps are given.
        seed: seeds weights, order, latents and label noise.
        steps: steps to train for: as many as fit into the minutes on the same machine when it was quiet.

    Returns:
        The trained model and the number of steps.
    """
    keras.utils.set_random_seed(seed)
    padding = (32 - images.shape[1]) // 2
    images = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    gan = ReferenceGAN(images.shape[-1], seed=seed)
    gan.compile()
    for optimizer, model in ((gan.d_optimizer, gan.discriminator), (gan.g_optimizer, gan.generator)):
        optimizer.build(model.trainable_weights)
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=seed).repeat()
    batches = batches.batch(BATCH).map(lambda x: tf.cast(x, tf.float32) / 255.0).prefetch(4)
    step, iterator = tf.function(gan.train_step), iter(batches)
    for _ in range(3):
        step(next(iterator))
    start, done = time.perf_counter(), 0
    while done < steps if steps else time.perf_counter() - start < 60.0 * minutes:
        step(next(iterator))
        done += 1
    return gan, done


def sample_reference(gan: ReferenceGAN, count: int, *, size_px: int, seed: int) -> np.ndarray:
    """Draws images: uint8 `[count, size_px, size_px, channels]`, the center of what the generator gives."""
    latents = np.random.default_rng(seed).standard_normal((count, LATENT_DIM)).astype(np.float32)
    images = np.concatenate([np.asarray(gan.generator(latents[i : i + 250])) for i in range(0, count, 250)])
    edge = (32 - size_px) // 2
    return np.rint(images[:, edge : edge + size_px, edge : edge + size_px] * 255.0).astype(np.uint8)
