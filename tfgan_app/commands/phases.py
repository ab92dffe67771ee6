"""Learning-rate schedules of a run: warm-up length, and the phases that `--resume` starts with other rates."""

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
"""Settings whose change starts a new phase of a resumed run."""

WARMUP_SHARE = 10
"""The warm-up takes at most 1 / `WARMUP_SHARE` of the schedule."""


def begin_schedule(config: RunConfig, *, given: Collection[str]) -> tuple[RunConfig, list[str]]:
    """Returns the configuration of a new run with a schedule over all its steps.

    Args:
        config: The user's configuration, which may come from a run in a later phase.
        given: Keys that the user set explicitly.

    Returns:
        The configuration, and lines for the user.

    Raises:
        ValueError: If the user sets the start of the schedule.
    """
    if "optimizer.schedule_start" in given and config.optimizer.schedule_start:
        raise ValueError(
            "`optimizer.schedule_start` is for `--resume`: the schedule of a new run begins at step 0. "
            f"Received: {config.optimizer.schedule_start}; leave it out."
        )
    steps = config.optimizer.schedule_steps
    if config.optimizer.schedule_start and "optimizer.schedule_steps" not in given:
        steps = None  # They belong to the last phase of another run.
    values = {"optimizer.schedule_start": 0, "optimizer.schedule_steps": steps or config.training.steps}
    return _fit_warmup(replace_values(config, values))


def resume_schedule(
    saved: RunConfig, wanted: RunConfig, *, run: RunDirectory, given: Collection[str]
) -> tuple[RunConfig, list[str]]:
    """Returns the configuration of a resumed run: with its own schedule, or a new one from the newest checkpoint on.

    Args:
        saved: The run's configuration.
        wanted: The same with the user's changes.
        run: The run directory.
        given: Keys that the user set explicitly.

    Returns:
        The configuration, and lines for the user.

    Raises:
        ValueError: If no step is left for another phase, or the kind of optimizer would change.
    """
    if not any(key in PHASE_SETTINGS for key in diff(saved, wanted)):
        return wanted, []
    rates = saved.optimizer.muon_learning_rate, wanted.optimizer.muon_learning_rate
    if (rates[0] is None) != (rates[1] is None):
        raise ValueError(
            "`--resume` cannot continue with another optimizer: optimizer.muon_learning_rate was "
            f"{rates[0]!r}, now {rates[1]!r}. Start a new run from this one: `--set task.init_from={quoted(run.path)}`."
        )
    begin = Checkpoints(run.checkpoints).newest_step() or 0
    if begin >= wanted.training.steps:
        raise ValueError(
            f"The run in {run.path} has finished its {wanted.training.steps} steps: for another phase, raise `--steps`."
        )
    start = wanted.optimizer.schedule_start if "optimizer.schedule_start" in given else begin
    values = {"optimizer.schedule_start": start}
    if "optimizer.schedule_steps" not in given or wanted.optimizer.schedule_steps is None:
        values["optimizer.schedule_steps"] = max(1, wanted.training.steps - start)
    return _fit_warmup(replace_values(wanted, values))


def phase_record(config: RunConfig, step: int) -> dict[str, Any]:
    """Returns the record in `run.json` of the phase that begins at a step."""
    optimizer = to_dict(config)["optimizer"]
    return {"step": step, "settings": {key: optimizer[key.partition(".")[2]] for key in PHASE_SETTINGS}}


def next_phase(phases: Sequence[Mapping[str, Any]], config: RunConfig, step: int) -> tuple[list, str | None]:
    """Returns the phases of a resumed run.

    Args:
        phases: The phases in `run.json`, at least one.
        config: Configuration of the resumed run.
        step: Step at which it resumes.

    Returns:
        The phases, with a new one if the settings differ from those of the last phase, and a line about it or None.
    """
    record = phase_record(config, step)
    before, now = phases[-1]["settings"], record["settings"]
    if before == now:
        return list(phases), None
    changes = [f"{key} {before.get(key)} -> {value}" for key, value in now.items() if before.get(key) != value]
    return [*phases, record], f"new phase: {', '.join(changes)}"


def share_of_peak(config: RunConfig, step: int) -> float:
    """Returns the learning rates at a step relative to their peaks; all rates follow one schedule."""
    optimizer, steps = config.optimizer, config.optimizer.schedule_steps or config.training.steps
    warmup, begin = optimizer.warmup_steps, optimizer.schedule_start
    rate = LearningRate(1.0, schedule=optimizer.schedule, warmup_updates=warmup, updates=steps, begin=begin)
    return float(rate(step))


def rates_text(config: RunConfig, step: int) -> str:
    """Returns a text with the generator's learning rate at a step."""
    share, peak = share_of_peak(config, step), config.optimizer.generator_learning_rate
    return f"learning rate {share * peak:.3g}, {share:.0%} of its peak"


def _fit_warmup(config: RunConfig) -> tuple[RunConfig, list[str]]:
    """Shortens a warm-up that would take more than its share of the schedule, with a line about it."""
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
            f"all steps are within the warm-up of {config.optimizer.warmup_steps}: the rate never reaches its peak"
        )
    return config, notes
