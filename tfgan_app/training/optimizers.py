"""Optimizers of both sides: rates, schedules, accumulation and loss scaling."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras

from tfgan_app.training.fused_adam import FusedAdam
from tfgan_app.training.muon import Muon

SCHEDULES = ("constant", "linear", "cosine")

FINAL_RATE = 0.02
"""Share of the peak rate at which decaying schedules end."""


def build_optimizer(
    *,
    learning_rate: float,
    schedule_steps: int,
    muon_learning_rate: float | None = None,
    schedule: str = "constant",
    schedule_start: int = 0,
    warmup_steps: int = 0,
    updates_per_step: int = 1,
    beta_1: float = 0.5,
    beta_2: float = 0.999,
    accumulate_steps: int = 1,
    scale_loss: bool = False,
) -> keras.optimizers.Optimizer:
    """Builds Adam (Kingma & Ba 2015, arXiv:1412.6980) with the settings of GANs, or Muon with Adam.

    Args:
        learning_rate: Peak rate.
        schedule_steps: Training steps of the schedule; afterwards the rate stays at its final value.
        muon_learning_rate: Peak rate of square kernels by `Muon`, which follows the same schedule; None uses Adam for
            them too.
        schedule: `"constant"`; `"linear"`, constant for the first half and then down (CycleGAN, Zhu et al.
            2017, arXiv:1703.10593); or `"cosine"`, down over all steps (Loshchilov & Hutter 2017,
            arXiv:1608.03983). Both end at `FINAL_RATE` of the peak, so that more steps can still learn.
        schedule_start: Training step at which the schedule begins; before it the rate is that of its first step.
        warmup_steps: Steps of linear rise at the start.
        updates_per_step: Updates of the optimizer in one training step; more than 1 for some discriminators.
        beta_1: Decay of the first moment.
        beta_2: Decay of the second moment.
        accumulate_steps: Steps whose gradients are averaged into one update.
        scale_loss: Wrap for float16, whose small gradients would otherwise vanish.

    Returns:
        The optimizer, not yet built. Its schedule counts gradients, including accumulated ones, as Keras does.

    Raises:
        ValueError: For an unknown schedule.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"`schedule` must be one of {', '.join(SCHEDULES)}. Received: {schedule!r}.")
    rate = LearningRate(
        learning_rate,
        schedule=schedule,
        warmup_updates=warmup_steps * updates_per_step,
        updates=schedule_steps * updates_per_step,
        begin=schedule_start * updates_per_step,
    )
    options = {
        "beta_1": beta_1,
        "beta_2": beta_2,
        "gradient_accumulation_steps": accumulate_steps if accumulate_steps > 1 else None,
    }
    if muon_learning_rate is None:
        optimizer = FusedAdam(rate, **options)
    else:
        optimizer = Muon(rate, kernel_rate=muon_learning_rate / learning_rate, **options)
    return keras.optimizers.LossScaleOptimizer(optimizer) if scale_loss else optimizer


class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """Warm-up, then a constant, half-linear or cosine schedule: a pure function of the update.

    Args:
        peak: The highest rate.
        schedule: One of `SCHEDULES`.
        warmup_updates: Updates of linear rise.
        updates: Total updates.
        begin: Update at which the schedule begins.
    """

    def __init__(self, peak: float, *, schedule: str, warmup_updates: int, updates: int, begin: int = 0):
        self.peak = peak
        self.schedule = schedule
        self.warmup_updates = warmup_updates
        self.updates = updates
        self.begin = begin

    def __call__(self, step):
        step = keras.ops.maximum(keras.ops.cast(step, "float32") - float(self.begin), 0.0)
        progress = keras.ops.clip(step / self.updates, 0.0, 1.0)
        rate = self.peak * keras.ops.minimum(1.0, (step + 1.0) / (self.warmup_updates + 1.0))
        if self.schedule == "constant":
            return rate
        if self.schedule == "linear":
            share = keras.ops.minimum(1.0, 2.0 * (1.0 - progress))
        else:
            share = 0.5 * (1.0 + keras.ops.cos(progress * math.pi))
        return rate * (FINAL_RATE + (1.0 - FINAL_RATE) * share)

    def get_config(self):
        return {
            "peak": self.peak,
            "schedule": self.schedule,
            "warmup_updates": self.warmup_updates,
            "updates": self.updates,
            "begin": self.begin,
        }


def check_compile_options(options: Iterable[str]) -> None:
    """Refuses options of `keras.Model.compile` that a GAN sets itself.

    Raises:
        ValueError: For the first such option.
    """
    if owned := sorted({"optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"} & set(options)):
        raise ValueError(
            "Expected `generator_optimizer` and `discriminator_optimizer`; losses and metrics are the model's own. "
            f"Received: `{owned[0]}`; leave it out."
        )


def resolve_optimizers(given: dict[str, Any], *, scale_loss: bool) -> list[keras.optimizers.Optimizer]:
    """Resolves names, configurations and instances to optimizers, one for each side.

    Args:
        given: Values by the name of their argument.
        scale_loss: Wrap those that do not scale losses, for float16.

    Raises:
        ValueError: If one is not an optimizer, or one instance is given twice.
    """
    found = {}
    for name, value in given.items():
        try:
            found[name] = keras.optimizers.get(value)
        except (TypeError, ValueError):
            found[name] = None
        if not isinstance(found[name], keras.optimizers.Optimizer):
            raise ValueError(
                f"`{name}` must be a Keras optimizer, or the name of one such as 'adam'. Received: {value!r}."
            )
    optimizers = list(found.values())
    if len({id(each) for each in optimizers}) < len(optimizers):
        raise ValueError(
            f"{' and '.join(f'`{name}`' for name in given)} must be different objects, each with a state of its own. "
            f"Received: the same {type(optimizers[0]).__name__} twice."
        )
    scales = keras.optimizers.LossScaleOptimizer
    return [scales(each) if scale_loss and not isinstance(each, scales) else each for each in optimizers]


def current_rates(optimizer: keras.optimizers.Optimizer) -> dict[str, float]:
    """Rates of an optimizer's next update: `learning_rate`, and `muon_learning_rate` if it has one."""
    rate = float(optimizer.learning_rate)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    muon = {"muon_learning_rate": rate * inner.kernel_rate} if isinstance(inner, Muon) else {}
    return {"learning_rate": rate, **muon}
