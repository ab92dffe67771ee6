"""The standard pix2pix recipe, written from the paper and its TensorFlow tutorial, to measure against.

Isola et al. 2017, arXiv:1611.07004: U-Net with transposed convolutions, batch normalization and dropout; 70 px
PatchGAN with batch normalization; binary cross-entropy + 100 * L1; resize to 286/256 of the size, random crop and
mirror; Adam 2e-4, beta_1 0.5; batch 1; two generator-and-discriminator updates from one forward pass.
"""

from __future__ import annotations

import math
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers

JITTER = 286 / 256


def build_reference_generator(size_px: int) -> keras.Model:
    """The U-Net with log2(size) halvings; widths 64-128-256-512-512-..."""
    init = keras.initializers.RandomNormal(0.0, 0.02)
    depth = int(math.log2(size_px))
    widths = [min(64 * 2**level, 512) for level in range(depth)]
    inputs = keras.Input((size_px, size_px, 3))
    x, skips = inputs, []
    for level, width in enumerate(widths):
        x = layers.Conv2D(width, 4, 2, padding="same", use_bias=False, kernel_initializer=init)(x)
        if level:
            x = layers.BatchNormalization()(x)
        x = layers.LeakyReLU(0.2)(x)
        skips.append(x)
    for position, level in enumerate(reversed(range(depth - 1))):
        x = layers.Conv2DTranspose(widths[level], 4, 2, padding="same", use_bias=False, kernel_initializer=init)(x)
        x = layers.BatchNormalization()(x)
        if position < 3:
            x = layers.Dropout(0.5)(x)
        x = layers.Concatenate()([layers.ReLU()(x), skips[level]])
    outputs = layers.Conv2DTranspose(3, 4, 2, padding="same", activation="tanh", kernel_initializer=init)(x)
    return keras.Model(inputs, outputs)


def build_reference_discriminator(size_px: int) -> keras.Model:
    """The 70 px PatchGAN."""
    init = keras.initializers.RandomNormal(0.0, 0.02)
    condition, image = keras.Input((size_px, size_px, 3)), keras.Input((size_px, size_px, 3))
    x = layers.Concatenate()([condition, image])
    for level, width in enumerate((64, 128, 256)):
        x = layers.Conv2D(width, 4, 2, padding="same", use_bias=False, kernel_initializer=init)(x)
        x = layers.BatchNormalization()(x) if level else x
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Conv2D(512, 4, use_bias=False, kernel_initializer=init)(layers.ZeroPadding2D()(x))
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x))
    return keras.Model([condition, image], layers.Conv2D(1, 4, kernel_initializer=init)(layers.ZeroPadding2D()(x)))


def train_reference(
    inputs: np.ndarray, targets: np.ndarray, *, minutes: float, seed: int = 0
) -> tuple[keras.Model, int]:
    """Trains the recipe for a number of minutes of wall clock, compilation left out.

    Args:
        inputs: uint8 `[count, size, size, 3]`.
        targets: uint8 of the same shape.
        minutes: time to train for.
        seed: seeds weights and order.

    Returns:
        The generator of images in [-1, 1], and the number of steps it was trained for.
    """
    keras.utils.set_random_seed(seed)
    size_px = inputs.shape[1]
    generator, discriminator = build_reference_generator(size_px), build_reference_discriminator(size_px)
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    for optimizer, model in zip(optimizers, (generator, discriminator), strict=True):
        optimizer.build(model.trainable_variables)
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    load_px = round(size_px * JITTER)

    def jitter(pair):
        pair = tf.image.resize(tf.cast(pair, tf.float32), (load_px, load_px), "nearest")
        pair = tf.image.random_flip_left_right(tf.image.random_crop(pair, (size_px, size_px, 6)))
        return pair / 127.5 - 1.0

    @tf.function
    def step(pairs):
        source, real = pairs[..., :3], pairs[..., 3:]
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake = generator(source, training=True)
            real_logits = discriminator([source, real], training=True)
            fake_logits = discriminator([source, fake], training=True)
            generator_loss = entropy(tf.ones_like(fake_logits), fake_logits) + 100.0 * tf.reduce_mean(
                tf.abs(real - fake)
            )
            discriminator_loss = entropy(tf.ones_like(real_logits), real_logits)
            discriminator_loss += entropy(tf.zeros_like(fake_logits), fake_logits)
        for tape, loss, model, optimizer in (
            (generator_tape, generator_loss, generator, optimizers[0]),
            (discriminator_tape, discriminator_loss, discriminator, optimizers[1]),
        ):
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    pairs = tf.data.Dataset.from_tensor_slices(np.concatenate([inputs, targets], axis=-1))
    pairs = pairs.shuffle(len(inputs), seed=seed).repeat().map(jitter).batch(1).prefetch(4)
    iterator = iter(pairs)
    for _ in range(3):
        step(next(iterator))
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < 60.0 * minutes:
        step(next(iterator))
        steps += 1
    return generator, steps
