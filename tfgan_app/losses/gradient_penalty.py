"""Penalties on the gradients of a discriminator's logits with respect to its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from keras import ops


@dataclass(frozen=True)
class GradientPenalty:
    """A penalty and the points at which its gradients are taken.

    Attributes:
        at: `"real"` or `"fake"` images, or `"between"`: points drawn uniformly on the lines between them.
        of: Gradients `[batch, height, width, channels]` -> float32 scalar.
    """

    at: Literal["real", "fake", "between"]
    of: Callable


def squared_norms(gradients):
    """Squared Euclidean norm of each image's gradient, summed in float32: float32 `[batch]`."""
    gradients = ops.cast(gradients, "float32")
    return ops.sum(ops.square(gradients), axis=tuple(range(1, len(gradients.shape))))


def zero_centered(gradients):
    """`|grad D|^2 / 2`: R1 and R2 of Mescheder et al. 2018, arXiv:1801.04406, equation 9, with weight gamma."""
    return 0.5 * ops.mean(squared_norms(gradients))


def one_centered(gradients):
    """`(|grad D| - 1)^2`: Gulrajani et al. 2017, arXiv:1704.00028, equation 3, with weight lambda."""
    # The root's gradient is infinite at zero.
    return ops.mean(ops.square(ops.sqrt(squared_norms(gradients) + 1e-12) - 1.0))


R1 = GradientPenalty("real", zero_centered)

R2 = GradientPenalty("fake", zero_centered)

WGAN_GP = GradientPenalty("between", one_centered)
