"""The method `style`: arbitrary style transfer in one pass."""

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
from tfgan_app.image_io.grid import make_grid, spread_indices
from tfgan_app.layers import AdaptiveInstanceNorm, build_style_model
from tfgan_app.losses import StyleLosses, build_style_losses, structure_distance, style_distance
from tfgan_app.networks.style_transfer import build_style_encoder
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.caveats import few_held_out
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.translate import style_builders
from tfgan_app.tasks.translate.builders import check_discriminator_fits
from tfgan_app.tasks.translate.config import StyleConfig
from tfgan_app.tasks.translate.presets import STYLE_PRESETS
from tfgan_app.tasks.translate.style_builders import DECODER
from tfgan_app.tasks.translate.style_data import StyleImages
from tfgan_app.training.task import GeneratorOutputs, Networks

METRICS = ("transfer_distance", "content_distance", "style_distance")
SAMPLE_ROWS = 8
EXAMPLE_ROWS = 6
EXAMPLE_STRENGTHS = (0.0, 0.5, 1.0)

_BATCH = 8
_TINY = 1e-6


class StyleTransfer(Task):
    """Learns to decode features with the statistics of another image.

    "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization", Huang & Belongie 2017,
    arXiv:1703.06868. Deviations: VGG16 in place of VGG19; a reconstruction loss of contents with unchanged features
    (strength 0), which teaches the decoder the layout within hundreds of steps (the identity loss of "Arbitrary Style
    Transfer with Style-Attentional Networks", Park & Lee 2019, arXiv:1812.02342, section 3.3, between images alone);
    and an adversarial term if `task.adversarial_weight` is above 0, with a patch discriminator between outputs and
    style images.

    Args:
        config: The run's configuration, its `task` section a `StyleConfig`.
        report: Called with messages on unusable images and on progress.
        measure_on: Source of the held-out contents, if not that of the training.
    """

    config_class = StyleConfig
    presets: ClassVar[Mapping[str, Preset]] = STYLE_PRESETS
    draws_per_example = 2 * DRAWS
    sample_headers = ("content", "style", "output")
    metric_names = METRICS
    predict_arguments = "--input IMAGES --style IMAGE --output OUTPUT"
    input_key = "content"

    def __init__(self, config: RunConfig, *, report: Callable[[str], Any] = warn, measure_on: str | None = None):
        super().__init__(config, report=report)
        settings = config.task
        if style_builders.is_adversarial(settings):
            check_discriminator_fits(settings.discriminator, config.data.image_size)
        self.images = StyleImages(config, report=report, measure_on=measure_on)
        self.objective = style_builders.build_objective(settings)
        self._augmentation = PairedAugmentation(
            size_px=config.data.image_size, horizontal_flip=settings.horizontal_flip
        )
        self._moved = AdaptiveInstanceNorm(name="moved")

    def prepare(self) -> None:
        """Loads the encoder, finds the readable images, and measures the baselines."""
        _ = self._measures, self.images.training, self._baselines

    def fingerprint(self) -> str:
        """Digest of the training images."""
        return self.images.fingerprint()

    @functools.cached_property
    def _losses(self) -> StyleLosses:
        """Losses of the train step, in its precision; built with the networks."""
        return self._build_losses()

    @functools.cached_property
    def _measures(self) -> StyleLosses:
        """Losses for measuring, in float32."""
        return self._build_losses()

    def _build_losses(self) -> StyleLosses:
        settings = self.config.task
        return build_style_losses(build_style_encoder(level=settings.style_level, weights=settings.perceptual_weights))

    def build_networks(self) -> Networks:
        """Builds the decoder, and the discriminator if used, under the current dtype policy."""
        # The encoder's variables must exist before the train step is traced.
        return style_builders.build_networks(self.config.task, losses=self._losses, own={})

    def build_dataset(self, *, start_step: int, seed: int) -> tf.data.Dataset:
        """Batches `{"content", "style": uint8 [batch, load, load, 3], "position": int64 [batch]}`."""
        return self.images.build_dataset(start_step=start_step, seed=seed)

    def augment(self, batch: dict, draws: tf.Tensor) -> dict:
        """Crops and mirrors contents and styles independently: float32 `[batch, size, size, 3]` in [-1, 1]."""
        names = ("content", "style")
        parts = zip(names, tf.split(draws, len(names), axis=1), strict=True)
        return {name: self._augmentation([batch[name]], own)[0] for name, own in parts}

    def forward(self, networks: Networks, batch: dict, training: bool) -> GeneratorOutputs:
        """Decodes the contents' features with the styles' statistics, and encodes the result again."""
        return style_builders.forward(networks, batch, training, losses=self._losses, moved=self._moved)

    def inference_model(self, networks: Networks) -> keras.Model:
        """The model of `[images, style, strength]`, images in [0, 1]; shares the weights of `networks`."""
        return build_style_model(self._measures.encoder, networks.generators[DECODER])

    def held_out_examples(self) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Held-out contents, uint8 `[size, size, 3]`; their targets are unknown."""
        return [(content, None) for content in self.images.held_out[0]]

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Evenly spread held-out pairs as rows of content, style and output."""
        contents, styles = self._spread(SAMPLE_ROWS)
        return [list(row) for row in zip(contents, styles, stylize(model, contents, styles), strict=True)]

    def _spread(self, count: int) -> list[np.ndarray]:
        """Contents and styles of evenly spread held-out pairs."""
        chosen = spread_indices(len(self.images.held_out[0]), count)
        return [images[chosen] for images in self.images.held_out]

    def evaluate(self, model: keras.Model) -> dict[str, float]:
        """Measures outputs for held-out pairs, by the encoder's features.

        Args:
            model: Inference model.

        Returns:
            Means over pairs: `content_distance`, of the structure (see `structure_distance`); `style_distance`; the
            same for the content (`copy_...`) or the style (`showing_style_...`) as output; and `transfer_distance`,
            the content distance relative to that of the style as output, plus the style distance relative to that
            of the content as output: 1 for either of these outputs.
        """
        contents, styles = self.images.held_out
        found = self._distances(stylize(model, contents, styles))
        return {"transfer_distance": self._transfer_distance(found), **found, **self._baselines}

    def _transfer_distance(self, found: dict[str, float]) -> float:
        content = found["content_distance"] / max(self._baselines["showing_style_content_distance"], _TINY)
        return content + found["style_distance"] / max(self._baselines["copy_style_distance"], _TINY)

    @functools.cached_property
    def _baselines(self) -> dict[str, float]:
        baselines = {"copy_transfer_distance": 1.0}
        for name, images in zip(("copy", "showing_style"), self.images.held_out, strict=True):
            found = self._distances(images)
            baselines |= {f"{name}_{metric}": value for metric, value in found.items()}
        return baselines

    def _distances(self, outputs: np.ndarray) -> dict[str, float]:
        contents, styles = self.images.held_out
        structure, style = [], []
        for first in range(0, len(outputs), _BATCH):
            batch = [to_signed(images[first : first + _BATCH]) for images in (outputs, contents, styles)]
            seen, content, wanted = (self._measures.features(images) for images in batch)
            structure += list(np.asarray(structure_distance(seen[-1], content[-1])))
            style += list(np.asarray(style_distance(seen, wanted)))
        return {"content_distance": float(np.mean(structure)), "style_distance": float(np.mean(style))}

    def examples(self, model: keras.Model, current: keras.Model) -> dict[str, np.ndarray]:
        """Held-out pairs at several strengths, as a grid: caption -> uint8 `[height, width, 3]`."""
        del current
        contents, styles = self._spread(EXAMPLE_ROWS)
        outputs = [stylize(model, contents, styles, strength=strength) for strength in EXAMPLE_STRENGTHS]
        rows = [list(row) for row in zip(contents, *outputs, styles, strict=True)]
        headers = ("content", *(f"strength {strength:g}" for strength in EXAMPLE_STRENGTHS), "style")
        return {"held-out images, by strength": make_grid(rows, headers=headers)}

    def caveats(self, measured: Mapping[str, float]) -> list[str]:
        """Caveats of the figures, as texts."""
        del measured
        return few_held_out(len(self.images.held_out[0]))

    def count_trained_on(self) -> tuple[int, int]:
        """Number of held-out contents that are training contents, and of all held-out ones."""
        return self.images.count_trained_on()

    def protocol(self) -> dict[str, Any]:
        """Conditions of `evaluate`, so that figures can be compared."""
        settings = self.config.task
        origin = "file" if settings.perceptual_weights else "keras.applications"
        return {
            **self.images.protocol(),
            "features": f"VGG16 up to {settings.style_level}, {origin}",
            "strength": 1.0,
            "weights": "averaged decoder, float32, inference mode",
        }


def to_signed(images: np.ndarray) -> np.ndarray:
    """Converts uint8 images to float32 in [-1, 1]."""
    return images.astype(np.float32) / 127.5 - 1.0


def stylize(
    model: keras.Model, contents: np.ndarray, styles: np.ndarray, *, strength: float = 1.0, batch_size: int = _BATCH
) -> np.ndarray:
    """Runs an inference model on pairs, uint8 `[count, height, width, 3]` each; returns uint8 of the same shape."""
    outputs = []
    for first in range(0, len(contents), batch_size):
        batch = [images[first : first + batch_size].astype(np.float32) / 255.0 for images in (contents, styles)]
        outputs.append(np.asarray(model([*batch, np.full(len(batch[0]), strength, np.float32)], training=False)))
    return np.rint(np.concatenate(outputs) * 255.0).astype(np.uint8)
