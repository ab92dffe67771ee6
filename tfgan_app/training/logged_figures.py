"""Names of the figures that a training and its evaluation log."""

from __future__ import annotations

from collections.abc import Iterable

from tfgan_app.training.task import Objective

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


def logged_figures(
    objective: Objective, *, has_discriminators: bool, discriminator_figures: Iterable[str], measures: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Names of the logged figures by phase, `train` and `test`.

    Args:
        objective: Losses and their weights.
        has_discriminators: Whether there are discriminators.
        discriminator_figures: Names of further figures of the discriminators' losses.
        measures: Names of further figures of `test`.
    """
    health = (*HEALTH, *ADVERSARIAL_HEALTH) if has_discriminators else HEALTH
    trained = (*health, *objective.auxiliary_weights, *objective.monitored, *discriminator_figures)
    tested = (*(name for name in trained if name not in _ONLY_TRAINING), *measures)
    return {"train": trained, "test": tuple(dict.fromkeys(tested))}
