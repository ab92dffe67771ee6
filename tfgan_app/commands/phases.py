"""Learning rates along a run: the warm-up that fits it, and the phases that `--resume` begins with other rates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import RunConfig, diff, replace_values, to_dict
from tfgan_app.config.sections import OptimizerConfig
from tfgan_app.config.typed_fields import field_specs
from tfgan_app.files import quoted
from tfgan_app.training.checkpoints import Checkpoints
from tfgan_app.training.optimizers import LearningRate

PHASE_SETTINGS = tuple(
    key for key, spec in field_specs("optimizer", OptimizerConfig).items() if spec.on_resume == "new_phase"
)
"""What a resumed run may change and be in a new phase."""

WARMUP_SHARE = 10
"""A warm-up takes at most one of so many parts of the schedule."""


def begin_schedule(config: RunConfig, *, given: Collection[str]) -> tuple[RunConfig, list[str]]:
    """The schedule of a new run: over all its steps, from the first one on.

    Args:
        config: as the user has it; that of a run in a later phase may be its origin.
        given: keys that the user has set by hand.

    Returns:
        The configuration, and lines for the user.

    Raises:
        ValueError: when the user sets where the schedule begins.
    """
    if "optimizer.schedule_start" in given and config.optimizer.schedule_start:
        raise ValueError(
            "`optimizer.schedule_start` is for `--resume`: the schedule of a new run begins at step 0. "
            f"Received: {config.optimizer.schedule_start}; leave it out."
        )
    steps = config.optimizer.schedule_steps
    if config.optimizer.schedule_start and "optimizer.schedule_steps" not in given:
        steps = None  # Those of another run's last phase.
    values = {"optimizer.schedule_start": 0, "optimizer.schedule_steps": steps or config.training.steps}
    return _fit_warmup(replace_values(config, values))


def resume_schedule(
    saved: RunConfig, wanted: RunConfig, *, run: RunDirectory, given: Collection[str]
) -> tuple[RunConfig, list[str]]:
    """The schedule of a resumed run: as it was, or from the newest checkpoint on where the user asks for another.

    Args:
        saved: the run's configuration.
        wanted: the same with what the user has changed.
        run: its directory.
        given: keys that the user has set by hand.

    Returns:
        The configuration, and lines for the user.

    Raises:
        ValueError: when the run has no step left for another phase, or is to change its kind of optimizer.
    """
    if not any(key in PHASE_SETTINGS for key in diff(saved, wanted)):
        return wanted, []
    rates = saved.optimizer.muon_learning_rate, wanted.optimizer.muon_learning_rate
    if (rates[0] is None) != (rates[1] is None):
        raise ValueError(
            "`--resume` cannot go on with another optimizer: optimizer.muon_learning_rate was "
            f"{rates[0]!r}, now {rates[1]!r}. Start a new run from this one: `--set task.init_from={quoted(run.path)}`."
        )
    begin = Checkpoints(run.checkpoints).newest_step() or 0
    if begin >= wanted.training.steps:
        raise ValueError(
            f"The run in {run.path} has finished its {wanted.training.steps} steps: for another phase give it more "
            "with `--steps`."
        )
    start = wanted.optimizer.schedule_start if "optimizer.schedule_start" in given else begin
    values = {"optimizer.schedule_start": start}
    if "optimizer.schedule_steps" not in given or wanted.optimizer.schedule_steps is None:
        values["optimizer.schedule_steps"] = max(1, wanted.training.steps - start)
    return _fit_warmup(replace_values(wanted, values))


def phase_record(config: RunConfig, step: int) -> dict[str, Any]:
    """What `run.json` holds of the phase that begins at a step."""
    optimizer = to_dict(config)["optimizer"]
    return {"step": step, "settings": {key: optimizer[key.partition(".")[2]] for key in PHASE_SETTINGS}}


def next_phase(phases: Sequence[Mapping[str, Any]], config: RunConfig, step: int) -> tuple[list, str | None]:
    """The phases of a run that goes on.

    Args:
        phases: those that `run.json` has, at least one.
        config: what the run goes on with.
        step: at which it does.

    Returns:
        The phases, with a new one where the settings are others than the last one's, and a line about it or None.
    """
    record = phase_record(config, step)
    before, now = phases[-1]["settings"], record["settings"]
    if before == now:
        return list(phases), None
    changes = [f"{key} {before.get(key)} -> {value}" for key, value in now.items() if before.get(key) != value]
    return [*phases, record], f"new phase: {', '.join(changes)}"


def share_of_peak(config: RunConfig, step: int) -> float:
    """The learning rates at a step over their peaks, which all follow one schedule."""
    optimizer, steps = config.optimizer, config.optimizer.schedule_steps or config.training.steps
    warmup, begin = optimizer.warmup_steps, optimizer.schedule_start
    rate = LearningRate(1.0, schedule=optimizer.schedule, warmup_updates=warmup, updates=steps, begin=begin)
    return float(rate(step))


def rates_text(config: RunConfig, step: int) -> str:
    """The generator's learning rate at a step, in words."""
    share, peak = share_of_peak(config, step), config.optimizer.generator_learning_rate
    return f"learning rate {share * peak:.3g}, {share:.0%} of its peak"


def _fit_warmup(config: RunConfig) -> tuple[RunConfig, list[str]]:
    """Shortens a warm-up that would take more than its share of the schedule, and says so."""
    optimizer, steps = config.optimizer, config.training.steps
    longest = optimizer.schedule_steps // WARMUP_SHARE
    notes = []
    if optimizer.warmup_steps > longest:
        notes.append(
            f"warm-up of {optimizer.warmup_steps} steps shortened to {longest}, a tenth of the "
            f"{optimizer.schedule_steps} steps (optimizer.warmup_steps)"
        )
        config = replace_values(config, {"optimizer.warmup_steps": longest})
    if config.optimizer.warmup_steps >= steps - optimizer.schedule_start:
        notes.append(
            f"all steps lie in the warm-up of {config.optimizer.warmup_steps}: the rate never gets to its peak"
        )
    return config, notes
