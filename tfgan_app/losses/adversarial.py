"""Adversarial losses: what the generator and the discriminator minimise, as functions of logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops


@dataclass(frozen=True)
class AdversarialLoss:
    """A pair of losses over logits of any shape; positive logits say "real".

    Attributes:
        generator: `fake_logits -> scalar`.
        discriminator: `(real_logits, fake_logits, real_label) -> scalar`, where `real_label` is 1, or less
            for one-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498, section 3.4).
        threshold: the logit between "fake" and "real".
    """

    generator: Callable
    discriminator: Callable
    threshold: float = 0.0

    def says_real(self, logits):
        """Share of the logits that say "real": float32 scalar in [0, 1]."""
        return ops.mean(ops.cast(logits > self.threshold, "float32"))


def sigmoid_cross_entropy(logits, label: float):
    """Mean binary cross-entropy of `sigmoid(logits)` against one constant label, in the stable form.

    `softplus(-z) + (1 - label) * z`, since `-log sigmoid(z) = softplus(-z)` and
    `-log(1 - sigmoid(z)) = softplus(-z) + z`.
    """
    logits = ops.cast(logits, "float32")
    return ops.mean(ops.softplus(-logits) + (1.0 - label) * logits)


def non_saturating_generator_loss(fake_logits):
    """`-log D(G(z))`: Goodfellow et al. 2014, arXiv:1406.2661, section 3."""
    return sigmoid_cross_entropy(fake_logits, 1.0)


def non_saturating_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`(-log D(x) - log(1 - D(G(z)))) / 2`; halved as in pix2pix, arXiv:1611.07004, section 3.3."""
    real = sigmoid_cross_entropy(real_logits, real_label)
    return 0.5 * (real + sigmoid_cross_entropy(fake_logits, 0.0))


def least_squares_generator_loss(fake_logits):
    """`(D(G(z)) - 1)^2`: LSGAN, Mao et al. 2017, arXiv:1611.04076, equation 9."""
    return ops.mean(ops.square(ops.cast(fake_logits, "float32") - 1.0))


def least_squares_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`((D(x) - 1)^2 + D(G(z))^2) / 2`: LSGAN, arXiv:1611.04076, equation 9."""
    real = ops.mean(ops.square(ops.cast(real_logits, "float32") - real_label))
    return 0.5 * (real + ops.mean(ops.square(ops.cast(fake_logits, "float32"))))


ADVERSARIAL_LOSSES = {
    "non_saturating": AdversarialLoss(non_saturating_generator_loss, non_saturating_discriminator_loss),
    "least_squares": AdversarialLoss(least_squares_generator_loss, least_squares_discriminator_loss, threshold=0.5),
}
