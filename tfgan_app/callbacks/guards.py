"""Guards: stop a training with non-finite losses, and warn about an unhealthy one."""

from __future__ import annotations

from collections.abc import Mapping

from tfgan_app.callbacks.events import Record, say
from tfgan_app.callbacks.step_callback import StepCallback, checked_interval, float_logs


class NonFiniteError(RuntimeError):
    """A loss or a gradient was NaN or infinite.

    Args:
        step: The training step.
    """

    def __init__(self, step: int):
        super().__init__(f"A loss or gradient was not finite (NaN or infinite) at step {step}.")
        self.step = step


class NonFiniteGuard(StepCallback):
    """Raises `NonFiniteError` from `fit` if the log `nonfinite` is above zero or NaN.

    `nonfinite` counts the non-finite losses and gradients. List this guard first, so that no other callback logs or
    saves anything of a broken step.
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
    """Warns about an unhealthy training, once per condition and call of `fit`, with a remedy.

    - The discriminator has won: it nearly always separates real from generated images, so the generator learns little
      from it. The guard uses exponential averages of the logs `real_accuracy` and `fake_accuracy` (in [0, 1]), which
      start at one half, so a perfect discriminator triggers the warning after about three windows.
    - The generator has collapsed: the log `diversity` (variation within a generated batch relative to a real one),
      averaged the same way, is low.
    - The generator misses most of the data: `coverage` of a validation is close to zero.
    - The output ignores the input: `output_variation` of a validation (variation between outputs relative to the
      targets) is close to zero.

    Args:
        record: Receives warnings: `EventLog.record`, or `say` for stderr only.
        window_steps: Time constant of the averages in steps.
        accuracy_limit: Limit of both accuracies above which the discriminator has won. None if high accuracies are no
            problem, as with losses that only rank images.
        variation_limit: Limit of `output_variation` below which the output ignores its input.
        diversity_limit: Limit of the average `diversity` below which the generator has collapsed.
        coverage_limit: Limit of `coverage`, relative to that of real images, below which most data is missed.
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
        self._warned: set[str] = set()
        self._averages: dict[str, float] = {}

    def on_train_begin(self, logs=None):
        """Resets the averages and warnings."""
        super().on_train_begin(logs)
        self._warned, self._averages = set(), {"real_accuracy": 0.5, "fake_accuracy": 0.5, "diversity": 1.0}

    def on_step(self, logs):
        """Checks the discriminator's accuracies and the generator's diversity."""
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
                "loss), or train on more varied images.",
            )
        if diversity < self.diversity_limit:
            self._warn(
                "collapse",
                f"the generator has collapsed: images of one batch differ {diversity:.0%} as much as real ones do. "
                "Use task.adversarial_loss=relativistic with task.r1_weight and task.r2_weight, raise these, or "
                "lower both learning rates.",
            )

    def on_validation(self, step: int, values: Mapping[str, float]) -> None:
        """Checks the variation of the outputs and the coverage of the data.

        Args:
            step: Training step of the validation.
            values: Its metrics; `output_variation` and `coverage` are checked if present.
        """
        variation = values.get("output_variation")
        if variation is not None and variation < self.variation_limit:
            self._warn(
                "output",
                f"the output ignores its input: outputs of different inputs differ {variation:.1%} as much as "
                "their targets do. Lower optimizer.generator_learning_rate, give the reconstruction loss more "
                "weight, and check with `tfgan_app inspect` that inputs and targets match.",
                step=step,
            )
        coverage, floor = values.get("coverage"), values.get("floor_coverage", 1.0)
        if coverage is not None and step >= self.window_steps and coverage < self.coverage_limit * floor:
            self._warn(
                "coverage",
                f"the generated images resemble only {coverage:.1%} of the held-out ones (real images: "
                f"{floor:.1%}). This is normal early in a training; if it persists, the generator misses most of the "
                "data: raise task.r1_weight and task.r2_weight, or lower both learning rates.",
                step=step,
            )

    def _warn(self, condition: str, message: str, *, step: int | None = None) -> None:
        if condition in self._warned:
            return
        self._warned.add(condition)
        self._record(self.step if step is None else step, "warning", message)
