"""`tfgan_app train`: trains a task into a run directory."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import tensorflow as tf

from tfgan_app.commands.building import build_trainer
from tfgan_app.commands.phases import (
    begin_schedule,
    next_phase,
    phase_record,
    rates_text,
    resume_schedule,
)
from tfgan_app.commands.preset_text import preset_lines
from tfgan_app.commands.provenance import recorded_part, run_facts
from tfgan_app.commands.run_directory import RunDirectory, check_resumable, hinting_at_moved_data
from tfgan_app.commands.task_report import TaskReport, data_folders, report_leftovers
from tfgan_app.commands.training_session import TrainingSession, with_data_sharding
from tfgan_app.config import RunConfig, read_values, replace_values, resolve_config, to_json
from tfgan_app.files import quoted
from tfgan_app.registry import metric_name
from tfgan_app.tasks import load_task
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.methods import MethodChoice, check_preset, preset_for
from tfgan_app.training.devices import build_strategy, is_chief, resolve_precision

WARM_UP_STEPS = 3
TIMED_STEPS = 5

_TaskClass = type[Task] | MethodChoice


@dataclass
class TrainOptions:
    """Options of a training; the fields are the flags of the command.

    Attributes:
        task: Row of the tasks table; None for that of a resumed run.
        data: Data source; None for the bundled sample.
        run_dir: Run directory; None for a new folder in `runs/`.
        steps: Training steps of the whole run.
        batch_size: Images per step.
        image_size: Side of the training images in pixels.
        preset: Name of a preset of the task.
        precision: Compute precision.
        seed: Seed of everything random.
        strategy: Distribution over devices.
        config: A `config.json`, or part of one.
        set: `KEY=VALUE` texts.
        resume: Whether to continue the run in `run_dir`.
        dry_run: Whether to only print the configuration, sizes and a time estimate.
        command_line: Command line for `run.json`.
    """

    task: str | None = None
    data: str | None = None
    run_dir: str | None = None
    steps: int | None = None
    batch_size: int | None = None
    image_size: int | None = None
    preset: str | None = None
    precision: str | None = None
    seed: int | None = None
    strategy: str | None = None
    config: str | None = None
    set: Sequence[str] = ()
    resume: bool = False
    dry_run: bool = False
    command_line: str = ""


def run(args: argparse.Namespace) -> int:
    """Trains or resumes a run, or describes it for `--dry-run`.

    Args:
        args: Parsed flags of the command.

    Returns:
        The exit code, as for `train`.

    Raises:
        ValueError: If the configuration, the data set or the run directory cannot be used.
    """
    _, exit_code = train(TrainOptions(**{field.name: getattr(args, field.name) for field in fields(TrainOptions)}))
    return exit_code


def train(args: TrainOptions) -> tuple[RunDirectory, int]:
    """Trains or resumes a run, or describes it for `dry_run`.

    Args:
        args: Options of the training.

    Returns:
        The run directory, and the exit code: 0; 1 if images were left out (each is named on stderr); 128 + the signal
        number if a signal stopped the training early (everything is saved).

    Raises:
        ValueError: If the configuration, the data set or the run directory cannot be used.
    """
    saved = RunDirectory.existing(args.run_dir) if args.resume else None
    if saved:
        args.task = _own_task(args.task, saved)
    task_class = load_task(args.task)
    config, notes = _resolve(args, task_class, saved)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy = build_strategy(config.training.strategy)
    _check_replicas(args, config, strategy)
    run_dir = saved or RunDirectory.new(args.run_dir, args.task)
    if saved is None and is_chief(strategy):
        run_dir.check_unused()
    report = TaskReport()
    if is_chief(strategy):
        for source in data_folders(config):
            report_leftovers(source, report)
    if args.dry_run:
        print(to_json(config), end="")
        if not args.resume:
            print(*_described_preset(args, task_class), sep="\n")
        for note in notes:
            report(note)
        with hinting_at_moved_data(config, data_flag="--data "):
            _dry_run(task_class, config, report=report, strategy=strategy)
        return run_dir, report.exit_code
    with hinting_at_moved_data(config, data_flag="--data "):
        task = task_class(config, report=report)
        _check_best_metric(task.config, task)
        task.prepare()
    exit_code = _train(task, config, args, run=run_dir, strategy=strategy, notes=notes)
    return run_dir, exit_code or report.exit_code


def _own_task(named: str | None, saved: RunDirectory) -> str:
    """Returns the task of a resumed run."""
    own = saved.read_config()[0].task_name
    if named not in (None, own):
        raise ValueError(f"`--task` must be the task of the run, {own}, or be left out. Received: {named}.")
    return own


def _check_replicas(args: TrainOptions, config: RunConfig, strategy: tf.distribute.Strategy):
    replicas = strategy.num_replicas_in_sync
    if config.training.batch_size % replicas:
        raise ValueError(
            f"`--batch-size` must be a multiple of the {replicas} replicas. Received: {config.training.batch_size}."
        )
    if replicas > 1 and config.training.accumulate_steps > 1:
        raise ValueError(
            "`training.accumulate_steps` must be 1 with several replicas, for which Keras cannot accumulate gradients. "
            f"Received: {config.training.accumulate_steps}. Use a smaller `--batch-size`."
        )
    if strategy.cluster_resolver is not None and replicas > 1 and not args.run_dir:
        raise ValueError("`--strategy multi_worker` needs `--run-dir`: one folder that all workers can access.")


def _check_best_metric(config: RunConfig, task: Task):
    if metric_name(config.training.best_metric) not in task.metric_names:
        raise ValueError(
            f"`training.best_metric` must be one of the metrics of {config.task_name}: {', '.join(task.metric_names)}. "
            f"Received: {config.training.best_metric!r}."
        )


def _resolve(args: TrainOptions, task_class: _TaskClass, saved: RunDirectory | None) -> tuple[RunConfig, list[str]]:
    """Returns the configuration of a new run, or of a resumed one with its allowed changes, and lines for the user."""
    if args.resume and (args.preset or args.config):
        raise ValueError("`--resume` uses the run's own configuration: leave out `--preset` and `--config`.")
    preset = _preset_name(args, task_class)
    if preset not in task_class.presets:
        names = ", ".join(task_class.presets)
        raise ValueError(f"`--preset` must be one of: {names}. Received: {args.preset!r}.")
    check_preset(task_class, preset, _given(args))
    config = resolve_config(
        args.task,
        task_class.config_class,
        preset=None if saved else task_class.presets[preset],  # The saved configuration is complete.
        config_file=saved.path / "config.json" if saved else args.config,
        flags=vars(args),
        overrides=args.set,
    )
    config = replace_values(config, {"training.precision": resolve_precision(config.training.precision)})
    by_hand = {text.partition("=")[0].strip() for text in args.set}
    if saved is None:
        return begin_schedule(config, given=by_hand)
    before = saved.read_config()[0]
    check_resumable(before, config)
    return resume_schedule(before, config, run=saved, given=by_hand)


def _preset_name(args: TrainOptions, task_class: _TaskClass) -> str:
    return args.preset or preset_for(task_class, _given(args))


def _described_preset(args: TrainOptions, task_class: _TaskClass) -> list[str]:
    name = _preset_name(args, task_class)
    return preset_lines(args.task, task_class.config_class, name=name, preset=task_class.presets[name])


def _given(args: TrainOptions) -> dict[str, str | None]:
    """Returns the user's settings by dotted key, as far as they decide the preset."""
    values = read_values(args.config, args.task) if args.config else {}
    values |= {"data.source": args.data} if args.data else {}
    return values | {key.strip(): value.strip() for key, _, value in (text.partition("=") for text in args.set)}


def _train(
    task: Task, config: RunConfig, args: TrainOptions, *, run: RunDirectory, strategy, notes: Sequence[str]
) -> int:
    config = replace_values(config, task.resolved_settings)
    facts = {"data_fingerprint": task.fingerprint(), **run_facts(config, strategy)}
    session = TrainingSession(task, config, run=run, strategy=strategy)
    if args.resume:
        if run.read_facts()["data_fingerprint"] != facts["data_fingerprint"]:
            raise ValueError(
                "`--resume` needs the images that the run was started with. Names, sizes or number of the training "
                "images have changed since; restore them, pass their new place with `--data PATH`, or "
                f"start a new run from this one with `--set task.init_from={quoted(run.path)}`."
            )
        step = session.resume()
        if step >= config.training.steps and run.is_finished(config.training.steps):
            raise ValueError(
                f"The run in {run.path} has finished its {config.training.steps} steps. Raise `--steps` to train on."
            )
        phases = run.read_facts().get("phases") or [phase_record(run.read_config()[0], 0)]
        phases, new_phase = next_phase(phases, config, step)
        session.events.record(step, "info", f"resumed at step {step}; {rates_text(config, step)}")
        notes = [*([new_phase] if new_phase else []), *notes]
        begun_with = run.read_facts().get("tfgan_app")
        if begun_with != facts["tfgan_app"]:
            message = (
                f"started with tfgan_app {begun_with}, continues with {facts['tfgan_app']}: training may differ now"
            )
            session.events.record(step, "warning", message)
    else:
        session.start()
        step, phases = 0, [phase_record(config, 0)]
    if is_chief(strategy):
        if args.resume:
            run.add_facts(phases=phases)
        else:
            run.write_facts(facts | {"phases": phases})
        run.write_config(config)
    for note in notes:
        session.events.record(step, "info", note)
    session.warn_of_figures({})
    if not is_chief(strategy):
        return session.train()
    with recorded_part(run, args.command_line, facts, step=lambda: int(session.trainer.step.numpy())):
        return session.train()


def _dry_run(task_class: type, config: RunConfig, *, report: TaskReport, strategy) -> None:
    """Prints parameter counts and a time estimate from a few real steps."""
    steps, config = config.training.steps, replace_values(config, {"training.steps": WARM_UP_STEPS + TIMED_STEPS})
    task = task_class(config, report=report)
    trainer = build_trainer(task, config, strategy=strategy)
    with strategy.scope():
        task.start(trainer.networks)
    for kind, models in (
        ("generator", trainer.networks.generators),
        ("discriminator", trainer.networks.discriminators),
    ):
        for name, model in models.items():
            print(f"{kind} {name}: {model.count_params():,} parameters")
    dataset = with_data_sharding(task.build_dataset(start_step=0, seed=config.training.seed))
    trainer.fit(dataset, steps_per_epoch=WARM_UP_STEPS, epochs=1, shuffle=False, verbose=0)
    start = time.perf_counter()
    trainer.fit(dataset, steps_per_epoch=TIMED_STEPS, epochs=1, shuffle=False, verbose=0)
    seconds = (time.perf_counter() - start) / TIMED_STEPS
    total = seconds * steps
    print(
        f"{config.training.batch_size / seconds:.1f} images/s, {seconds * 1e3:.0f} ms a step; "
        f"{steps} steps take about {total / 60:.1f} minutes, without validation and images"
    )
