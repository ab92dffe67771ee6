"""Pictures from noise, of any kind or of a wanted class."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar
from warnings import warn

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.data.bundled import bundled_path
from tfgan_app.data.checking import find_readable_pictures
from tfgan_app.data.labelled import LabelledPictures, LabelledSet, labelled_fingerprint
from tfgan_app.data.opening import open_labelled
from tfgan_app.data.pipeline import build_labelled_dataset, load_labelled
from tfgan_app.images import make_grid
from tfgan_app.tasks import generate_game as game
from tfgan_app.tasks.generate_config import DEFAULT_PRESET, R3GAN_PRESET, GenerateConfig
from tfgan_app.tasks.generate_quality import GenerationQuality
from tfgan_app.tasks.progress import progress_reporter
from tfgan_app.tasks.sampling import (
    SWEEP_COLUMNS,
    code_sweeps,
    draw_latents,
    interpolate,
    rows_of,
    sample,
    truncations,
)
from tfgan_app.training.task import Judging, Networks, Synthesis

BUNDLED_SAMPLE = "fashion"
GRID_ROWS, GRID_COLUMNS = 8, 8
LOOK_SEED = 1_000_000
"""First seed of the pictures that are looked at; those that are measured have others."""


class GenerateTask:
    """Learns to draw pictures like those of a folder out of normally distributed noise.

    "Generative Adversarial Nets", Goodfellow et al. 2014, arXiv:1406.2661; the settings choose among its
    successors.

    Args:
        config: the run's configuration, its `task` section a `GenerateConfig`.
        report: called with a line about each picture that cannot be used, and on the progress of long reading.
    """

    config_class = GenerateConfig
    presets: ClassVar[dict[str, dict[str, Any]]] = {"default": DEFAULT_PRESET, "r3gan": R3GAN_PRESET}
    predict_arguments = "--count 16 --seed 0 --output OUTPUT"

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn):
        self.config = config
        self._report = report
        settings = config.task
        game.check_settings(settings)
        self.draws_per_example = 1 + settings.latent_dim
        self.objective = game.build_objective(settings)
        self._codes = game.build_latent_codes(settings)

    @property
    def judging(self) -> Judging:
        """What is done to pictures before the discriminator judges them."""
        return game.build_judging(self.config.task, pictures=len(self.training_pictures))

    @functools.cached_property
    def pictures(self) -> LabelledSet:
        """The training and the held-out pictures of the run's data source."""
        data = self.config.data
        found = open_labelled(data.source or bundled_path(BUNDLED_SAMPLE), val_fraction=data.val_fraction)
        if self.config.task.conditional and not found.class_names:
            raise ValueError(
                f"`task.conditional=true` needs classes: a folder for each. Received: {found.origin}, "
                f"which has none ({found.layout})."
            )
        return found

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that can be asked for: none unless the run is conditional."""
        return self.pictures.class_names if self.config.task.conditional else ()

    @property
    def channels(self) -> int:
        """1 for gray pictures, 3 for colour."""
        colours = self.config.task.colours
        return 1 if colours == "gray" or (colours == "auto" and self.pictures.gray) else 3

    @functools.cached_property
    def training_pictures(self) -> LabelledPictures:
        """The pictures to train on; those that cannot be read are reported and left out."""
        return self._readable(self.pictures.train, "train on")

    @functools.cached_property
    def held_out_pictures(self) -> LabelledPictures:
        """At most `data.max_val_pictures` held-out pictures that can be read, spread over the classes."""
        held_out = self.pictures.val
        limit = self.config.data.max_val_pictures
        if len(held_out) > limit:
            held_out = held_out.select(np.sort(np.random.default_rng(0).permutation(len(held_out))[:limit]))
        return self._readable(held_out, "measure on")

    def _readable(self, pictures: LabelledPictures, purpose: str) -> LabelledPictures:
        readable = find_readable_pictures(
            pictures,
            on_skip=lambda name, problem: self._report(f"left out: {problem}"),
            on_progress=progress_reporter(self._report, "checked"),
        )
        if not len(readable):
            raise ValueError(f"Expected pictures to {purpose} in {self.pictures.origin}. Found none that can be read.")
        return readable

    def prepare(self) -> None:
        """Finds the pictures that can be read, and the features and the floor of the metrics."""
        _ = self.training_pictures, self.quality.floor

    def fingerprint(self) -> str:
        """Digest of the training pictures."""
        return labelled_fingerprint(self.training_pictures)

    def build_networks(self) -> Networks:
        """Builds the generator and the discriminator under the current dtype policy."""
        return game.build_networks(
            self.config.task,
            size_px=self.config.data.image_size,
            channels=self.channels,
            classes=len(self.class_names),
        )

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"image": uint8 [batch, size, size, channels], "label": int32 [batch], "position": int64}`."""
        data, training = self.config.data, self.config.training
        return build_labelled_dataset(
            self.training_pictures,
            size_px=data.image_size,
            channels=self.channels,
            batch_size=training.pictures_per_step,
            steps=training.steps,
            start_step=start_step,
            seed=seed,
            resize=data.resize,
            background=data.background_rgb,
            cache_budget_mb=data.cache_budget_mb,
            on_progress=progress_reporter(self._report, "loaded"),
        )

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Brings pictures to [-1, 1], mirrors some, and draws standard normal latents."""
        images = tf.cast(batch["image"], tf.float32) / 127.5 - 1.0
        if self.config.task.horizontal_flip:
            mirrored = draws[:, 0, None, None, None] < 0.5
            images = tf.where(mirrored, images[:, :, ::-1], images)
        # The quantiles of 0 and 1 are infinite.
        latents = tf.math.ndtri(tf.clip_by_value(draws[:, 1:], 2.0**-24, 1.0 - 2.0**-24))
        return {"image": images, "label": batch["label"], "latents": latents}

    def synthesize(self, networks: Networks, batch: dict, training: bool) -> Synthesis:
        """Draws a picture for each real one, of the same class where the run is conditional."""
        condition = batch["label"] if self.class_names else None
        latents = self._codes(batch["latents"])
        inputs = latents if condition is None else [latents, condition]
        fake = networks.generators["generator"](inputs, training=training)
        spreads = [tf.reduce_mean(tf.math.reduce_std(images, axis=0)) for images in (fake, batch["image"])]
        return Synthesis(
            {"discriminator": (batch["image"], fake, condition)},
            codes=latents[:, : self.config.task.categorical_codes + self.config.task.continuous_codes],
            monitored={"diversity": spreads[0] / (spreads[1] + 1e-6)},
        )

    def inference_model(self, networks: Networks) -> keras.Model:
        """The generator from standard normal latents (and labels) to pictures in [0, 1]; shares its weights."""
        generator = networks.generators["generator"]
        return game.build_inference_model(generator, self.config.task, class_names=self.class_names)

    @functools.cached_property
    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Held-out pictures uint8 `[count, size, size, channels]`, and their labels int32 `[count]`."""
        pictures = self.held_out_pictures
        return self.load(pictures), pictures.labels

    def load(self, pictures: LabelledPictures) -> np.ndarray:
        """Pictures as they are measured: uint8 `[count, size, size, channels]`."""
        data = self.config.data
        return load_labelled(
            pictures,
            size_px=data.image_size,
            channels=self.channels,
            resize=data.resize,
            background=data.background_rgb,
        )

    @functools.cached_property
    def quality(self) -> GenerationQuality:
        """Measures generated pictures against the held-out ones."""
        return GenerationQuality(
            held_out=self.held_out[0],
            training=self.training_pictures,
            load=self.load,
            classes=len(self.pictures.class_names),
            features=self.config.task.features,
            feature_weights=self.config.task.feature_weights,
            report=self._report,
        )

    @property
    def sample_headers(self) -> tuple[str, ...]:
        """The classes, where each has a column."""
        return self.class_names[:GRID_COLUMNS]

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """The same seeds each time; a class in each column where the run is conditional."""
        columns = len(self.sample_headers) or GRID_COLUMNS
        latents = draw_latents(model, GRID_ROWS * (1 if self.class_names else columns), first_seed=LOOK_SEED)
        if not self.class_names:
            return rows_of(sample(model, latents), columns)
        # A row is one seed: what does not depend on the class is the same along it.
        labels = np.tile(np.arange(columns, dtype=np.int32), GRID_ROWS)
        return rows_of(sample(model, np.repeat(latents, columns, axis=0), labels), columns)

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures FID, KID, precision, recall, density and coverage against the held-out pictures.

        As many pictures are generated as are held out, up to `task.max_generated_pictures`, with their classes.

        Returns:
            The metrics by name, and `floor_...` of training pictures in the place of generated ones.
        """
        count = self._measured_count
        labels = self.held_out[1][:count] if self.class_names else None
        return self.quality.measure(sample(model, draw_latents(model, count), labels)) | self.quality.floor

    @property
    def _measured_count(self) -> int:
        return min(len(self.held_out_pictures), self.config.task.max_generated_pictures)

    def protocol(self) -> dict[str, Any]:
        """What the figures of `evaluate` were measured on, so that they can be compared."""
        data = self.config.data
        split = "seeded hold-out" if self.pictures.val_is_holdout else "validation split"
        return {
            "split": f"{split} of {data.source or BUNDLED_SAMPLE}",
            "split_digest": labelled_fingerprint(self.held_out_pictures)[:12],
            "size_px": data.image_size,
            "channels": self.channels,
            "resize": f"{data.resize}, centre crop",
            "classes": "as the held-out pictures" if self.class_names else "none asked for",
            "weights": "averaged generator, float32, inference mode, no truncation",
            **self.quality.protocol(generated=self._measured_count),
        }

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """Grids for the report: is it smooth, what do truncation and averaging change, is it memorised?

        Args:
            model: inference model of the averaged weights.
            current: the same of the weights as they are.

        Returns:
            Caption -> uint8 `[height, width, 3]`.
        """
        columns = GRID_COLUMNS
        labels = np.arange(columns, dtype=np.int32) % len(self.class_names) if self.class_names else None
        latents = draw_latents(model, columns, first_seed=LOOK_SEED)
        averaged, raw = (sample(each, latents, labels) for each in (model, current))
        neighbours = self.quality.neighbours(averaged, count=5)
        memorised = [
            [*row, *found] for row, found in zip(rows_of(averaged, 1), map(_only_row, neighbours), strict=True)
        ]
        truncated = truncations(model, (None, 1.5, 1.0, 0.5), columns=columns, first_seed=LOOK_SEED, labels=labels)
        moving = interpolate(model, rows=6, columns=columns, first_seed=LOOK_SEED, labels=labels)
        settings, sweeps = self.config.task, {}
        if settings.codes:
            codes = {"categories": settings.categorical_codes, "continuous": settings.continuous_codes}
            swept = code_sweeps(model, **codes, first_seed=LOOK_SEED, labels=labels)
            sweeps = {"one code changes along each row": make_grid(rows_of(swept, SWEEP_COLUMNS))}
        return sweeps | {
            "interpolation between seeds": make_grid(rows_of(moving, columns)),
            "truncation none 1.5 1.0 0.5": make_grid(rows_of(truncated, columns)),
            "averaged weights above current ones": make_grid(rows_of(np.concatenate([averaged, raw]), columns)),
            "nearest training pictures": make_grid(memorised, headers=("generated",)),
        }


def _only_row(pictures: np.ndarray) -> list[np.ndarray]:
    return rows_of(pictures, len(pictures))[0]
