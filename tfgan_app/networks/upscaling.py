"""What the networks that enlarge images share at their ends."""

from __future__ import annotations

from collections.abc import Sequence

from keras import layers

from tfgan_app.layers import BicubicUpsampling

STAGES = {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2), 16: (2, 2, 2, 2)}
"""Scale -> factor of each step in which the features are enlarged."""

TRAINED_SCALES = (2, 3, 4, 8)
"""Those that the networks are built for by default; imported ones have others too."""


def enlargement_stages(scale: int, scales: Sequence[int] = TRAINED_SCALES) -> tuple[int, ...]:
    """The factors by which features are enlarged, one step after another.

    Args:
        scale: By which height and width of the image grow.
        scales: Those that the network has, keys of `STAGES`.

    Returns:
        Factors whose product is `scale`.

    Raises:
        ValueError: For a scale that the networks do not have.
    """
    if scale not in scales:
        *first, last = map(str, scales)
        raise ValueError(f"`scale` must be {', '.join(first)} or {last}. Received: scale={scale}.")
    return STAGES[scale]


def enlarge_bicubic(image, scale: int):
    """The input image enlarged, in float32: where training starts from."""
    return BicubicUpsampling(scale, dtype="float32", name="enlarged")(image)


def image_from_features(x, channels: int, kernel_px: int = 3):
    """The last convolution, which starts at zero: what the network adds to the enlarged image."""
    return layers.Conv2D(channels, kernel_px, padding="same", kernel_initializer="zeros", name="to_image")(x)
