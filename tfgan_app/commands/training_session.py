"""One training, from its start or a checkpoint to its report."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.callbacks import (
    ABOUT_FIGURES,
    Checkpointing,
    EventLog,
    HealthMonitor,
    ImageGrids,
    NonFiniteError,
    NonFiniteGuard,
    ProgressBar,
    ScalarLog,
    StopOnSignal,
    Validation,
    read_events,
    say_line,
    write_examples,
    write_report,
)
from tfgan_app.commands.building import build_trainer
from tfgan_app.commands.metrics_text import format_metrics, validation_line
from tfgan_app.commands.next_commands import next_commands
from tfgan_app.commands.run_directory import FACTS_FILE, RunDirectory
from tfgan_app.config import RunConfig
from tfgan_app.files import atomic_path, printable
from tfgan_app.inference import AUXILIARY_SEPARATOR
from tfgan_app.registry import metric_name
from tfgan_app.tasks.base import Task
from tfgan_app.training.checkpoints import Checkpoints
from tfgan_app.training.devices import is_chief

MAX_ROLLBACKS = 3
ROLLBACK_SEED_STRIDE = 1_000_003


def with_data_sharding(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset with its global batches sharded over the workers."""
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)


class TrainingSession:
    """Training with logs, grids, validation, checkpoints, guards and report.

    Several workers all do the same work, so that none waits for another; only the chief's files are kept.

    Args:
        task: The task.
        config: Its configuration with `training.precision` resolved.
        run: The run directory, which also holds the checkpoints to resume from.
        strategy: Distribution strategy of the training.
    """

    def __init__(self, task: Task, config: RunConfig, *, run: RunDirectory, strategy: tf.distribute.Strategy):
        self.config = config
        self._task = task
        self._strategy = strategy
        self._is_chief = is_chief(strategy)
        self.checkpoints = Checkpoints(run.checkpoints, keep=config.training.keep_checkpoints)
        self._scratch = None if self._is_chief else tempfile.TemporaryDirectory()
        self.run = run if self._scratch is None else RunDirectory(Path(self._scratch.name))
        self.events = EventLog(self.run.path)
        self.trainer = build_trainer(task, config, strategy=strategy)
        self.inference_model = task.inference_model(self.trainer.averaged)
        self._auxiliary_models = task.auxiliary_models(self.trainer.averaged)
        self._scalars = ScalarLog(
            self.run.path,
            config.training.log_every_steps,
            config.training.batch_size,
            extra=lambda: self.trainer.learning_rates,
            record=self.events.record,
        )
        self._signals = StopOnSignal()

    def start(self) -> None:
        """Initializes the networks as the task requires; nothing is written.

        Raises:
            ValueError: If the initial weights are not available.
        """
        with self._strategy.scope():
            self._task.start(self.trainer.networks)
            self.trainer.reset_average()

    def resume(self) -> int:
        """Restores the newest intact checkpoint, or starts again if the run was stopped before its first one.

        Returns:
            The step of the checkpoint.

        Raises:
            ValueError: If there are checkpoints, but none is intact.
        """
        if not self.checkpoints.paths():
            self.start()
            return 0
        step = self._restore()
        if step is None:
            raise ValueError(
                f"Expected an intact checkpoint in {self.checkpoints.directory}. Found none to resume from."
            )
        return step

    def warn_of_figures(self, measured: Mapping[str, float]) -> None:
        """Records the limits of this run's figures, each once.

        Args:
            measured: Return value of `task.evaluate`, or an empty mapping.
        """
        recorded = {event["message"] for event in read_events(self.run.path)}
        for line in self._task.caveats(measured):
            if (message := f"{ABOUT_FIGURES}{line}") not in recorded:
                self.events.record(int(self.trainer.step.numpy()), "warning", message)

    def train(self) -> int:
        """Trains up to the configured step.

        Returns:
            0, or 128 + the signal that stopped it early.

        Raises:
            ValueError: If losses or gradients are still not finite after three rollbacks.
        """
        if self._handles_signals:
            self._signals.install()
        try:
            if not self.checkpoints.paths():
                self._save(0)
            if int(self.trainer.step.numpy()) >= self.config.training.steps:
                self._complete()
            self._fit_with_rollbacks()
        except BaseException:
            self._write_report({})
            raise
        finally:
            self._signals.restore()
        if self._signals.received is not None:
            self._write_report({})
            return 128 + int(self._signals.received)
        self._finish()
        return 0

    @property
    def _handles_signals(self) -> bool:
        # If one of several workers stopped by itself, the others would wait for it. There, a signal ends the process
        # at once, and all workers resume from the last checkpoint.
        return self._strategy.num_replicas_in_sync == 1 or self._strategy.cluster_resolver is None

    def _complete(self) -> None:
        """Completes the work before `_finish` for a run that was killed after its last step."""
        step = int(self.trainer.step.numpy())
        if self._is_chief:
            self._save_model("last")
        for callback in self._callbacks():
            if isinstance(callback, (ImageGrids, Validation)):
                callback.complete(step)

    def _fit_with_rollbacks(self) -> None:
        rollbacks = 0
        while (step := int(self.trainer.step.numpy())) < self.config.training.steps:
            try:
                self._fit(step)
            except NonFiniteError as error:
                rollbacks += 1
                if rollbacks > MAX_ROLLBACKS:
                    message = (
                        f"losses or gradients were not finite at step {error.step}, after {MAX_ROLLBACKS} rollbacks. "
                        "Lower the learning rates, set optimizer.clip_norm=1, or train in --precision float32."
                    )
                    self.events.record(error.step, "error", message)
                    raise ValueError(message) from error
                self._roll_back(error, rollbacks)
                continue
            return

    def _roll_back(self, error: NonFiniteError, rollbacks: int) -> None:
        restored = self._restore()
        if restored is None:
            raise ValueError(f"{error} There is no intact checkpoint to go back to.") from error
        self.trainer.reset_metrics()
        # The checkpoint restored its seed; each attempt needs a different one.
        self.trainer.seed.assign_add(ROLLBACK_SEED_STRIDE * (error.step * MAX_ROLLBACKS + rollbacks))
        message = f"{error} Went back to step {restored}; continuing with another seed."
        self.events.record(error.step, "rollback", message)

    def _fit(self, step: int) -> None:
        dataset = self._task.build_dataset(start_step=step, seed=int(self.trainer.seed.numpy()))
        self.trainer.initial_step = step
        self.trainer.fit(
            with_data_sharding(dataset),
            epochs=1,
            steps_per_epoch=self.config.training.steps - step,
            callbacks=self._callbacks(),
            shuffle=False,
            verbose=0,
        )

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        training, record = self.config.training, self.events.record
        loss = self._task.objective.adversarial_loss
        only_orders = loss is None or loss.threshold is None
        health = HealthMonitor(record, **({"accuracy_limit": None} if only_orders else {}))
        return [
            NonFiniteGuard(),
            *([ProgressBar(training.steps, training.batch_size)] if self._is_chief else []),
            self._scalars,
            health,
            ImageGrids(
                self.run.path,
                training.sample_every_steps,
                lambda: self._task.sample_rows(self.inference_model),
                headers=self._task.sample_headers,
                record=record,
            ),
            Validation(
                training.validate_every_steps,
                lambda: self._task.evaluate(self.inference_model, **self._auxiliary_models),
                self._scalars,
                best_metric=metric_name(training.best_metric),
                on_best=self._save_best,
                listeners=(health.on_validation, self._print_validation),
                record=record,
            ),
            *([self._signals] if self._handles_signals else []),
            Checkpointing(training.checkpoint_every_steps, self._save, record=record),
        ]

    def _save(self, step: int) -> None:
        if self._is_chief:
            self.checkpoints.save(self.trainer)
            self._save_model("last")

    def _save_best(self, step: int, values: Mapping[str, float]) -> None:
        self._save_model("best")
        metric = metric_name(self.config.training.best_metric)
        if self._is_chief:
            self.run.add_facts(best={"step": step, "metric": metric, "value": values[metric]})

    def _print_validation(self, step: int, values: Mapping[str, float]) -> None:
        if self._is_chief:
            say_line(validation_line(step, values, best=self.run.read_facts().get("best")))

    def _save_model(self, name: str) -> None:
        models = {name: self.inference_model}
        models |= {
            f"{name}{AUXILIARY_SEPARATOR}{auxiliary_model}": model
            for auxiliary_model, model in self._auxiliary_models.items()
        }
        for each, model in models.items():
            with atomic_path(self.run.checkpoints / f"{each}.keras") as unfinished:
                model.save(unfinished)

    def _restore(self) -> int | None:
        def on_damaged(path, reason):
            self.events.record(
                0, "warning", f"checkpoint {path.name} cannot be used ({reason}); trying the previous one"
            )

        return self.checkpoints.restore(self.trainer, on_damaged=on_damaged, set_aside=self._is_chief)

    def _finish(self) -> None:
        """Evaluates the result, writes the report and prints the next commands."""
        summary = self._task.evaluate(self.inference_model, **self._auxiliary_models)
        self.warn_of_figures(summary)
        current = self._task.inference_model(self.trainer.networks)
        try:
            examples = self._task.examples(self.inference_model, current, **self._auxiliary_models)
            write_examples(self.run.path, examples)
        except OSError as error:
            self.events.record(self.config.training.steps, "error", f"could not write the examples: {error}")
        self._write_report(summary)
        if self._is_chief:
            self._mark_finished()
            print(format_metrics(summary))
            if best := self.run.read_facts().get("best"):
                print(f"best.keras is of step {best['step']}: {best['metric']} {best['value']:.4g}")
            print("next:", *self._next_commands(), sep="\n  ")
        # A worker that exits early would count as failed.
        self._strategy.run(lambda: tf.distribute.get_replica_context().all_reduce("SUM", tf.constant(1.0)))

    def _mark_finished(self) -> None:
        step = int(self.trainer.step.numpy())
        try:
            self.run.mark_finished(step)
        except OSError as error:
            self.events.record(step, "warning", f"could not record in {FACTS_FILE} that the run has finished: {error}")

    def _write_report(self, summary: dict[str, Any]) -> None:
        try:
            path = write_report(
                self.run.path,
                title=f"{self.config.task_name}: {self.run.path.name}",
                next_commands=self._next_commands(),
                summary=summary,
            )
        except OSError as error:
            self.events.record(int(self.trainer.step.numpy()), "error", f"could not write the report: {error}")
            return
        if self._is_chief:
            print(f"report: {printable(path)}")

    def _next_commands(self) -> list[str]:
        finished = int(self.trainer.step.numpy()) >= self.config.training.steps
        return next_commands(self.run.path, self.config, self._task, finished=finished)
