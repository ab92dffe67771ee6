"""The method `paired`: pix2pix and its descendants, on aligned pairs."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from warnings import warn

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.augmentation.paired import DRAWS, PairedAugmentation
from tfgan_app.config import RunConfig, replace_values
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.checking import find_readable
from tfgan_app.data.image_pairs import ImagePair, PairSet, input_files, pair_names, target_files
from tfgan_app.data.overlap import count_shared_pairs
from tfgan_app.data.pairs import find_pairs
from tfgan_app.data.pipeline import build_pair_dataset, load_pairs
from tfgan_app.data.records import byte_sizes, take
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.data.unpaired import matching_share
from tfgan_app.image_io.grid import make_grid, spread_indices
from tfgan_app.metrics import PIXEL_METRICS, build_lpips, means_with_intervals, output_variation, paired_metrics
from tfgan_app.metrics.own import batched, own_metrics
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.caveats import few_held_out
from tfgan_app.tasks.extremes import both_ends
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.progress import LeftOut, progress_reporter
from tfgan_app.tasks.translate import paired_builders
from tfgan_app.tasks.translate.builders import (
    build_inference_model,
    check_discriminator_fits,
)
from tfgan_app.tasks.translate.config import PairedConfig
from tfgan_app.tasks.translate.presets import PAIRED_PRESETS
from tfgan_app.training.task import GeneratorOutputs, Networks

BUNDLED_SAMPLE = "emoji_pairs"
SAMPLE_ROWS = 8
EXAMPLE_ROWS = 6


class PairedTranslation(Task):
    """Learns to translate images of one kind into another from aligned pairs.

    "Image-to-Image Translation with Conditional Adversarial Networks", Isola et al. 2017, arXiv:1611.07004:
    a discriminator that sees input and output together, and an L1 distance to the target.

    Args:
        config: The run's configuration, its `task` section a `PairedConfig`.
        report: Called with messages on unusable pairs and on progress.
        measure_on: Source of the held-out pairs, if not that of the training.
    """

    config_class = PairedConfig
    presets: ClassVar[Mapping[str, Preset]] = PAIRED_PRESETS
    draws_per_example = DRAWS
    sample_headers = ("input", "output", "target")
    input_key = "input"

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn, measure_on: str | None = None):
        self._trained_on = config
        if measure_on is not None:
            # Another folder without splits is held out as a whole.
            config = replace_values(config, {"data.source": measure_on, "data.val_fraction": 1.0})
        super().__init__(config, report=report)
        settings = config.task
        check_discriminator_fits(settings.discriminator, config.data.image_size)
        self.objective = paired_builders.build_objective(settings)
        self._augmentation = PairedAugmentation(
            size_px=config.data.image_size,
            horizontal_flip=settings.horizontal_flip,
            vertical_flip=settings.vertical_flip,
            max_scale=settings.max_scale,
            max_rotation_degrees=settings.max_rotation_degrees,
            color_jitter=settings.color_jitter,
        )

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics; LPIPS only with its weights."""
        return (*PIXEL_METRICS, *(["lpips"] if self.config.task.lpips_weights else []), *self._own_metrics)

    @functools.cached_property
    def pairs(self) -> PairSet:
        """The training and the held-out pairs of the run's data source."""
        return self._find_pairs(self.config)

    def _find_pairs(self, config: RunConfig) -> PairSet:
        source, direction = config.data.source or bundled_path(BUNDLED_SAMPLE), config.task.direction
        return find_pairs(source, direction=direction, val_fraction=config.data.val_fraction)

    def prepare(self) -> None:
        """Reads the held-out pairs and the weights of metrics, and finds the readable training pairs."""
        _ = self.training_pairs, self._baseline
        share = matching_share(self.config.data.source) if self.config.data.source else None
        if share is not None:
            self._report(
                f"{len(self.training_pairs)} pairs by equal names; if they are not pairs, set `task.method` to cut"
            )

    @functools.cached_property
    def training_pairs(self) -> Sequence[ImagePair]:
        """The readable training pairs; others are reported and left out."""
        return self._readable(self.pairs.train, "train on")

    @functools.cached_property
    def held_out_pairs(self) -> Sequence[ImagePair]:
        """At most `data.max_val_images` readable held-out pairs, evenly spread."""
        chosen = spread_indices(len(self.pairs.val), self.config.data.max_val_images)
        return self._readable(take(self.pairs.val, chosen), "evaluate on")

    def _readable(self, pairs: Sequence[ImagePair], purpose: str) -> Sequence[ImagePair]:
        readable = find_readable(
            pairs,
            on_skip=lambda pair, problem: self._report(LeftOut(problem)),
            on_progress=progress_reporter(self._report, "checked"),
            on_note=self._report,
            input_range=self.config.data.input_range,
        )
        if not readable:
            raise ValueError(f"Expected pairs to {purpose} in {self.pairs.root}. Found none; try `tfgan_app inspect`.")
        return readable

    def fingerprint(self) -> str:
        """Digest of the names and sizes in bytes of the training images."""
        return _digest(self.training_pairs)

    def build_networks(self) -> Networks:
        """Builds the generator and the discriminator under the current dtype policy."""
        _ = self._losses  # Their variables must exist before the train step is traced.
        return paired_builders.build_networks(self.config.task, size_px=self.config.data.image_size, own={})

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"input", "target": uint8 [batch, load, load, 3], "position": int64 [batch]}`."""
        data, training = self.config.data, self.config.training
        return build_pair_dataset(
            self.training_pairs,
            CropSpec(round(data.image_size * data.load_scale), resize=data.resize, **data.reading),
            Schedule(batch_size=training.images_per_step, steps=training.steps, seed=seed, start_step=start_step),
            cache_budget_mb=data.cache_budget_mb,
            on_progress=progress_reporter(self._report, "loaded"),
        )

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Augments input and target identically: float32 `[batch, size, size, 3]` in [-1, 1]."""
        source, target = self._augmentation([batch["input"], batch["target"]], draws)
        return {"input": source, "target": target}

    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Translates the inputs; the discriminator gets the input as its condition."""
        return paired_builders.forward(networks, batch, training, losses=self._losses)

    @functools.cached_property
    def _losses(self) -> dict[str, Callable]:
        return paired_builders.build_auxiliary_losses(self.config.task)

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator between images in [0, 1]; shares the weights of `networks`."""
        return build_inference_model(networks.generators["generator"])

    @functools.cached_property
    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Held-out inputs and targets: uint8 `[count, size, size, 3]`, at most `data.max_val_images`."""
        data = self.config.data
        return load_pairs(self.held_out_pairs, CropSpec(data.image_size, resize=data.resize, **data.reading))

    def held_out_examples(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Held-out inputs and targets: uint8 `[size, size, 3]`."""
        return list(zip(*self.held_out, strict=True))

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Evenly spread held-out pairs as rows of input, output and target."""
        chosen = spread_indices(len(self.held_out_pairs), SAMPLE_ROWS)
        inputs, targets = (x[chosen] for x in self.held_out)
        return [list(row) for row in zip(inputs, translate(model, inputs), targets, strict=True)]

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """Caveats of the figures, as texts."""
        del measured
        return few_held_out(len(self.held_out_pairs))

    def count_trained_on(self) -> tuple[int, int]:
        """Number of held-out pairs with training images, and of all held-out ones."""
        training = self._find_pairs(self._trained_on).train
        return count_shared_pairs(self.held_out_pairs, training), len(self.held_out_pairs)

    def protocol(self) -> dict[str, Any]:
        """Conditions of `evaluate`, so that figures can be compared."""
        data = self.config.data
        split = "seeded hold-out" if self.pairs.val_is_holdout else "validation split"
        return {
            "images": len(self.held_out_pairs),
            "of": len(self.pairs.val),
            "data": data.source or BUNDLED_SAMPLE,
            "split": split,
            "split_digest": _digest(self.held_out_pairs)[:12],
            "size_px": data.image_size,
            "resize": f"{data.resize}, center crop",
            "value_range": "8-bit RGB, all channels, mean over images, PSNR up to 100 dB",
            "ssim_window": "11 px Gaussian, sigma 1.5",
            "weights": "averaged generator, float32, inference mode",
        }

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures PSNR (dB), SSIM and L1 (and LPIPS, given its weights) on the held-out pairs.

        Args:
            model: Inference model.

        Returns:
            Means over images: `psnr`, `ssim`, `l1`, each with its interval (`psnr_low`, `psnr_high`); `copy_psnr`,
            ... of the input taken as output; and `output_variation`, about 0 if the output ignores the input
            (left out if targets do not vary).
        """
        inputs, targets = self.held_out
        outputs = translate(model, inputs)
        measured = paired_metrics(targets, outputs, metrics=self._metrics)
        variation = output_variation(targets, outputs)
        return {
            **means_with_intervals(measured),
            **self._baseline,
            **({} if variation is None else {"output_variation": variation}),
        }

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """The best and worst held-out pairs by SSIM, as grids: caption -> uint8 `[height, width, 3]`."""
        del current
        inputs, targets = self.held_out
        outputs = translate(model, inputs)
        measured = paired_metrics(targets, outputs, metrics={"ssim": PIXEL_METRICS["ssim"]})
        order = np.argsort(-measured["ssim"], kind="stable")
        chosen = dict(zip(("best", "worst"), both_ends(order.tolist(), most=EXAMPLE_ROWS), strict=True))
        rows = {name: [[inputs[i], outputs[i], targets[i]] for i in indices] for name, indices in chosen.items()}
        grids = {name: make_grid(x, headers=self.sample_headers) for name, x in rows.items() if x}
        return {f"{name} held-out images": grid for name, grid in grids.items()}

    @functools.cached_property
    def _metrics(self) -> dict[str, Callable]:
        weights = self.config.task.lpips_weights
        lpips = {"lpips": build_lpips(weights)} if weights else {}
        return {**PIXEL_METRICS, **lpips, **self._own_metrics}

    @functools.cached_property
    def _own_metrics(self) -> dict[str, Callable]:
        return {name: batched(function) for name, function in own_metrics(self.config.task.metrics).items()}

    @functools.cached_property
    def _baseline(self) -> dict[str, float]:
        inputs, targets = self.held_out
        measured = paired_metrics(targets, inputs, metrics=self._metrics)
        return {f"copy_{name}": float(values.mean()) for name, values in measured.items()}


def _digest(pairs: Sequence[ImagePair]) -> str:
    sizes = byte_sizes(input_files(pairs)), byte_sizes(target_files(pairs))
    facts = list(zip(pair_names(pairs), *sizes, strict=True))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def translate(model: keras.Model, images: np.ndarray, *, batch_size: int = 16) -> np.ndarray:
    """Runs an inference model on uint8 `[count, height, width, 3]`; returns uint8 of the same size."""
    outputs = [
        model(images[start : start + batch_size].astype(np.float32) / 255.0, training=False)
        for start in range(0, len(images), batch_size)
    ]
    return np.rint(np.concatenate([np.asarray(x) for x in outputs]) * 255.0).astype(np.uint8)
