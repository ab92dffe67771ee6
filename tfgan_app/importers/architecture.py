"""One architecture that can be imported: how it is recognized, and how it is built here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras

from tfgan_app.importers.weights import Weights

UNIT, SYMMETRIC, BYTE = "[0, 1]", "[-1, 1]", "[0, 255]"
"""The ranges of values that networks work in."""

NORMS = ("inference", "batch")


@dataclass(frozen=True)
class ImportOptions:
    """Choices that a file of weights leaves open.

    Attributes:
        scale: By which an upscaler enlarges, where its weights fit several scales; None takes the likely one.
        norm: `inference` takes a batch normalization's running statistics; `batch` those of the image itself, as
            PyTorch does for a batch of one in training mode.
        noise_level: Standard deviation of the noise, 0 to 255, that a denoiser is told which takes one.
    """

    scale: int | None = None
    norm: str = "inference"
    noise_level: float = 15.0


@dataclass(frozen=True)
class Built:
    """A network with the weights of a file.

    Attributes:
        network: `image` float32 `[batch, height, width, channels]` -> the like, or `latents` -> image.
        details: Its size in words, such as `23 blocks, 64 channels`.
        value_range: Of its inputs and outputs: `UNIT`, `SYMMETRIC` or `BYTE`.
    """

    network: keras.Model
    details: str
    value_range: str = UNIT


@dataclass(frozen=True)
class Architecture:
    """A row of `tfgan_app.registry.IMPORTERS`, or one of a user's own.

    Attributes:
        label: Its name for a person.
        detect: Whether the names and shapes of tensors are of this architecture.
        build: (weights, options) -> the network, with all of them in it. Raises ValueError where they do
            not fit.
        options: Names of the fields of `ImportOptions` that it heeds.
    """

    label: str
    detect: Callable[[Weights], bool]
    build: Callable[[Weights, ImportOptions], Built]
    options: tuple[str, ...] = ()
