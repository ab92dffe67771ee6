"""Adversarial losses of the generator and the discriminator, as functions of logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops


@dataclass(frozen=True)
class AdversarialLoss:
    """A pair of losses over logits of any shape; high logits say "real".

    Attributes:
        generator: `(fake_logits, real_logits) -> scalar`; `real_logits` is `None` unless `relativistic`.
        discriminator: `(real_logits, fake_logits, real_label) -> scalar`, where `real_label` is 1, or less
            for one-sided label smoothing (Salimans et al. 2016, arXiv:1606.03498, section 3.4).
        threshold: The logit between "fake" and "real"; `None` where only the difference of a real and a
            fake image's logits means something.
        relativistic: Whether the generator's loss needs the logits of real images too.
        takes_label: Whether `real_label` may be other than 1.
    """

    generator: Callable
    discriminator: Callable
    threshold: float | None = 0.0
    relativistic: bool = False
    takes_label: bool = False

    def accuracies(self, real_logits, fake_logits):
        """Shares of real and of fake images that are classified correctly: two float32 scalars in [0, 1].

        Without a threshold both are the share of pairs whose real image has the higher logit.
        """
        if self.threshold is None:
            pairs = _share(real_logits > fake_logits)
            return pairs, pairs
        return _share(real_logits > self.threshold), _share(fake_logits <= self.threshold)


def _share(truths):
    return ops.mean(ops.cast(truths, "float32"))


def sigmoid_cross_entropy(logits, label: float):
    """Mean binary cross-entropy of `sigmoid(logits)` against one constant label, in the stable form.

    `softplus(-z) + (1 - label) * z`, since `-log sigmoid(z) = softplus(-z)` and
    `-log(1 - sigmoid(z)) = softplus(-z) + z`.
    """
    logits = ops.cast(logits, "float32")
    return ops.mean(ops.softplus(-logits) + (1.0 - label) * logits)


def cross_entropy_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`-log D(x) - log(1 - D(G(z)))`: Goodfellow et al. 2014, arXiv:1406.2661, equation 1."""
    return sigmoid_cross_entropy(real_logits, real_label) + sigmoid_cross_entropy(fake_logits, 0.0)


def minimax_generator_loss(fake_logits, real_logits=None):
    """`log(1 - D(G(z)))`: Goodfellow et al. 2014, arXiv:1406.2661, equation 1. Flat where D is certain."""
    del real_logits
    return -sigmoid_cross_entropy(fake_logits, 0.0)


def non_saturating_generator_loss(fake_logits, real_logits=None):
    """`-log D(G(z))`: Goodfellow et al. 2014, arXiv:1406.2661, section 3."""
    del real_logits
    return sigmoid_cross_entropy(fake_logits, 1.0)


def least_squares_generator_loss(fake_logits, real_logits=None):
    """`(D(G(z)) - 1)^2`: LSGAN, Mao et al. 2017, arXiv:1611.04076, equation 9."""
    del real_logits
    return ops.mean(ops.square(ops.cast(fake_logits, "float32") - 1.0))


def least_squares_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`(D(x) - 1)^2 + D(G(z))^2`: LSGAN, arXiv:1611.04076, equation 9 without its factor 1/2."""
    real = ops.mean(ops.square(ops.cast(real_logits, "float32") - real_label))
    return real + ops.mean(ops.square(ops.cast(fake_logits, "float32")))


def critic_generator_loss(fake_logits, real_logits=None):
    """`-D(G(z))`: Arjovsky et al. 2017, arXiv:1701.07875, equation 2; also that of the hinge loss."""
    del real_logits
    return -ops.mean(ops.cast(fake_logits, "float32"))


def hinge_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`max(0, 1 - D(x)) + max(0, 1 + D(G(z)))`.

    Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957, equation 16.
    """
    del real_label
    real = ops.mean(ops.relu(1.0 - ops.cast(real_logits, "float32")))
    return real + ops.mean(ops.relu(1.0 + ops.cast(fake_logits, "float32")))


def wasserstein_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`D(G(z)) - D(x)`: Arjovsky et al. 2017, arXiv:1701.07875, equation 2.

    It needs a Lipschitz bound, such as a gradient penalty or spectral normalization.
    """
    del real_label
    return ops.mean(ops.cast(fake_logits, "float32")) - ops.mean(ops.cast(real_logits, "float32"))


def relativistic_generator_loss(fake_logits, real_logits):
    """`softplus(D(x) - D(G(z)))` over pairs: RpGAN.

    Jolicoeur-Martineau 2018, arXiv:1807.00734; Huang et al. 2024, arXiv:2501.05441, equation 2.
    """
    return ops.mean(ops.softplus(ops.cast(real_logits, "float32") - ops.cast(fake_logits, "float32")))


def relativistic_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`softplus(D(G(z)) - D(x))` over pairs: as `relativistic_generator_loss`, the other way around."""
    del real_label
    return relativistic_generator_loss(real_logits, fake_logits)


def relativistic_average_generator_loss(fake_logits, real_logits):
    """`-log s(D(G(z)) - E[D(x)]) - log(1 - s(D(x) - E[D(G(z))]))`: RaGAN, means over the batch (of a replica).

    Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4.2; ESRGAN, Wang et al. 2018, arXiv:1809.00219, equation 2.
    """
    return _relativistic_average(fake_logits, real_logits)


def relativistic_average_discriminator_loss(real_logits, fake_logits, real_label: float = 1.0):
    """`-log s(D(x) - E[D(G(z))]) - log(1 - s(D(G(z)) - E[D(x)]))`: arXiv:1809.00219, equation 1."""
    return _relativistic_average(real_logits, fake_logits, label=real_label)


def _relativistic_average(higher, lower, *, label: float = 1.0):
    """Cross-entropy of each side's logits less the other side's mean."""
    higher, lower = ops.cast(higher, "float32"), ops.cast(lower, "float32")
    return sigmoid_cross_entropy(higher - ops.mean(lower), label) + sigmoid_cross_entropy(lower - ops.mean(higher), 0.0)


MINIMAX = AdversarialLoss(minimax_generator_loss, cross_entropy_discriminator_loss, takes_label=True)

NON_SATURATING = AdversarialLoss(non_saturating_generator_loss, cross_entropy_discriminator_loss, takes_label=True)

LEAST_SQUARES = AdversarialLoss(
    least_squares_generator_loss, least_squares_discriminator_loss, threshold=0.5, takes_label=True
)

HINGE = AdversarialLoss(critic_generator_loss, hinge_discriminator_loss)

WASSERSTEIN = AdversarialLoss(critic_generator_loss, wasserstein_discriminator_loss, threshold=None)

RELATIVISTIC = AdversarialLoss(
    relativistic_generator_loss, relativistic_discriminator_loss, threshold=None, relativistic=True
)

RELATIVISTIC_AVERAGE = AdversarialLoss(
    relativistic_average_generator_loss,
    relativistic_average_discriminator_loss,
    threshold=None,
    relativistic=True,
    takes_label=True,
)
