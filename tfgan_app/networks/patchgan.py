"""The patch discriminator of pix2pix, by receptive field."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import build_normalization, spectral

RECEPTIVE_FIELDS = {16: 1, 34: 2, 70: 3, 286: 5}
"""Receptive field in pixels -> number of convolutions of stride 2."""


def smallest_image_px(receptive_field: int) -> int:
    """Smallest height and width that leave one logit after the halvings and the last two convolutions."""
    return 3 * 2 ** RECEPTIVE_FIELDS[receptive_field]


def build_patchgan(
    *,
    receptive_field: int,
    condition_channels: int = 3,
    image_channels: int = 3,
    width: int = 64,
    normalization: str = "none",
    spectral_norm: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Builds a PatchGAN: one real/fake logit for each patch of `receptive_field` pixels.

    Isola et al. 2017, arXiv:1611.07004, section 6.1.2: 4 x 4 convolutions, leaky ReLU, widths
    64-128-256-512; spectral normalization after Miyato et al. 2018, arXiv:1802.05957. Deviation: no
    normalization by default (the paper: batch).

    Args:
        receptive_field: 16, 34, 70 or 286 pixels; see `smallest_image_px` for the images it takes.
        condition_channels: Channels of the condition (the input image); 0 for a discriminator without one.
        image_channels: Channels of the image.
        width: Channels after the first convolution; doubled up to eightfold.
        normalization: `"none"`, `"instance"` or `"batch"`.
        spectral_norm: Wraps every convolution in spectral normalization.
        name: Name of the model.

    Returns:
        The discriminator of `[condition, image]`, or of `image` alone.

    Raises:
        ValueError: For a receptive field that the architecture does not have.
    """
    if receptive_field not in RECEPTIVE_FIELDS:
        fields = ", ".join(map(str, RECEPTIVE_FIELDS))
        raise ValueError(f"`receptive_field` must be one of {fields}. Received: {receptive_field}.")

    wrap = spectral(spectral_norm)

    def convolve(x, channels, strides, **options):
        x = layers.ZeroPadding2D(1)(x) if strides == 1 else x
        layer = layers.Conv2D(channels, 4, strides, padding="valid" if strides == 1 else "same", **options)
        return wrap(layer)(x)

    inputs = image = keras.Input((None, None, image_channels), name="image")
    x = image
    if condition_channels:
        inputs = [keras.Input((None, None, condition_channels), name="condition"), image]
        x = layers.Concatenate()(inputs)
    halvings = RECEPTIVE_FIELDS[receptive_field]
    x = layers.LeakyReLU(0.2)(convolve(x, width, 2))
    for level in range(1, halvings + 1):
        x = convolve(x, width * min(2**level, 8), 2 if level < halvings else 1)
        normalize = build_normalization(normalization)
        x = normalize(x) if normalize else x
        x = layers.LeakyReLU(0.2)(x)
    x = convolve(x, 1, 1, name="to_logits")
    outputs = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name=name)
