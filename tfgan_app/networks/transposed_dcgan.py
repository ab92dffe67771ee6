"""The generator of DCGAN with transposed convolutions only, as in PyTorch's tutorial."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers


def build_transposed_dcgan(
    *,
    latent_dim: int = 100,
    widths: Sequence[int] = (512, 256, 128, 64),
    channels: int = 3,
    use_bias: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Builds 4 x 4 transposed convolutions, the first of stride 1 on one pixel, the others of stride 2.

    "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks", Radford et al. 2016,
    arXiv:1511.06434. `dcgan` is our variant for training.

    Args:
        latent_dim: Size of the latent vector.
        widths: Channels after each convolution but the last; the image has `4 * 2**len(widths)` pixels a side.
        channels: Channels of the image.
        use_bias: Whether the convolutions have biases.
        name: Name of the model.

    Returns:
        Model from `latents` float32 `[batch, latent_dim]` to float32 `[batch, size, size, channels]` in [-1, 1].
    """
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Reshape((1, 1, latent_dim))(latents)
    for level, width in enumerate(widths):
        options = {"strides": 2, "padding": "same"} if level else {}
        x = layers.Conv2DTranspose(width, 4, use_bias=use_bias, name=f"up_{level}", **options)(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"up_{level}_norm")(x)
        x = layers.ReLU()(x)
    last = layers.Conv2DTranspose(channels, 4, 2, padding="same", use_bias=use_bias, name="to_image")
    return keras.Model(latents, layers.Activation("tanh", dtype="float32", name="output")(last(x)), name=name)
