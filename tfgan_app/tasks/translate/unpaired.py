"""What translations between two sets of images have in common, whatever ties output and input together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from warnings import warn

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.augmentation.paired import DRAWS, PairedAugmentation
from tfgan_app.config import RunConfig
from tfgan_app.data.overlap import count_shared
from tfgan_app.image_io.grid import make_grid, spread_indices
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.extremes import both_ends
from tfgan_app.tasks.translate.builders import build_inference_model, check_discriminator_fits, generator_options
from tfgan_app.tasks.translate.config import UnpairedConfig
from tfgan_app.tasks.translate.paired import EXAMPLE_ROWS, SAMPLE_ROWS, translate
from tfgan_app.tasks.translate.presets import UNPAIRED_PRESETS
from tfgan_app.tasks.translate.unpaired_builders import build_objective
from tfgan_app.tasks.translate.unpaired_data import SIDES, UnpairedData
from tfgan_app.tasks.translate.unpaired_evaluation import UnpairedQuality
from tfgan_app.training.task import Networks, Objective


class UnpairedTranslation(Task):
    """Learns to turn images of one set into ones like those of another, without knowing which belong together.

    A method adds `build_networks` and `forward`.

    Args:
        config: The run's configuration, its `task` section a `UnpairedConfig`.
        report: Called with a line about each image that cannot be used, and on the progress of long reading.
        measure_on: Source of the held-out images, where it is not that of the training.
    """

    config_class = UnpairedConfig
    presets: ClassVar[dict[str, dict[str, Any]]] = UNPAIRED_PRESETS
    draws_per_example = 2 * DRAWS
    input_key = "input"

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn, measure_on: str | None = None):
        super().__init__(config, report=report)
        settings = config.task
        generator_options(settings)
        check_discriminator_fits(settings.discriminator, config.data.image_size)
        self.data = UnpairedData(config, report=report, measure_on=measure_on)
        self.quality = UnpairedQuality(config, data=self.data, report=report)
        self._augmentation = PairedAugmentation(
            size_px=config.data.image_size,
            horizontal_flip=settings.horizontal_flip,
            vertical_flip=settings.vertical_flip,
            max_scale=settings.max_scale,
            max_rotation_degrees=settings.max_rotation_degrees,
            color_jitter=settings.color_jitter,
        )

    @property
    def objective(self) -> Objective:
        """Losses and their weights."""
        return build_objective(self.config.task, auxiliary_weights=self.auxiliary_weights)

    @property
    def auxiliary_weights(self) -> dict[str, float]:
        """Name of each loss beside the adversarial one -> its weight."""
        raise NotImplementedError

    @property
    def metric_names(self) -> tuple[str, ...]:
        """What is measured; PSNR, SSIM and L1 where held-out images have true answers."""
        return self.quality.metric_names

    @functools.cached_property
    def sample_headers(self) -> tuple[str, ...]:
        """Columns of `sample_rows`."""
        return ("input", "output", *(("target",) if len(self.data.true_pairs[0]) else ()))

    def prepare(self) -> None:
        """Reads the held-out images and finds the baselines, and the training images that can be read."""
        _ = self.data.training, self.quality.baselines

    def fingerprint(self) -> str:
        """Digest of the training images."""
        return self.data.fingerprint()

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"input", "target": uint8 [batch, load, load, 3], "position": int64 [batch]}`; see `data`."""
        return self.data.build_dataset(start_step=start_step, seed=seed)

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Augments inputs and targets each by themselves: float32 `[batch, size, size, 3]` in [-1, 1]."""
        (inputs,) = self._augmentation([batch["input"]], draws[:, :DRAWS])
        (targets,) = self._augmentation([batch["target"]], draws[:, DRAWS : 2 * DRAWS])
        return {"input": inputs, "target": targets}

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator from inputs to targets, between images in [0, 1]; shares the weights of `networks`."""
        return build_inference_model(networks.generators["generator"])

    def held_out_examples(self) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Held-out inputs, uint8 `[size, size, 3]`, and what should come out where it is known."""
        truth = dict(zip(*map(np.ndarray.tolist, self.data.true_pairs), strict=True))
        targets = self.data.images["target"]
        return [
            (image, targets[truth[index]] if index in truth else None)
            for index, image in enumerate(self.data.images["input"])
        ]

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Held-out inputs from all of them as rows of input, output and, where there is one, target."""
        return self._rows(model, spread_indices(len(self.data.images["input"]), SAMPLE_ROWS))

    def _rows(self, model: keras.Model, indices) -> list[list[np.ndarray]]:
        examples = self.held_out_examples()
        chosen = [examples[index] for index in indices]
        outputs = translate(model, np.stack([image for image, _ in chosen]))
        blank = np.full_like(outputs[0], 255)
        columns = len(self.sample_headers)
        return [
            [image, output, blank if target is None else target][:columns]
            for (image, target), output in zip(chosen, outputs, strict=True)
        ]

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures the translated held-out inputs; see `UnpairedQuality`.

        Args:
            model: Inference model.

        Returns:
            `fid` and `kid` against the held-out targets, `change` from the input (mean over pixels, range 1), and
            `psnr`, `ssim`, ... where there are true answers; `copy_...` of the inputs taken for the outputs, and
            `floor_...` of training targets.
        """
        return self.quality.measure(translate(model, self.data.images["input"]))

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """The held-out images that were changed the most and the least: caption -> uint8 `[height, width, 3]`."""
        del current
        inputs = self.data.images["input"]
        change = np.abs(translate(model, inputs).astype(np.int16) - inputs).mean((1, 2, 3))
        order = np.argsort(-change, kind="stable")
        chosen = dict(zip(("most", "least"), both_ends(order, most=EXAMPLE_ROWS), strict=True))
        return {
            f"held-out images that were changed the {name}": make_grid(
                self._rows(model, indices), headers=self.sample_headers
            )
            for name, indices in chosen.items()
        }

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """What the figures cannot carry, in words."""
        del measured
        return self.quality.caveats()

    def count_trained_on(self) -> tuple[int, int]:
        """How many of the images to measure on, of both sides, are training images, and of how many."""
        sides = [(self.data.held_out[side].images, self.data.training[side].images) for side in SIDES]
        return sum(count_shared(*pair) for pair in sides), sum(len(measured) for measured, _ in sides)

    def protocol(self) -> dict[str, Any]:
        """What the figures of `evaluate` were measured on, so that they can be compared."""
        return {
            **self.data.protocol(),
            **self.quality.protocol(),
            "weights": "averaged generator, float32, inference mode",
        }
