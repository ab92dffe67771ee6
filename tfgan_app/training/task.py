"""Data that a task gives to the trainer: networks, losses, results of a forward pass, and discriminator inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras

UNIT_RANGE = 0.5
"""Mean absolute differences of images in [-1, 1] times this are those of the same images in [0, 1]."""


@dataclass(frozen=True)
class Networks:
    """The players of an adversarial game, by name.

    Attributes:
        generators: Models whose averaged weights are what training is for.
        discriminators: Models that judge real against fake; without any, the auxiliary losses are all there is.
        views: Further models over the generators' weights, which have none of their own, for a task to run.
    """

    generators: dict[str, keras.Model]
    discriminators: dict[str, keras.Model]
    views: dict[str, keras.Model] = field(default_factory=dict)


@dataclass(frozen=True)
class GeneratorOutputs:
    """What one forward pass of the generators offers to the losses.

    Attributes:
        adversarial: Discriminator name -> `(real, fake, condition)`, float images
            `[batch, height, width, channels]` in [-1, 1]; `condition` is `None` where there is none.
        auxiliary: Loss name -> unweighted float32 scalar; the trainer weighs and adds them.
        codes: What the generator was told and a discriminator's second output has to recognize, or `None`.
        monitored: Name -> float32 scalar that is logged and no loss.
        output: The generated images, to be measured; `None` where nothing is measured.
    """

    adversarial: dict[str, tuple[Any, Any, Any]]
    auxiliary: dict[str, Any] = field(default_factory=dict)
    codes: Any = None
    monitored: dict[str, Any] = field(default_factory=dict)
    output: Any = None


@dataclass(frozen=True)
class Objective:
    """What the players minimize.

    Attributes:
        adversarial_loss: An `AdversarialLoss`; `None` where there are no discriminators.
        adversarial_weight: Factor of the adversarial term for the generators.
        discriminator_weight: Factor of the adversarial term for the discriminators.
        auxiliary_weights: Name of each auxiliary loss of the synthesis -> its factor.
        logged_as: Name of an auxiliary loss -> what it is multiplied by in logs, and there alone: `UNIT_RANGE` for
            distances of images in [-1, 1], which are then on the scale of what validation measures.
        real_label: 1, or less for one-sided label smoothing.
        penalties: Each `GradientPenalty` of the discriminators with its weight.
        penalty_every_steps: The penalties are computed in every so many steps, and weigh as many times as much
            there (Karras et al. 2020, arXiv:1912.04958, section 2.2, "lazy regularization").
        code_loss: `(outputs, codes) -> scalar` of a discriminator's second output, which both players minimize.
        code_weight: Its factor.
        monitored: Names of the synthesis' figures that are logged.
    """

    adversarial_loss: Any
    adversarial_weight: float = 1.0
    discriminator_weight: float = 1.0
    auxiliary_weights: dict[str, float] = field(default_factory=dict)
    logged_as: dict[str, float] = field(default_factory=dict)
    real_label: float = 1.0
    penalties: tuple[tuple[Any, float], ...] = ()
    penalty_every_steps: int = 1
    code_loss: Callable | None = None
    code_weight: float = 1.0
    monitored: tuple[str, ...] = ()


@dataclass(frozen=True)
class DiscriminatorInputs:
    """What is done to images before a discriminator judges them.

    Attributes:
        augmentation: `(images, draws, probability) -> images` with `draws_per_example`, applied to real and
            fake images alike, or `None`.
        probability: Of each transform; where it adapts, its start.
        target: Where the share of real images judged right, as `2 * share - 1`, is to stay: the probability
            adapts to keep it there (ADA, Karras et al. 2020, arXiv:2006.06676, section 3.1); `None` keeps it.
        ramp_images: Images over which an adapting probability moves from 0 to 1.
        transformed_real_weight: Above 0, the discriminator sees images as they are, and augmented real ones
            are a further term of this weight that it has to judge real.
        noise_sigma: Standard deviation of Gaussian noise on real and fake images ("instance noise",
            Sonderby et al. 2017, arXiv:1610.04490, section 3), at the start.
        noise_steps: Steps over which that noise fades to nothing; 0 keeps it.
        pool_size: Generated images that are kept for each discriminator, to be seen again (`ImagePool`); 0 shows it
            the new ones. The images must have no condition.
        pool_image: Height, width and channels of an image, where some are kept.
    """

    augmentation: Any = None
    probability: float = 1.0
    target: float | None = None
    ramp_images: int = 500_000
    transformed_real_weight: float = 0.0
    noise_sigma: float = 0.0
    noise_steps: int = 0
    pool_size: int = 0
    pool_image: tuple[int, ...] = ()
