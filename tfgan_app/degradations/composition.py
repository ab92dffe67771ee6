"""Composition of degradations."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import Protocol

import tensorflow as tf

from tfgan_app.degradations.quantization import to_eight_bits


class Degradation(Protocol):
    """A degradation: a pure function of images and of uniform numbers for each image."""

    draws_per_example: int

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Degrades float32 `[batch, height, width, 3]` by draws float32 `[batch, draws_per_example]` in [0, 1)."""


class Compose:
    """Applies degradations in their order, each with separate draws.

    Between them nothing is clipped or rounded, except by a degradation itself. At the end the image is rounded to 8
    bits, like the files of users: a network that is trained on unrounded images learns to undo a blur from
    digits that no file has.

    Args:
        degradations: At least one, in the order of their application.
        finish: Last step; None leaves the result as it is, as benchmarks of denoising do.

    Raises:
        ValueError: If there is no degradation.
    """

    def __init__(
        self, degradations: Items[Degradation], *, finish: Callable[[tf.Tensor], tf.Tensor] | None = to_eight_bits
    ):
        if not degradations:
            raise ValueError("`degradations` must name at least one. Received none.")
        self.degradations = tuple(degradations)
        self.finish = finish
        self.draws_per_example = sum(degradation.draws_per_example for degradation in self.degradations)

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Degrades a batch.

        Args:
            images: float32 `[batch, height, width, 3]` in [0, 1].
            draws: float32 `[batch, draws_per_example]`, uniform in [0, 1).

        Returns:
            float32 `[batch, height, width, 3]`, of another size where a degradation resizes.
        """
        shares = [degradation.draws_per_example for degradation in self.degradations]
        for degradation, own in zip(self.degradations, tf.split(draws, shares, axis=1), strict=True):
            images = degradation(images, own)
        return self.finish(images) if self.finish else images


class RandomApply:
    """Applies a degradation to a random share of the images; the others stay as they are.

    Args:
        degradation: The degradation.
        share: Probability that it is applied to an image, in [0, 1].
    """

    def __init__(self, degradation: Degradation, *, share: float):
        self._degradation = degradation
        self._share = share
        self.draws_per_example = 1 + degradation.draws_per_example

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Degrades float32 `[batch, height, width, 3]` by draws `[batch, draws_per_example]`; a share of them."""
        chosen = draws[:, 0, None, None, None] < self._share
        return tf.where(chosen, self._degradation(images, draws[:, 1:]), images)
