"""Input and output parts of upscaling networks."""

from __future__ import annotations

from collections.abc import Sequence

from keras import layers

from tfgan_app.layers import BicubicUpsampling

STAGES = {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2), 16: (2, 2, 2, 2)}
"""Scale -> enlargement factor of each step."""

TRAINED_SCALES = (2, 3, 4, 8)
"""Scales of the networks by default; imported ones have others too."""


def enlargement_stages(scale: int, scales: Sequence[int] = TRAINED_SCALES) -> tuple[int, ...]:
    """The enlargement factors of the features, step by step.

    Args:
        scale: Factor of height and width.
        scales: Scales of the network, keys of `STAGES`.

    Returns:
        Factors whose product is `scale`.

    Raises:
        ValueError: For an unsupported scale.
    """
    if scale not in scales:
        *first, last = map(str, scales)
        raise ValueError(f"`scale` must be {', '.join(first)} or {last}. Received: scale={scale}.")
    return STAGES[scale]


def enlarge_bicubic(image, scale: int):
    """Enlarges the input image, in float32: the starting point of training."""
    return BicubicUpsampling(scale, dtype="float32", name="enlarged")(image)


def image_from_features(x, channels: int, kernel_px: int = 3):
    """Applies the last convolution, which starts at zero: the residual of the enlarged image."""
    return layers.Conv2D(channels, kernel_px, padding="same", kernel_initializer="zeros", name="to_image")(x)
