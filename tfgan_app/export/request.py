"""What an export is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import NOT_STATED
from tfgan_app.latents import seeded_latents

Pair = tuple[np.ndarray, np.ndarray | None]
"""What a model is given and what it should make of it, uint8 [height, width, channels] each; None: not known."""

Batch = tf.Tensor | list[tf.Tensor]
"""What a model is called with: images, latents, or a list of latents and labels."""

_CALIBRATION_SEEDS = range(1_000, 1_064)
"""Other seeds than those that an export is compared on."""


@dataclass(frozen=True)
class ExportRequest:
    """What an export is asked for, beside the model.

    Attributes:
        name: The model's name, a plain file name.
        quantize: `"none"`, or another that the format offers.
        tile_px: Height and width of the input of formats that fix it; None lets the format choose, 0 leaves it open.
        image_size_px: Side of the images that the model was trained on, if known.
        held_out: Images to compare on, with what should come out.
        calibration: Training inputs uint8 [height, width, channels] that ranges of integers are chosen on.
        license: Of the weights.
        made_of: `weights_fingerprint` of the `.keras` file that is exported; None for a model that has none.
        training: What the card says of the training: name -> words.
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
        """What ranges of integers of a generative model are chosen on: latents [1, latent_dim], and labels [1]."""
        classes = len(self.classes)
        latents = np.asarray(seeded_latents(np.array(_CALIBRATION_SEEDS), model_info(model).latent_dim))
        for index in range(len(latents)):
            row = [latents[index : index + 1]]
            yield [*row, np.array([index % classes], np.int32)] if classes else row
