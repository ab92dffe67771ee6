"""Description of an importable architecture: its detection and its builder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras

from tfgan_app.importers.weights import Weights

UNIT, SYMMETRIC, BYTE = "[0, 1]", "[-1, 1]", "[0, 255]"
"""Value ranges of networks."""

NORMS = ("inference", "batch")


@dataclass(frozen=True)
class ImportOptions:
    """Choices that a weights file leaves open.

    Attributes:
        scale: Scale of an upscaler whose weights fit several; None selects the most likely one.
        norm: `inference` uses a batch normalization's running statistics; `batch` uses those of the image itself, as
            PyTorch does for a batch of one in training mode.
        noise_level: Standard deviation of the noise, 0 to 255, for a denoiser that takes it as an input.
    """

    scale: int | None = None
    norm: str = "inference"
    noise_level: float = 15.0


@dataclass(frozen=True)
class Built:
    """A network with the weights of a file.

    Attributes:
        network: `image` float32 `[batch, height, width, channels]` -> the same, or `latents` -> image.
        details: Its size for people, such as `23 blocks, 64 channels`.
        value_range: Range of its inputs and outputs: `UNIT`, `SYMMETRIC` or `BYTE`.
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
