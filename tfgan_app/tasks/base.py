"""Base class of the tasks, with defaults for optional members."""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from warnings import warn

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.starting import start_networks
from tfgan_app.training.task import DiscriminatorInputs, GeneratorOutputs, Networks, Objective

CALIBRATION_IMAGES = 32
"""Number of calibration images; enough for stable 8-bit ranges: 16 and 64 gave the same PSNR to 0.6 dB."""


class Task(abc.ABC):
    """One thing that a GAN can be trained for.

    A task sets `config_class`, `presets`, `objective` and `metric_names`, and defines `fingerprint`, `build_networks`,
    `build_dataset`, `forward`, `inference_model` and `evaluate`. All other members have defaults.

    Args:
        config: Configuration of the run.
        report: Called with lines for the user.
        measure_on: Source of the held-out images, if it is not the source of the training images. For tasks that
            measure on images of others.

    Attributes:
        config: Configuration of the run.
        config_class: Frozen dataclass of the task's settings (`--set task.KEY=VALUE`).
        presets: Preset name -> dotted overrides of the whole configuration; `default` is used if none is named.
        draws_per_example: Uniform random numbers that `augment` takes for each example.
        input_key: Key of the generator's input image in an augmented batch; None for generators of noise.
        takes_numbers: Whether the task trains on images as numbers (`data.channels`).
        has_study: Whether the task has a method `study(model, discriminator)` that `tfgan_app evaluate` runs too.
    """

    config_class: ClassVar[type]
    presets: ClassVar[Mapping[str, Preset]]
    draws_per_example: int = 0
    input_key: ClassVar[str | None] = None
    takes_numbers: ClassVar[bool] = False
    has_study: ClassVar[bool] = False

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn, measure_on: str | None = None):
        del measure_on
        if config.data.channels is not None and not self.takes_numbers:
            raise ValueError(
                f"`data.channels` reads images as numbers, for upscale and restore. Received: {config.data.channels} "
                f"for {config.task_name}, which takes 8-bit images: leave it out."
            )
        self.config = config
        self._report = report

    # Cached properties, which subclasses may replace by class attributes, instance attributes or properties.
    @functools.cached_property
    def objective(self) -> Objective:
        """Losses and their weights."""
        raise NotImplementedError(f"{type(self).__name__} must define `objective`.")

    @functools.cached_property
    def discriminator_inputs(self) -> DiscriminatorInputs:
        """Preparation of the discriminators' images."""
        return DiscriminatorInputs()

    @functools.cached_property
    def sample_headers(self) -> tuple[str, ...]:
        """Column titles of `sample_rows`."""
        return ()

    @functools.cached_property
    def metric_names(self) -> tuple[str, ...]:
        """Figures that `evaluate` returns; `training.best_metric` is one of these."""
        return ()

    @functools.cached_property
    def resolved_settings(self) -> Mapping[str, Any]:
        """Settings that were derived from the training images, by dotted key."""
        return {}

    @functools.cached_property
    def predict_arguments(self) -> str:
        """Arguments that `tfgan_app predict` needs besides the model, shown to the user."""
        return "--input IMAGES --output OUTPUT"

    def prepare(self) -> None:  # noqa: B027 (most tasks override it; none must)
        """Reads what training and evaluation need, so that errors show before the first step."""

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """Returns a digest of the training images; it must be the same when a training is resumed."""

    @abc.abstractmethod
    def build_networks(self) -> Networks:
        """Builds fresh networks under the current dtype policy."""

    def start(self, networks: Networks) -> None:
        """Loads the initial weights of a new run into fresh networks; a resumed run has its checkpoint.

        By default these are the weights of `task.init_from`, if the task has this setting and it is set.
        """
        settings = self.config.task
        source, direction = getattr(settings, "init_from", None), getattr(settings, "direction", None)
        start_networks(networks, source, report=self._report, direction=direction)

    @abc.abstractmethod
    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Returns the training batches from `start_step` on: a pure function of (seed, step)."""

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Augments a batch.

        Args:
            batch: A batch of the dataset.
            draws: float32 `[batch, draws_per_example]`, uniform in [0, 1).
        """
        del draws
        return batch

    @abc.abstractmethod
    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Runs the generators on an augmented batch."""

    @abc.abstractmethod
    def inference_model(self, networks: Networks) -> keras.Model:
        """Returns the model to predict with and to export, which shares the weights of `networks`.

        It maps `images` to images, float32 in [0, 1] of any size, or `latents` to such images.
        """

    def auxiliary_models(self, networks: Networks) -> dict[str, keras.Model]:
        """Returns further inference models by name, kept beside the main one, for `evaluate` and `examples`."""
        del networks
        return {}

    def held_out_examples(self) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Returns held-out inputs with their targets, or None where these are unknown.

        Images are uint8 `[height, width, channels]`. Tasks that take no images have no examples.
        """
        return []

    def calibration_images(self) -> list[np.ndarray]:
        """Returns inputs of the first training steps, as the generator gets them: uint8 `[height, width, channels]`.

        Empty for tasks without `input_key`.
        """
        if self.input_key is None:
            return []
        found: list[np.ndarray] = []
        seed = self.config.training.seed
        for step, batch in enumerate(self.build_dataset(start_step=0, seed=seed)):
            size = tf.shape(batch["position"])[0]
            draws = tf.random.stateless_uniform([size, self.draws_per_example], [seed, step])
            inputs = self.augment(batch, draws)[self.input_key]
            found += list(np.rint(np.clip(inputs.numpy() * 0.5 + 0.5, 0.0, 1.0) * 255.0).astype(np.uint8))
            if len(found) >= CALIBRATION_IMAGES:
                break
        return found[:CALIBRATION_IMAGES]

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Returns rows of uint8 images that show the current state of an inference model."""
        del model
        return []

    @abc.abstractmethod
    def evaluate(self, model: keras.Model, *args: Any, **auxiliary_models: Any) -> dict[str, float]:
        """Measures an inference model on the held-out images.

        Returns:
            The metrics by name, with those of a baseline.
        """

    def examples(
        self, model: keras.Model, current: keras.Model, *args: Any, **auxiliary_models: Any
    ) -> dict[str, np.ndarray]:
        """Returns images of a finished model for the report: caption -> uint8 `[height, width, 3]`.

        Args:
            model: Inference model of the averaged weights.
            current: Inference model of the weights of the last step.
            *args: Unused; lets a subclass take only the further models that it has.
            **auxiliary_models: Further inference models of the averaged weights.
        """
        del model, current, args, auxiliary_models
        return {}

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """Returns the limits of the figures of `evaluate`, for the user: too few held-out images, weak features.

        Args:
            measured: The figures; empty before the first evaluation.
        """
        del measured
        return []

    def count_trained_on(self) -> tuple[int, int]:
        """Returns the number of held-out images that are training images by their contents, and of all held-out ones.

        Raises:
            ValueError: If the training images are gone.
        """
        return 0, 0

    def protocol(self) -> dict[str, Any]:
        """Returns the conditions of `evaluate` (data, split, sizes), so that figures can be compared."""
        return {}
