"""The contract between a task and the rest: what it has to say, and nothing of how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import keras
import numpy as np
import tensorflow as tf

UNIT_RANGE = 0.5
"""Mean absolute differences of pictures in [-1, 1] times this are those of the same pictures in [0, 1]."""


@dataclass(frozen=True)
class Networks:
    """The players of an adversarial game, by name.

    Attributes:
        generators: models whose averaged weights are what training is for.
        discriminators: models that judge real against fake; without any, the auxiliary losses are all there is.
        views: further models over the generators' weights, which have none of their own, for a task to run.
    """

    generators: dict[str, keras.Model]
    discriminators: dict[str, keras.Model]
    views: dict[str, keras.Model] = field(default_factory=dict)


@dataclass(frozen=True)
class Synthesis:
    """What one forward pass of the generators offers to the losses.

    Attributes:
        adversarial: discriminator name -> `(real, fake, condition)`, float pictures
            `[batch, height, width, channels]` in [-1, 1]; `condition` is `None` where there is none.
        auxiliary: loss name -> unweighted float32 scalar; the trainer weighs and adds them.
        codes: what the generator was told and a discriminator's second output has to recognise, or `None`.
        monitored: name -> float32 scalar that is logged and no loss.
        output: the generated images, to be measured; `None` where nothing is measured.
    """

    adversarial: dict[str, tuple[Any, Any, Any]]
    auxiliary: dict[str, Any] = field(default_factory=dict)
    codes: Any = None
    monitored: dict[str, Any] = field(default_factory=dict)
    output: Any = None


@dataclass(frozen=True)
class Objective:
    """What the players minimise.

    Attributes:
        adversarial_loss: an `AdversarialLoss`; `None` where there are no discriminators.
        adversarial_weight: factor of the adversarial term for the generators.
        discriminator_weight: factor of the adversarial term for the discriminators.
        auxiliary_weights: name of each auxiliary loss of the synthesis -> its factor.
        logged_as: name of an auxiliary loss -> what it is multiplied by in logs, and there alone: `UNIT_RANGE` for
            distances of pictures in [-1, 1], which are then on the scale of what validation measures.
        real_label: 1, or less for one-sided label smoothing.
        penalties: each `GradientPenalty` of the discriminators with its weight.
        penalty_every_steps: the penalties are computed in every so many steps, and weigh as many times as much
            there (Karras et al. 2020, arXiv:1912.04958, section 2.2, "lazy regularization").
        code_loss: `(outputs, codes) -> scalar` of a discriminator's second output, which both players minimise.
        code_weight: its factor.
        monitored: names of the synthesis' figures that are logged.
    """

    adversarial_loss: Any
    adversarial_weight: float = 1.0
    discriminator_weight: float = 1.0
    auxiliary_weights: dict[str, float] = field(default_factory=dict)
    logged_as: dict[str, float] = field(default_factory=dict)
    real_label: float = 1.0
    penalties: tuple[tuple[Any, float], ...] = ()
    penalty_every_steps: int = 1
    code_loss: Callable | None = None
    code_weight: float = 1.0
    monitored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judging:
    """What is done to pictures before a discriminator judges them.

    Attributes:
        augmentation: `(images, draws, probability) -> images` with `draws_per_example`, applied to real and
            fake pictures alike, or `None`.
        probability: of each transform; where it adapts, its start.
        target: where the share of real pictures judged right, as `2 * share - 1`, is to stay: the probability
            adapts to keep it there (ADA, Karras et al. 2020, arXiv:2006.06676, section 3.1); `None` keeps it.
        ramp_images: pictures over which an adapting probability moves from 0 to 1.
        transformed_real_weight: above 0, the discriminator sees pictures as they are, and augmented real ones
            are a further term of this weight that it has to judge real.
        noise_sigma: standard deviation of Gaussian noise on real and fake pictures ("instance noise",
            Sonderby et al. 2017, arXiv:1610.04490, section 3), at the start.
        noise_steps: steps over which that noise fades to nothing; 0 keeps it.
        pool_size: generated pictures that are kept for each discriminator, to be seen again (`ImagePool`); 0 shows it
            the new ones. The pictures must have no condition.
        pool_picture: height, width and channels of a picture, where some are kept.
    """

    augmentation: Any = None
    probability: float = 1.0
    target: float | None = None
    ramp_images: int = 500_000
    transformed_real_weight: float = 0.0
    noise_sigma: float = 0.0
    noise_steps: int = 0
    pool_size: int = 0
    pool_picture: tuple[int, ...] = ()


class Task(Protocol):
    """One thing that a GAN can be trained for.

    It is built from a run's configuration, with `report`, called with lines for the user, and `measure_on`, a source
    of held-out pictures other than that of the training.

    Attributes:
        config_class: frozen dataclass of the task's own settings (`--set task.KEY=VALUE`).
        presets: preset name -> dotted overrides of the whole configuration; `default` is used where none is named.
        objective: losses and their weights.
        judging: what is done to pictures before a discriminator judges them.
        draws_per_example: uniform random numbers that `augment` wants for each example.
        sample_headers: what the columns of `sample_rows` are.
        metric_names: what `evaluate` measures; `training.best_metric` is one of these.
        pinned: settings that were chosen for the run by looking at its pictures, by dotted key.
        predict_arguments: what `tfgan_app predict` needs beside the model, to be shown to the user.
    """

    config_class: ClassVar[type]
    presets: ClassVar[dict[str, dict[str, Any]]]
    objective: Objective
    judging: Judging
    draws_per_example: int
    sample_headers: tuple[str, ...]
    metric_names: tuple[str, ...]
    pinned: dict[str, Any]
    predict_arguments: str

    def prepare(self) -> None:
        """Reads what training and evaluation need, so that what is wrong with it is said before the first step."""

    def fingerprint(self) -> str:
        """Digest of the training pictures: a resumed training must see the same ones."""

    def build_networks(self) -> Networks:
        """Fresh networks under the current dtype policy."""

    def start(self, networks: Networks) -> None:
        """Changes fresh networks into those that a new run starts from; a resumed one has its checkpoint."""

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """The training batches from `start_step` on: a pure function of (seed, step)."""

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Augments a batch as dictated by draws `[batch, draws_per_example]`, uniform in [0, 1)."""

    def synthesize(self, networks: Networks, batch: dict, training: bool) -> Synthesis:
        """Runs the generators on an augmented batch."""

    def inference_model(self, networks: Networks) -> keras.Model:
        """What is predicted with and exported, sharing the weights of `networks`.

        Either `images` to pictures, float32 in [0, 1] and of any size, or `latents` to such pictures.
        """

    def companions(self, networks: Networks) -> dict[str, keras.Model]:
        """Further inference models that `evaluate` and `examples` take by name, kept beside the one; most have none."""

    def held_out_examples(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Held-out inputs and what should come out: uint8 `[height, width, channels]`. Of a task of pictures only."""

    def calibration_pictures(self) -> list[np.ndarray]:
        """Some inputs of the training: uint8 `[height, width, channels]`. Of a task of pictures only."""

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Rows of uint8 pictures that show what an inference model does now."""

    def evaluate(self, model: keras.Model, **companions: keras.Model) -> dict[str, float]:
        """Metrics of an inference model on the held-out pictures, with those of a baseline."""

    def examples(self, model: keras.Model, current: keras.Model, **companions: keras.Model) -> dict[str, np.ndarray]:
        """What a finished model does: caption -> uint8 `[height, width, 3]`.

        Args:
            model: inference model of the averaged weights.
            current: the same of the weights as they are.
            companions: those of the averaged weights.
        """

    def study(self, model: keras.Model, discriminator: keras.Model) -> dict[str, Any]:
        """What generated pictures are worth to a classifier, ready for JSON; takes minutes. Of `augment` only."""

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """What the figures of `evaluate` cannot carry, in words: too few held-out images, features of too few.

        Args:
            measured: those figures; empty before there are any.
        """

    def count_trained_on(self) -> tuple[int, int]:
        """How many of the pictures that `evaluate` measures on are training pictures by their contents, of how many.

        Raises:
            ValueError: where the training pictures are not there any more.
        """

    def protocol(self) -> dict[str, Any]:
        """What the figures of `evaluate` were measured on, so that they can be compared."""
