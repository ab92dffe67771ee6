"""Base class of the unpaired methods of `translate`."""

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
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.translate.builders import build_inference_model, check_discriminator_fits, generator_options
from tfgan_app.tasks.translate.config import UnpairedConfig
from tfgan_app.tasks.translate.paired import EXAMPLE_ROWS, SAMPLE_ROWS, translate
from tfgan_app.tasks.translate.presets import UNPAIRED_PRESETS
from tfgan_app.tasks.translate.unpaired_builders import build_objective
from tfgan_app.tasks.translate.unpaired_data import SIDES, UnpairedData
from tfgan_app.tasks.translate.unpaired_evaluation import UnpairedQuality
from tfgan_app.training.task import Networks, Objective


class UnpairedTranslation(Task):
    """Learns to translate images of one set into the kind of another, without pairs.

    A method adds `build_networks` and `forward`.

    Args:
        config: The run's configuration, its `task` section an `UnpairedConfig`.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out images, if not that of the training.
    """

    config_class = UnpairedConfig
    presets: ClassVar[Mapping[str, Preset]] = UNPAIRED_PRESETS
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
        """Name of each loss besides the adversarial one -> its weight."""
        raise NotImplementedError

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics; PSNR, SSIM and L1 only with ground truth."""
        return self.quality.metric_names

    @functools.cached_property
    def sample_headers(self) -> tuple[str, ...]:
        """Columns of `sample_rows`."""
        return ("input", "output", *(("target",) if len(self.data.true_pairs[0]) else ()))

    def prepare(self) -> None:
        """Reads the held-out images, measures the baselines, and finds the readable training images."""
        _ = self.data.training, self.quality.baselines

    def fingerprint(self) -> str:
        """Digest of the training images."""
        return self.data.fingerprint()

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"input", "target": uint8 [batch, load, load, 3], "position": int64 [batch]}`; see `data`."""
        return self.data.build_dataset(start_step=start_step, seed=seed)

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Augments inputs and targets independently: float32 `[batch, size, size, 3]` in [-1, 1]."""
        (inputs,) = self._augmentation([batch["input"]], draws[:, :DRAWS])
        (targets,) = self._augmentation([batch["target"]], draws[:, DRAWS : 2 * DRAWS])
        return {"input": inputs, "target": targets}

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator from inputs to targets, between images in [0, 1]; shares the weights of `networks`."""
        return build_inference_model(networks.generators["generator"])

    def held_out_examples(self) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Held-out inputs, uint8 `[size, size, 3]`, and their targets if known."""
        truth = dict(zip(*map(np.ndarray.tolist, self.data.true_pairs), strict=True))
        targets = self.data.images["target"]
        return [
            (image, targets[truth[index]] if index in truth else None)
            for index, image in enumerate(self.data.images["input"])
        ]

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Evenly spread held-out inputs as rows of input, output and, if known, target."""
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
            `psnr`, `ssim`, ... with ground truth; `copy_...` of the inputs taken as outputs, and
            `floor_...` of training targets.
        """
        return self.quality.measure(translate(model, self.data.images["input"]))

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """The held-out images with the most and the least change: caption -> uint8 `[height, width, 3]`."""
        del current
        inputs = self.data.images["input"]
        change = np.abs(translate(model, inputs).astype(np.int16) - inputs).mean((1, 2, 3))
        order = np.argsort(-change, kind="stable")
        chosen = dict(zip(("most", "least"), both_ends(order.tolist(), most=EXAMPLE_ROWS), strict=True))
        return {
            f"held-out images that were changed the {name}": make_grid(
                self._rows(model, indices), headers=self.sample_headers
            )
            for name, indices in chosen.items()
        }

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """Caveats of the figures, as texts."""
        del measured
        return self.quality.caveats()

    def count_trained_on(self) -> tuple[int, int]:
        """Number of held-out images of both sides that are training images, and of all held-out ones."""
        sides = [(self.data.held_out[side].images, self.data.training[side].images) for side in SIDES]
        return sum(count_shared(*pair) for pair in sides), sum(len(measured) for measured, _ in sides)

    def protocol(self) -> dict[str, Any]:
        """Conditions of `evaluate`, so that figures can be compared."""
        return {
            **self.data.protocol(),
            **self.quality.protocol(),
            "weights": "averaged generator, float32, inference mode",
        }
