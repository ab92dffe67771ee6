"""Keras-level models small enough for seconds, and batches for each."""

from __future__ import annotations

import keras
import numpy as np
from tiny_style import build_tiny_encoder

from tfgan_app import models

SIZE_PX = 24
_TRANSLATION = {
    "generator_width": 4,
    "generator_depth": 1,
    "discriminator": "patchgan_16",
    "discriminator_width": 4,
}


def tiny_generator() -> keras.Model:
    """One convolution, with dropout, from images to images."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="hidden")(image)
    x = keras.layers.Dropout(0.1)(x)
    return keras.Model(image, keras.layers.Conv2D(3, 3, padding="same", dtype="float32", activation="tanh")(x))


def tiny_discriminator() -> keras.Model:
    """One convolution of a condition and an image to logits."""
    condition, image = keras.Input((None, None, 3)), keras.Input((None, None, 3))
    x = keras.layers.Concatenate()([condition, image])
    return keras.Model([condition, image], keras.layers.Conv2D(1, 4, 2, dtype="float32")(x))


def tiny_pix2pix(**keywords) -> models.Pix2Pix:
    """The smallest of all, of networks of one's own."""
    return models.Pix2Pix(**{"generator": tiny_generator, "discriminator": tiny_discriminator, **keywords})


def images(count: int = 4, *, size_px: int = SIZE_PX, channels: int = 3, seed: int = 0) -> np.ndarray:
    """float32 `[count, size_px, size_px, channels]` in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, (count, size_px, size_px, channels)).astype(np.float32)


BUILDERS = {
    "pix2pix": lambda: models.Pix2Pix(**_TRANSLATION),
    "cyclegan": lambda: models.CycleGAN(image_size=SIZE_PX, pool_size=3, **_TRANSLATION),
    "cut": lambda: models.CUT(nce_patches=8, nce_dim=8, **_TRANSLATION),
    "fastcut": lambda: models.CUT(method="fastcut", nce_patches=8, nce_dim=8, **_TRANSLATION),
    "style": lambda: models.StyleTransfer(encoder=build_tiny_encoder(), decoder_width=2),
    "gan": lambda: models.GAN(image_size=16, latent_dim=8, generator_width=4, discriminator_width=4, r1_weight=1.0),
    "class_gan": lambda: models.GAN(
        image_size=16, channels=1, classes=3, latent_dim=8, generator_width=4, discriminator_width=4, augmentation="ada"
    ),
    "upscale": lambda: models.SuperResolution(scale=2, generator_size="small"),
    "upscale_gan": lambda: models.SuperResolution(
        scale=2, generator_size="small", stage="gan", discriminator_width=4, sub_pixel_weight=1.0
    ),
    "restore": lambda: models.Restoration(generator_width=4),
    "inpaint": lambda: models.Restoration(degradation=("inpaint",), mask="boxes", generator_width=4),
}
"""Each model, built fresh."""


def data_of(name: str) -> tuple:
    """What `fit` and `evaluate` take: `x`, or `x` and `y`."""
    if name == "gan":
        return (images(size_px=16),)
    if name == "class_gan":
        return images(size_px=16, channels=1), np.array([0, 1, 2, 0])
    if name == "upscale":
        return (images(size_px=32),)
    if name == "upscale_gan":
        return images(size_px=16), images(size_px=32, seed=1)
    if name == "inpaint":
        return (images(),)
    return images(), images(seed=1)


def inputs_of(name: str):
    """What `predict` takes."""
    if name == "gan":
        return np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    if name == "class_gan":
        return [inputs_of("gan"), np.array([0, 1, 2, 0], np.int32)]
    if name == "style":
        return [images(), images(seed=1)]
    return images(channels=4) if name == "inpaint" else images()


METRICS = {
    "pix2pix": {"psnr", "ssim", "l1", "generator_loss", "discriminator_loss", "real_accuracy"},
    "cyclegan": {"cycle", "identity", "change", "generator_loss", "discriminator_loss"},
    "cut": {"nce", "nce_identity", "change", "generator_loss", "discriminator_loss"},
    "fastcut": {"nce", "change", "generator_loss", "discriminator_loss"},
    "style": {"content", "style", "reconstruction", "generator_loss"},
    "gan": {"diversity", "generator_loss", "discriminator_loss", "fake_accuracy"},
    "class_gan": {"diversity", "generator_loss", "discriminator_loss", "fake_accuracy"},
    "upscale": {"psnr", "ssim", "l1", "generator_loss"},
    "upscale_gan": {"psnr", "ssim", "l1", "sub_pixel_bias", "generator_loss", "discriminator_loss"},
    "restore": {"psnr", "ssim", "l1", "generator_loss"},
    "inpaint": {"psnr", "ssim", "l1", "generator_loss"},
}
"""What `evaluate` measures, at least."""
