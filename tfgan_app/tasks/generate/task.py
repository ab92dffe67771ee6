"""The task `generate`: images from noise, of any kind or of a wanted class."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar
from warnings import warn

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.labeled import labeled_fingerprint
from tfgan_app.data.overlap import count_shared
from tfgan_app.image_io.grid import captioned, make_grid, spread_indices
from tfgan_app.layers import class_names_of, truncation_of
from tfgan_app.metrics import TextRetrieval
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.caveats import above_real
from tfgan_app.tasks.generate import builders
from tfgan_app.tasks.generate.config import PRESETS, GenerateConfig
from tfgan_app.tasks.generate.data import GenerateData
from tfgan_app.tasks.generate.evaluation import CHUNK, GenerationQuality, feature_cache
from tfgan_app.tasks.generate.sampling import (
    SWEEP_COLUMNS,
    code_sweeps,
    draw_latents,
    interpolate,
    rows_of,
    sample,
    truncations,
)
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.starting import start_networks
from tfgan_app.tokens import Vocabulary
from tfgan_app.training.task import DiscriminatorInputs, GeneratorOutputs, Networks

GRID_ROWS, GRID_COLUMNS, MAX_CLASS_COLUMNS, CAPTION_COLUMNS = 8, 8, 20, 6
MAX_RETRIEVAL_IMAGES = 20_000
LOOK_SEED = 1_000_000
"""First seed of the sample images; metrics use other seeds."""


class GenerateTask(Task):
    """Learns to draw images like those of a folder from normally distributed noise.

    "Generative Adversarial Nets", Goodfellow et al. 2014, arXiv:1406.2661; the settings choose among its
    successors.

    Args:
        config: The run's configuration, its `task` section a `GenerateConfig`.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out images, if not that of the training.
    """

    config_class = GenerateConfig
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    metric_names: tuple[str, ...] = ("fid", "kid", "precision", "recall", "density", "coverage")
    data_class: ClassVar[type[GenerateData]] = GenerateData
    predict_arguments: str = "--count 16 --seed 0 --output OUTPUT"

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn, measure_on: str | None = None):
        super().__init__(config, report=report)
        self.data = self.data_class(config, report=report, measure_on=measure_on)
        settings = config.task
        builders.check_settings(settings)
        self.draws_per_example = 1 + settings.latent_dim
        self.objective = builders.build_objective(settings)
        self._codes = builders.build_latent_codes(settings)
        if settings.captions:
            self.metric_names = (*self.metric_names, "retrieval")
            self.predict_arguments = '--prompt "A TEXT" --count 8 --seed 0 --output OUTPUT'

    @property
    def discriminator_inputs(self) -> DiscriminatorInputs:
        """Preparation of the discriminator's images."""
        return builders.build_discriminator_inputs(self.config.task, images=len(self.data.training))

    @property
    def resolved_settings(self) -> dict[str, Any]:
        """Settings that were derived from the images of the run."""
        return {"task.colors": "gray" if self.data.channels == 1 else "rgb"}

    def prepare(self) -> None:
        """Finds the readable images, and prepares the features and the floor of the metrics."""
        _ = self.data.training, self.quality.floor

    def fingerprint(self) -> str:
        """Digest of the training images."""
        digest = labeled_fingerprint(self.data.training)
        if not self.data.captions:
            return digest
        return hashlib.sha256("\n".join([digest, *self.data.captions]).encode()).hexdigest()

    def build_networks(self) -> Networks:
        """Builds the generator and the discriminator under the current dtype policy."""
        return builders.build_networks(
            self.config.task,
            size_px=self.config.data.image_size,
            channels=self.data.channels,
            classes=len(self.data.class_names),
            vocabulary=self._vocabulary,
        )

    @property
    def _vocabulary(self) -> Vocabulary | None:
        return self.data.vocabulary if self.config.task.captions else None

    def start(self, networks: Networks) -> None:
        """Loads the networks of the run that the settings name as start, if any."""
        origin = start_networks(networks, self.config.task.init_from, report=self._report)
        theirs = tuple(class_names_of(origin.generators["generator"])) if origin else ()
        if theirs != self.data.class_names and theirs:
            pairs = ", ".join(f"{here} from {there}" for there, here in zip(theirs, self.data.class_names, strict=True))
            self._report(f"class names differ there; each class starts from the one with its index: {pairs}")

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"image": uint8 [batch, size, size, channels], "label": int32 [batch], "position": int64}`."""
        return self.data.build_dataset(start_step=start_step, seed=seed)

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Brings images to [-1, 1], mirrors some, and draws standard normal latents."""
        images = tf.cast(batch["image"], tf.float32) / 127.5 - 1.0
        if self.config.task.horizontal_flip:
            mirrored = draws[:, 0, None, None, None] < 0.5
            images = tf.where(mirrored, images[:, :, ::-1], images)
        # The quantiles of 0 and 1 are infinite.
        latents = tf.math.ndtri(tf.clip_by_value(draws[:, 1:], 2.0**-24, 1.0 - 2.0**-24))
        return {"image": images, "label": batch["label"], "latents": latents}

    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Draws an image for each real one, of the same class or caption if the run is conditional."""
        captioned = self.config.task.captions
        return builders.forward(
            networks,
            batch,
            training,
            settings=self.config.task,
            codes=self._codes,
            conditional=captioned or bool(self.data.class_names),
            tokens=self.data.tokens if captioned else None,
        )

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator from standard normal latents (and labels) to images in [0, 1]; shares its weights."""
        generator = networks.generators["generator"]
        return builders.build_inference_model(
            generator, self.config.task, class_names=self.data.class_names, vocabulary=self._vocabulary
        )

    @functools.cached_property
    def quality(self) -> GenerationQuality:
        """The comparison of generated images with the held-out ones."""
        settings = self.config.task
        return GenerationQuality(
            held_out=self.data.held_out,
            training=self.data.training,
            load=self.data.load,
            classes=len(self.data.images.class_names),
            features=settings.features,
            feature_weights=settings.feature_weights,
            floor_count=self._measured_count,
            kept_back=min(len(self.data.images.val), settings.max_generated_images),
            report=self._report,
        )

    @property
    def _measured_count(self) -> int:
        return min(len(self.data.held_out), self.config.task.max_generated_images)

    @property
    def sample_headers(self) -> tuple[str, ...]:
        """The classes of the columns, if conditional."""
        return self.data.class_names[:MAX_CLASS_COLUMNS]

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Samples of fixed seeds; a class in each column if the run is conditional, captions below the images."""
        if self.data.captions:
            return self._captioned_rows(model)
        if not self.data.class_names:
            latents = draw_latents(model, GRID_ROWS * GRID_COLUMNS, first_seed=LOOK_SEED)
            return rows_of(sample(model, latents), GRID_COLUMNS)
        columns = len(self.sample_headers)
        latents = draw_latents(model, GRID_ROWS, first_seed=LOOK_SEED)
        # A row has one seed: everything independent of the class is the same along it.
        labels = np.tile(np.arange(columns, dtype=np.int32), GRID_ROWS)
        return rows_of(sample(model, np.repeat(latents, columns, axis=0), labels), columns)

    def _captioned_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Rows of held-out captions, then of training captions, each below its image."""
        half = GRID_ROWS * CAPTION_COLUMNS // 4
        labels = np.concatenate(
            [
                split.labels[:half]
                for split in (
                    self.data.held_out,
                    self.data.training.select(spread_indices(len(self.data.training), half)),
                )
            ]
        )
        images = sample(model, draw_latents(model, len(labels), first_seed=LOOK_SEED), self.data.tokens[labels])
        texts = [self.data.captions[label] for label in labels]
        shown = [captioned(image, text) for image, text in zip(_in_color(images), texts, strict=True)]
        return [shown[start : start + CAPTION_COLUMNS] for start in range(0, len(shown), CAPTION_COLUMNS)]

    def _conditions(self, labels: np.ndarray) -> np.ndarray | None:
        """The model's second input for labels of images: themselves, the tokens of their captions, or None."""
        if self.data.captions:
            return self.data.tokens[labels]
        return labels if self.data.class_names else None

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures FID, KID, precision, recall, density and coverage against the held-out images.

        As many images are generated as are held out, up to `task.max_generated_images`, with their classes or
        captions. With captions, the retrieval precision is measured too.

        Returns:
            The metrics by name, and `floor_...` of training images in place of generated ones.
        """
        measured = self.quality.measure(self._measured_samples(model)) | self.quality.floor
        if not self.data.captions:
            return measured
        labels = self.data.held_out.labels[: self._measured_count]
        generated = np.concatenate(list(self._measured_samples(model)))
        real = self.data.load(self.data.held_out.select(range(self._measured_count)))
        return measured | {
            "retrieval": self._retrieval.precision(generated, labels),
            "floor_retrieval": self._retrieval.precision(real, labels),
        }

    @functools.cached_property
    def _retrieval(self) -> TextRetrieval:
        """The encoder of images and captions that the retrieval precision is measured by."""
        self._report("retrieval precision: an encoder of the data's images and captions (trained once, then kept)")
        training = self.data.training.select(range(min(MAX_RETRIEVAL_IMAGES, len(self.data.training))))
        return TextRetrieval(
            self.data.load(training), training.labels, self.data.tokens, cache_dir=feature_cache(self._report)
        )

    def _measured_samples(self, model: keras.Model) -> Iterator[np.ndarray]:
        for start in range(0, self._measured_count, CHUNK):
            count = min(CHUNK, self._measured_count - start)
            conditions = self._conditions(self.data.held_out.labels[start : start + count])
            yield sample(model, draw_latents(model, count, first_seed=start), conditions)

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """Caveats of the figures, as texts."""
        return [*self.quality.caveats(generated=self._measured_count), *above_real(measured)]

    def count_trained_on(self) -> tuple[int, int]:
        """Number of held-out images that are training images, and of all held-out ones."""
        return count_shared(self.data.held_out, self.data.training), len(self.data.held_out)

    def protocol(self) -> dict[str, Any]:
        """Conditions of `evaluate`, so that figures can be compared."""
        data = self.config.data
        return {
            "data": self.data.origin,
            "split": self.data.split,
            "split_digest": labeled_fingerprint(self.data.held_out)[:12],
            "size_px": data.image_size,
            "channels": self.data.channels,
            "resize": f"{data.resize}, random crops that stay",
            "classes": "as the held-out images" if self.data.class_names else "none asked for",
            **({"captions": "of the held-out images"} if self.data.captions else {}),
            "weights": "averaged generator, float32, inference mode, no truncation",
            **self.quality.protocol(generated=self._measured_count),
        }

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """Grids for the report: interpolation, truncation, effect of averaging, nearest training images.

        Args:
            model: Inference model of the averaged weights.
            current: Inference model of the current weights.

        Returns:
            Caption -> uint8 `[height, width, 3]`.
        """
        columns, classes = GRID_COLUMNS, len(self.data.class_names)
        labels = np.arange(columns, dtype=np.int32) % classes if classes else None
        if self.data.captions:
            labels = self.data.tokens[self.data.held_out.labels[np.arange(columns) % len(self.data.held_out)]]
        latents = draw_latents(model, columns, first_seed=LOOK_SEED)
        averaged, raw = (sample(each, latents, labels) for each in (model, current))
        neighbors = self.quality.neighbors(averaged, count=5)
        pairs = zip(rows_of(averaged, 1), map(_only_row, neighbors), strict=True)
        levels = (None, 1.5, 1.0, 0.5) if truncation_of(model) is None else (None, 0.7, 0.5, 0.0)
        truncated = truncations(model, levels, columns=columns, first_seed=LOOK_SEED, labels=labels)
        moving = interpolate(model, rows=6, columns=columns, first_seed=LOOK_SEED, labels=labels)
        return {
            "interpolation between seeds": make_grid(rows_of(moving, columns)),
            "truncation " + " ".join(str(level).lower() for level in levels): make_grid(rows_of(truncated, columns)),
            "averaged weights above current ones": make_grid(rows_of(np.concatenate([averaged, raw]), columns)),
            "each drawn image and its nearest training images": make_grid([[*drawn, *found] for drawn, found in pairs]),
            **self._code_sweeps(model, labels),
        }

    def _code_sweeps(self, model: keras.Model, labels: np.ndarray | None) -> dict[str, np.ndarray]:
        settings = self.config.task
        if not settings.codes:
            return {}
        counts = {"categories": settings.categorical_codes, "continuous": settings.continuous_codes}
        swept = code_sweeps(model, **counts, first_seed=LOOK_SEED, labels=labels)
        return {"one code changes along each row": make_grid(rows_of(swept, SWEEP_COLUMNS))}


def _in_color(images: np.ndarray) -> list[np.ndarray]:
    return [image for row in rows_of(images, 1) for image in row]


def _only_row(images: np.ndarray) -> list[np.ndarray]:
    return rows_of(images, len(images))[0]
