"""What the networks that enlarge pictures share at their ends."""

from __future__ import annotations

from keras import layers

from tfgan_app.layers import BicubicUpsampling

STAGES = {2: (2,), 3: (3,), 4: (2, 2)}
"""Scale -> factor of each step in which the features are enlarged."""


def enlargement_stages(scale: int) -> tuple[int, ...]:
    """The factors by which features are enlarged, one step after another.

    Args:
        scale: by which height and width of the picture grow.

    Returns:
        Factors whose product is `scale`.

    Raises:
        ValueError: for a scale that the networks do not have.
    """
    if scale not in STAGES:
        raise ValueError(f"`scale` must be 2, 3 or 4. Received: scale={scale}.")
    return STAGES[scale]


def enlarge_bicubic(image, scale: int):
    """The input picture enlarged, in float32: where training starts from."""
    return BicubicUpsampling(scale, dtype="float32", name="enlarged")(image)


def picture_from_features(x, channels: int, kernel_px: int = 3):
    """The last convolution, which starts at zero: what the network adds to the enlarged picture."""
    return layers.Conv2D(channels, kernel_px, padding="same", kernel_initializer="zeros", name="to_image")(x)
