"""The contract between a task and the rest: what it has to say, and nothing of how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import keras
import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Networks:
    """The players of an adversarial game, by name.

    Attributes:
        generators: models whose averaged weights are what training is for.
        discriminators: models that judge real against fake.
    """

    generators: dict[str, keras.Model]
    discriminators: dict[str, keras.Model]


@dataclass(frozen=True)
class Synthesis:
    """What one forward pass of the generators offers to the losses.

    Attributes:
        adversarial: discriminator name -> `(real, fake, condition)`, float pictures
            `[batch, height, width, channels]` in [-1, 1]; `condition` is `None` where there is none.
        auxiliary: loss name -> unweighted float32 scalar; the trainer weighs and adds them.
    """

    adversarial: dict[str, tuple[Any, Any, Any]]
    auxiliary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Objective:
    """What the players minimise.

    Attributes:
        adversarial_loss: an `AdversarialLoss`: `generator(fake_logits)`,
            `discriminator(real_logits, fake_logits, real_label)`, `says_real(logits)`.
        adversarial_weight: factor of the adversarial term for the generators.
        auxiliary_weights: name of each auxiliary loss of the synthesis -> its factor.
        real_label: 1, or less for one-sided label smoothing.
    """

    adversarial_loss: Any
    adversarial_weight: float = 1.0
    auxiliary_weights: dict[str, float] = field(default_factory=dict)
    real_label: float = 1.0


class Task(Protocol):
    """One thing that a GAN can be trained for, built from a run's configuration.

    Attributes:
        config_class: frozen dataclass of the task's own settings (`--set task.KEY=VALUE`).
        presets: preset name -> dotted overrides of the whole configuration; `default` is used where none is named.
        objective: losses and their weights.
        draws_per_example: uniform random numbers that `augment` wants for each example.
        sample_headers: what the columns of `sample_rows` are.
    """

    config_class: ClassVar[type]
    presets: ClassVar[dict[str, dict[str, Any]]]
    objective: Objective
    draws_per_example: int
    sample_headers: tuple[str, ...]

    def prepare(self) -> None:
        """Reads what training and evaluation need, so that what is wrong with it is said before the first step."""

    def fingerprint(self) -> str:
        """Digest of the training pictures: a resumed training must see the same ones."""

    def build_networks(self) -> Networks:
        """Fresh networks under the current dtype policy."""

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """The training batches from `start_step` on: a pure function of (seed, step)."""

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Augments a batch as dictated by draws `[batch, draws_per_example]`, uniform in [0, 1)."""

    def synthesize(self, networks: Networks, batch: dict, training: bool) -> Synthesis:
        """Runs the generators on an augmented batch."""

    def inference_model(self, networks: Networks) -> keras.Model:
        """What is predicted with and exported: float32 pictures in [0, 1] to such, of any size.

        It shares the weights of `networks`.
        """

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Rows of uint8 pictures that show what an inference model does now."""

    def evaluate(self, model: keras.Model, *, examples_dir: Path | None = None) -> dict[str, float]:
        """Metrics of an inference model on the held-out pictures, with the copy-the-input baseline."""

    def protocol(self) -> dict[str, Any]:
        """What the figures of `evaluate` were measured on, so that they can be compared."""
