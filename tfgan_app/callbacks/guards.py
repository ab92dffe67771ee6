"""Guards: training that has broken down stops, training that goes wrong is said."""

from __future__ import annotations

from collections.abc import Mapping

from tfgan_app.callbacks.events import Record, say
from tfgan_app.callbacks.step_callback import StepCallback, checked_interval, float_logs


class NonFiniteError(RuntimeError):
    """A loss or a gradient was NaN or infinite.

    Args:
        step: The training step at which it was seen.
    """

    def __init__(self, step: int):
        super().__init__(f"A loss or gradient was not finite (NaN or infinite) at step {step}.")
        self.step = step


class NonFiniteGuard(StepCallback):
    """Raises `NonFiniteError` out of `fit` when the log `nonfinite` is above zero or itself not a number.

    `nonfinite` counts the losses and gradients that were not finite. List this guard first, so that no other
    callback logs or saves anything of a broken step.
    """

    def on_step(self, logs):
        """Checks the step.

        Raises:
            NonFiniteError: If a loss or gradient was not finite.
        """
        if "nonfinite" not in logs:
            return
        count = float_logs({"nonfinite": logs["nonfinite"]})["nonfinite"]
        if not count <= 0:  # Also true for NaN.
            raise NonFiniteError(self.step)


class HealthMonitor(StepCallback):
    """Says, once per condition and `fit`, that the training goes wrong and what to do about it.

    - The discriminator has won: it tells real from generated images nearly always, so the generator has
      little left to learn from it. Looks at exponential averages of the logs `real_accuracy` and
      `fake_accuracy` (in [0, 1]), which start at one half: it takes about three windows of a perfect
      discriminator until this is said.
    - The generator has collapsed: the log `diversity` (how much the images of a generated batch differ from
      each other, over how much those of a real one do), averaged alike, is low.
    - The generator leaves most of the data out: `coverage` of a validation is next to nothing.
    - The output ignores the input: `output_variation` of a validation (how much the outputs differ from each
      other, over how much the targets do) is next to nothing.

    Args:
        record: Where warnings go: `EventLog.record`, or stderr alone.
        window_steps: Time constant, in steps, of the averages of the accuracies.
        accuracy_limit: Both averages above this: the discriminator has won. None where that is no bad sign, as with
            losses that only order images.
        variation_limit: `output_variation` below this: the output ignores its input.
        diversity_limit: the average of `diversity` below this: the generator has collapsed.
        coverage_limit: `coverage` below this share of that of real images: most of the data is left out.
    """

    def __init__(
        self,
        record: Record = say,
        *,
        window_steps: int = 200,
        accuracy_limit: float | None = 0.97,
        variation_limit: float = 0.02,
        diversity_limit: float = 0.3,
        coverage_limit: float = 0.1,
    ):
        super().__init__()
        self.window_steps = checked_interval("window_steps", window_steps)
        self.accuracy_limit = accuracy_limit
        self.variation_limit = variation_limit
        self.diversity_limit = diversity_limit
        self.coverage_limit = coverage_limit
        self._record = record
        self._said: set[str] = set()
        self._averages: dict[str, float] = {}

    def on_train_begin(self, logs=None):
        """Starts to watch anew."""
        super().on_train_begin(logs)
        self._said, self._averages = set(), {"real_accuracy": 0.5, "fake_accuracy": 0.5, "diversity": 1.0}

    def on_step(self, logs):
        """Watches the discriminator's accuracies and the generator's diversity."""
        watched = {name: logs[name] for name in self._averages if name in logs}
        weight = min((self.step - self.previous_step) / self.window_steps, 1.0)
        for name, value in float_logs(watched).items():
            self._averages[name] += weight * (value - self._averages[name])
        real, fake, diversity = self._averages.values()
        if self.accuracy_limit is not None and min(real, fake) > self.accuracy_limit:
            self._warn(
                "discriminator",
                f"the discriminator has won: it recognizes {real:.0%} of the real and {fake:.0%} of the "
                "generated images, so the generator learns little from it. Lower "
                "optimizer.discriminator_learning_rate, smooth the labels (task.real_label=0.9, with a cross-entropy "
                "loss), or give it more varied images.",
            )
        if diversity < self.diversity_limit:
            self._warn(
                "collapse",
                f"the generator has collapsed: images of one batch differ {diversity:.0%} as much as real ones do. "
                "Use task.adversarial_loss=relativistic with task.r1_weight and task.r2_weight, raise these, or "
                "lower both learning rates.",
            )

    def on_validation(self, step: int, values: Mapping[str, float]) -> None:
        """Watches whether the outputs depend on the inputs, and how much of the data is covered.

        Args:
            step: Training step of the validation.
            values: Its metrics; `output_variation` and `coverage` are looked at where they are measured.
        """
        variation = values.get("output_variation")
        if variation is not None and variation < self.variation_limit:
            self._warn(
                "output",
                f"the output ignores its input: outputs of different inputs differ {variation:.1%} as much as "
                "their targets do. Lower optimizer.generator_learning_rate, give the reconstruction loss more "
                "weight, and check with `tfgan_app inspect` that inputs and targets belong together.",
                step=step,
            )
        coverage, floor = values.get("coverage"), values.get("floor_coverage", 1.0)
        if coverage is not None and step >= self.window_steps and coverage < self.coverage_limit * floor:
            self._warn(
                "coverage",
                f"the generated images resemble only {coverage:.1%} of the held-out ones (real images: "
                f"{floor:.1%}). Early in a training that is usual; if it stays, the generator leaves out most of the "
                "data: raise task.r1_weight and task.r2_weight, or lower both learning rates.",
                step=step,
            )

    def _warn(self, condition: str, message: str, *, step: int | None = None) -> None:
        if condition in self._said:
            return
        self._said.add(condition)
        self._record(self.step if step is None else step, "warning", message)
