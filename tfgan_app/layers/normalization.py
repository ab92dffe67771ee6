"""Normalization by name, for networks that offer a choice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras

from tfgan_app.layers.fused_normalization import BatchNormalization, InstanceNormalization

NORMALIZATIONS = ("none", "instance", "batch")


def build_normalization(name: str) -> keras.layers.Layer | None:
    """Builds one normalization layer over `[batch, height, width, channels]`.

    Args:
        name: `"none"`; `"instance"` (Ulyanov et al. 2016, arXiv:1607.08022); or `"batch"` (Ioffe & Szegedy 2015,
            arXiv:1502.03167) with momentum 0.9: Keras' default of 0.99 leaves wrong moving statistics after short
            trainings.

    Returns:
        A new layer, or `None` for `"none"`.

    Raises:
        ValueError: For an unknown name.
    """
    if name == "none":
        return None
    if name == "instance":
        return InstanceNormalization(epsilon=1e-5)
    if name == "batch":
        return BatchNormalization(momentum=0.9, epsilon=1e-5)
    raise ValueError(f"`normalization` must be one of {', '.join(NORMALIZATIONS)}. Received: {name!r}.")


def spectral(enabled: bool) -> Callable[[keras.layers.Layer], keras.layers.Layer]:
    """A function that wraps a layer in spectral normalization, or leaves it alone.

    Miyato et al. 2018, arXiv:1802.05957, as `keras.layers.SpectralNormalization`, which deviates: it divides the
    kernel itself in every training call, and no gradient passes through the norm.

    Args:
        enabled: Whether it wraps.
    """
    # Keras' wrapper writes the normalized kernel back in its own precision: anything but float32 would round
    # the weights themselves at each step. The wrapped layer still computes in its own.
    return partial(keras.layers.SpectralNormalization, dtype="float32") if enabled else lambda layer: layer
