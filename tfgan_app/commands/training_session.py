"""One training from its start, or from a checkpoint, to its report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.callbacks import (
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
    write_report,
)
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import RunConfig
from tfgan_app.files import atomic_path
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.checkpoints import Checkpoints
from tfgan_app.training.devices import is_chief
from tfgan_app.training.optimizers import build_optimizer
from tfgan_app.training.task import Task

MAX_ROLLBACKS = 3
ROLLBACK_SEED_STRIDE = 1_000_003


def build_trainer(task: Task, config: RunConfig, *, strategy: tf.distribute.Strategy) -> AdversarialTrainer:
    """Builds networks, averaged networks (in float32), optimizers and trainer in the strategy's scope.

    Args:
        task: what is trained.
        config: with `training.precision` resolved.
        strategy: where it is trained.
    """
    training, optimizer = config.training, config.optimizer
    with strategy.scope():
        keras.utils.set_random_seed(training.seed)
        try:
            keras.config.set_dtype_policy(training.precision)
            networks = task.build_networks()
        finally:
            keras.config.set_dtype_policy("float32")
        trainer = AdversarialTrainer(
            networks,
            task.build_networks(),
            objective=task.objective,
            synthesize=task.synthesize,
            augment=task.augment,
            draws_per_example=task.draws_per_example,
            ema_decay=training.ema_decay,
            seed=training.seed,
            global_batch_size=training.batch_size,
        )
        rates = (optimizer.generator_learning_rate, optimizer.discriminator_learning_rate)
        players = [
            build_optimizer(
                learning_rate=rate,
                total_steps=training.steps,
                schedule=optimizer.schedule,
                warmup_steps=optimizer.warmup_steps,
                beta_1=optimizer.beta_1,
                beta_2=optimizer.beta_2,
                clip_norm=optimizer.clip_norm,
                accumulate_steps=training.accumulate_steps,
                scale_loss=training.precision == "mixed_float16",
            )
            for rate in rates
        ]
        trainer.compile(generator_optimizer=players[0], discriminator_optimizer=players[1], jit_compile=False)
    return trainer


class TrainingSession:
    """Trains with everything around it: logs, grids, validation, checkpoints, guards, report.

    Args:
        task: what is trained.
        config: with `training.precision` resolved.
        run: where everything is written.
        strategy: where it is trained.
    """

    def __init__(self, task: Task, config: RunConfig, *, run: RunDirectory, strategy: tf.distribute.Strategy):
        self.config = config
        self.run = run
        self.events = EventLog(run.path)
        self.trainer = build_trainer(task, config, strategy=strategy)
        self.inference_model = task.inference_model(self.trainer.averaged)
        self.checkpoints = Checkpoints(run.checkpoints, keep=config.training.keep_checkpoints)
        self._task = task
        self._strategy = strategy
        self._is_chief = is_chief(strategy)
        self._scalars = ScalarLog(
            run.path, config.training.log_every_steps, config.training.batch_size, record=self.events.record
        )
        self._signals = StopOnSignal()

    def resume(self) -> int:
        """Takes up the newest good checkpoint.

        Returns:
            Its step.

        Raises:
            ValueError: when there is none.
        """
        step = self._restore()
        if step is None:
            raise ValueError(f"Expected a good checkpoint in {self.checkpoints.directory}. Found none to resume from.")
        return step

    def train(self) -> int:
        """Trains up to the configured step.

        Returns:
            0, or 128 + the signal that stopped it early.

        Raises:
            ValueError: when losses or gradients stayed non-finite after three rollbacks.
        """
        self._signals.install()
        try:
            if not self.checkpoints.paths():
                self._save(0)
            self._fit_with_rollbacks()
        finally:
            self._signals.restore()
            summary = self._finish()
        if self._signals.received is not None:
            return 128 + int(self._signals.received)
        self._say_results(summary)
        return 0

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
                self._roll_back(error)
                continue
            return

    def _roll_back(self, error: NonFiniteError) -> None:
        restored = self._restore()
        if restored is None:
            raise ValueError(f"{error} There is no good checkpoint to go back to.") from error
        self.trainer.reset_metrics()
        self.trainer.seed.assign_add(ROLLBACK_SEED_STRIDE * error.step)
        message = f"{error} Went back to step {restored}; going on with another seed."
        self.events.record(error.step, "rollback", message)

    def _fit(self, step: int) -> None:
        dataset = self._task.build_dataset(start_step=step, seed=int(self.trainer.seed.numpy()))
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        self.trainer.initial_step = step
        self.trainer.fit(
            dataset.with_options(options),
            epochs=1,
            steps_per_epoch=self.config.training.steps - step,
            callbacks=self._callbacks(),
            shuffle=False,
            verbose=0,
        )

    def _callbacks(self) -> list[keras.callbacks.Callback]:
        if not self._is_chief:
            return [NonFiniteGuard(), self._signals]
        training, record = self.config.training, self.events.record
        health = HealthMonitor(record)
        return [
            NonFiniteGuard(),
            ProgressBar(training.steps, training.batch_size),
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
                lambda: self._task.evaluate(self.inference_model),
                self._scalars,
                best_metric=training.best_metric,
                on_best=lambda step, values: self._save_model("best"),
                listeners=(health.on_validation,),
                record=record,
            ),
            self._signals,
            Checkpointing(training.checkpoint_every_steps, self._save, record=record),
        ]

    def _save(self, step: int) -> None:
        if self._is_chief:
            self.checkpoints.save(self.trainer)
            self._save_model("last")

    def _save_model(self, name: str) -> None:
        path = self.run.checkpoints / f"{name}.keras"
        with atomic_path(path) as unfinished:
            self.inference_model.save(unfinished)

    def _restore(self) -> int | None:
        def on_damaged(path, reason):
            self.events.record(0, "warning", f"checkpoint {path.name} cannot be used ({reason}); trying the one before")

        return self.checkpoints.restore(self.trainer, on_damaged=on_damaged)

    def _finish(self) -> dict[str, Any]:
        """Writes what a person looks at first; also after an interruption or a failure."""
        if not self._is_chief:
            return {}
        self.run.samples.mkdir(parents=True, exist_ok=True)
        summary = self._task.evaluate(self.inference_model, examples_dir=self.run.samples)
        path = write_report(
            self.run.path,
            title=f"{self.config.task_name}: {self.run.path.name}",
            next_commands=self._next_commands(),
            summary=summary,
        )
        print(f"report: {path}")
        return summary

    def _next_commands(self) -> list[str]:
        run, finished = self.run.path, int(self.trainer.step.numpy()) >= self.config.training.steps
        commands = [
            f"tfgan_app evaluate --run {run}",
            f"tfgan_app predict --model {run} --input PICTURES --output OUTPUT",
            f"tfgan_app export --run {run} --format saved_model",
        ]
        resume = f"tfgan_app train --task {self.config.task_name} --run-dir {run} --resume"
        more = f"{resume} --steps {2 * self.config.training.steps}"
        return [*commands, f"{more}  # train on"] if finished else [resume, *commands]

    def _say_results(self, summary: dict[str, Any]) -> None:
        if summary:
            print(format_metrics(summary))
            print("next:", *self._next_commands(), sep="\n  ")


def format_metrics(metrics: dict[str, float], *, write: Callable[[float], str] = "{:.4g}".format) -> str:
    """One line a metric, beside the same of copying the input where it was measured."""
    lines = []
    for name, value in metrics.items():
        if name.startswith("copy_"):
            continue
        baseline = metrics.get(f"copy_{name}")
        beside = "" if baseline is None else f"   (copying the input: {write(baseline)})"
        lines.append(f"{name:>16}  {write(value)}{beside}")
    return "\n".join(lines)
