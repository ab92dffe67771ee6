"""The request for an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import NOT_STATED
from tfgan_app.latents import seeded_latents
from tfgan_app.layers import vocabulary_of
from tfgan_app.tokens import UNKNOWN, Vocabulary

Pair = tuple[np.ndarray, np.ndarray | None]
"""An input and its target, uint8 [height, width, channels] each; the target is None if unknown."""

Batch = tf.Tensor | list[tf.Tensor]
"""Inputs of a model: images, latents, or a list of latents and labels."""

_CALIBRATION_SEEDS = range(1_000, 1_064)
"""Seeds for calibration, other than those that an export is compared on."""


@dataclass(frozen=True)
class ExportRequest:
    """Options of an export besides the model.

    Attributes:
        name: The model's name, a plain file name.
        quantize: `"none"`, or another that the format offers.
        tile_px: Input height and width for formats that fix it; None lets the format choose, 0 leaves it open.
        image_size_px: Side of the images that the model was trained on, if known.
        held_out: Images to compare on, with their targets.
        calibration: Training inputs uint8 [height, width, channels] that integer ranges are chosen on.
        license: License of the weights.
        made_of: `weights_fingerprint` of the exported `.keras` file; None for a model without one.
        training: Training facts on the card: name -> text.
        classes: Names of a generative model's labels.
        runtime: Folder with the tarballs of LiteRT's web runtime; None takes them from the cache or by npm.
    """

    name: str
    quantize: str = "none"
    tile_px: int | None = None
    image_size_px: int | None = None
    held_out: Sequence[Pair] = field(default=(), repr=False)
    calibration: Sequence[np.ndarray] = field(default=(), repr=False)
    license: str = NOT_STATED
    made_of: str | None = None
    training: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    runtime: str | None = None

    def calibration_latents(self, model: keras.Model) -> Iterator[list[np.ndarray]]:
        """Calibration inputs of a generative model: latents [1, latent_dim], and labels [1] or tokens [1, length]."""
        classes, tokens = len(self.classes), tokens_of(model)
        latents = np.asarray(seeded_latents(np.array(_CALIBRATION_SEEDS), model_info(model).latent_dim))
        for index in range(len(latents)):
            row = [latents[index : index + 1]]
            if tokens is not None:
                row.append(tokens[[index % len(tokens)]])
            yield [*row, np.array([index % classes], np.int32)] if classes else row


def tokens_of(model: keras.Model) -> np.ndarray | None:
    """Returns texts to run a model on, random tokens of every length: int32 [texts, length]; None without text."""
    found = vocabulary_of(model)
    if found is None:
        return None
    vocabulary = Vocabulary.from_config(found)
    tokens = np.random.default_rng(0).integers(UNKNOWN, vocabulary.size, (vocabulary.length + 1,) * 2)[:, :-1]
    return np.tril(tokens, -1).astype(np.int32)  # Row i has i tokens, then padding.
