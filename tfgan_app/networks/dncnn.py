"""DnCNN and FFDNet: plain stacks of convolutions for denoising."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import ConstantChannel, CropLike, PadToMultiple, PixelShuffle, PixelUnshuffle


def build_dncnn(
    *,
    channels: int = 1,
    width: int = 64,
    depth: int = 17,
    normalization: bool = False,
    epsilon: float = 1e-4,
    middle_bias: bool = True,
    noise: float | None = None,
    unshuffle: int = 1,
    residual: bool = True,
    name: str = "generator",
) -> keras.Model:
    """Builds a stack of convolutions with ReLU between them.

    DnCNN: "Beyond a Gaussian Denoiser", Zhang et al. 2017, arXiv:1608.03981, whose output is subtracted from the image.
        With
    `noise`, and `unshuffle=2, residual=False`, FFDNet: Zhang et al. 2018, arXiv:1710.04026.

    Args:
        channels: Channels of the image.
        width: Channels of the features.
        depth: Number of convolutions.
        normalization: Whether batch normalization follows all but the first and the last.
        epsilon: Epsilon of the batch normalization.
        middle_bias: Whether the convolutions before a normalization have biases.
        noise: Standard deviation of the noise in images in [0, 1], appended as an input channel; None for a
            network without it.
        unshuffle: Pixels along each axis that are moved to channels first.
        residual: Whether the output is subtracted from the image, rather than being the image.
        name: Name of the model.

    Returns:
        Model from `image` float32 `[batch, height, width, channels]` to float32 of the same shape, linear.
    """
    image = keras.Input((None, None, channels), name="image")
    x = image
    if unshuffle > 1:
        x = PixelUnshuffle(unshuffle)(PadToMultiple(unshuffle, fill="edge", name="pad")(x))
    x = x if noise is None else ConstantChannel(noise, name="noise")(x)
    for index in range(depth - 1):
        biased = middle_bias or not normalization or index == 0
        x = layers.Conv2D(width, 3, padding="same", use_bias=biased, name=f"conv_{index}")(x)
        if normalization and index:
            x = layers.BatchNormalization(momentum=0.9, epsilon=epsilon, name=f"norm_{index}")(x)
        x = layers.ReLU()(x)
    last = layers.Conv2D(channels * unshuffle**2, 3, padding="same", use_bias=middle_bias, name=f"conv_{depth - 1}")
    x = last(x)
    if unshuffle > 1:
        x = CropLike(name="crop")([PixelShuffle(unshuffle)(x), image])
    if residual:
        x = layers.Subtract(dtype="float32", name="cleaned")([image, x])
    return keras.Model(image, layers.Activation("linear", dtype="float32", name="output")(x), name=name)
