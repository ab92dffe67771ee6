"""Interface of tasks and trainer: networks, losses, outputs of a forward pass, discriminator inputs, logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import keras

UNIT_RANGE = 0.5
"""Factor from mean absolute differences of images in [-1, 1] to those of images in [0, 1]."""

HEALTH = ("generator_loss", "generator_gradient_norm", "nonfinite")
"""Names logged in every training, besides those of its auxiliary losses, penalties and monitored figures."""

ADVERSARIAL_HEALTH = (
    "discriminator_loss",
    "adversarial",
    "real_accuracy",
    "fake_accuracy",
    "real_logits",
    "fake_logits",
    "discriminator_gradient_norm",
)
"""Names logged in trainings with discriminators."""

_ONLY_TRAINING = (
    "generator_gradient_norm",
    "discriminator_gradient_norm",
    "nonfinite",
    "penalty",
    "augment_probability",
)


@dataclass(frozen=True)
class Networks:
    """Generators and discriminators of a training, by name.

    Attributes:
        generators: Models to train; their averaged weights are the result.
        discriminators: Models that tell real from fake; without any, only the auxiliary losses are minimized.
        views: Further models on the generators' weights, without weights of their own, that a task runs.
    """

    generators: dict[str, keras.Model]
    discriminators: dict[str, keras.Model]
    views: dict[str, keras.Model] = field(default_factory=dict)


@dataclass(frozen=True)
class GeneratorOutputs:
    """Outputs of one forward pass of the generators, for the losses.

    Attributes:
        adversarial: Discriminator name -> `(real, fake, condition)`, float images
            `[batch, height, width, channels]` in [-1, 1]; `condition` is `None` without one.
        auxiliary: Loss name -> unweighted float32 scalar; the trainer weighs and adds them.
        codes: Input codes of the generator, which a discriminator's second output has to recognize, or `None`.
        monitored: Name -> float32 scalar that is logged but not a loss.
        output: The generated images, for metrics; `None` without metrics.
    """

    adversarial: dict[str, tuple[Any, Any, Any]]
    auxiliary: dict[str, Any] = field(default_factory=dict)
    codes: Any = None
    monitored: dict[str, Any] = field(default_factory=dict)
    output: Any = None


@dataclass(frozen=True)
class GeneratorRegularizer:
    """A regularizer of the generators on a pass of its own, such as `tfgan_app.losses.path_length`.

    Attributes:
        name: Name in logs; 0 in steps between, so that its mean there is a share of it.
        penalty: `(networks, batch, noise, state) -> (value, new state)`: `batch` is augmented; `noise(shape)` gives
            standard normal numbers `[batch, *shape]` of the step; `state` is float32 scalars by name; `value` an
            unweighted float32 scalar.
        weight: Factor.
        every_steps: Interval in steps, by which the weight is multiplied.
        state: Initial values of the state by name: logged, and kept in checkpoints.
    """

    name: str
    penalty: Callable[[Networks, dict, Callable, dict[str, Any]], tuple[Any, dict[str, Any]]]
    weight: float = 1.0
    every_steps: int = 1
    state: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Objective:
    """Losses of both networks and their weights.

    Attributes:
        adversarial_loss: An `AdversarialLoss`; `None` without discriminators.
        adversarial_weight: Factor of the adversarial term for the generators.
        discriminator_weight: Factor of the adversarial term for the discriminators.
        auxiliary_weights: Name of each auxiliary loss of `GeneratorOutputs` -> its factor.
        logged_as: Name of an auxiliary loss -> its factor in logs, and only there: `UNIT_RANGE` for
            distances of images in [-1, 1], which are then on the scale of the validation metrics.
        real_label: 1, or less for one-sided label smoothing.
        penalties: Each `GradientPenalty` of the discriminators with its weight.
        penalty_every_steps: Interval in steps of the penalties, by which their weights are multiplied
            (Karras et al. 2020, arXiv:1912.04958, section 2.2, "lazy regularization").
        mismatch_weight: Weight of real images with the condition of another image, a third term that the
            discriminators tell from real images with their own (matching-aware, Reed et al. 2016, arXiv:1605.05396,
            section 4.2); 0 for none. Conditions are then int32 `[batch, length]`.
        code_loss: `(outputs, codes) -> scalar` of a discriminator's second output, which both networks minimize.
        code_weight: Its factor.
        regularizers: Regularizers of the generators.
        monitored: Names of the monitored figures that are logged.
    """

    adversarial_loss: Any
    adversarial_weight: float = 1.0
    discriminator_weight: float = 1.0
    auxiliary_weights: dict[str, float] = field(default_factory=dict)
    logged_as: dict[str, float] = field(default_factory=dict)
    real_label: float = 1.0
    penalties: tuple[tuple[Any, float], ...] = ()
    penalty_every_steps: int = 1
    mismatch_weight: float = 0.0
    code_loss: Callable | None = None
    code_weight: float = 1.0
    regularizers: tuple[GeneratorRegularizer, ...] = ()
    monitored: tuple[str, ...] = ()


@dataclass(frozen=True)
class DiscriminatorInputs:
    """Preparation of the discriminators' images: augmentation, noise and pools.

    Attributes:
        augmentation: `(images, draws, probability) -> images` with `draws_per_example`, applied to real and
            fake images alike, or `None`.
        probability: Probability of each transform; the initial one if it adapts.
        target: Target of `2 * share - 1`, for the share of real images classified correctly: the probability
            adapts to reach it (ADA, Karras et al. 2020, arXiv:2006.06676, section 3.1); `None` keeps the probability.
        ramp_images: Images over which an adapting probability moves from 0 to 1.
        transformed_real_weight: Above 0, the discriminator sees images as they are, and augmented real ones
            are a further term of this weight that it has to classify as real.
        noise_sigma: Standard deviation of Gaussian noise on real and fake images ("instance noise",
            Sonderby et al. 2017, arXiv:1610.04490, section 3), at the start.
        noise_steps: Steps over which that noise fades to zero; 0 keeps it.
        pool_size: Generated images kept for each discriminator (`ImagePool`); 0 shows it only
            the new ones. The images must not have a condition.
        pool_image: Height, width and channels of an image, if a pool is used.
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


def logged_figures(
    objective: Objective,
    *,
    has_discriminators: bool,
    discriminator_figures: Iterable[str],
    regularizers: Iterable[str] = (),
    measures: Iterable[str],
) -> dict[str, tuple[str, ...]]:
    """Names of the logged figures by phase, `train` and `test`.

    Args:
        objective: Losses and their weights.
        has_discriminators: Whether there are discriminators.
        discriminator_figures: Names of further figures of the discriminators' losses.
        regularizers: Names of figures of the generators' regularizers, in training alone.
        measures: Names of further figures of `test`.
    """
    health = (*HEALTH, *ADVERSARIAL_HEALTH) if has_discriminators else HEALTH
    trained = (*health, *objective.auxiliary_weights, *objective.monitored, *discriminator_figures)
    tested = (*(name for name in trained if name not in _ONLY_TRAINING), *measures)
    trained = (*trained, *regularizers)
    return {"train": trained, "test": tuple(dict.fromkeys(tested))}
