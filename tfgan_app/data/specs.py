"""Settings of the pipelines: crops, and the schedule of batches."""

from __future__ import annotations

from dataclasses import dataclass

from tfgan_app.image_io.samples import Window
from tfgan_app.image_io.value_range import InputRange

RESIZES = ("short_side", "squash", "none")
"""Accepted values of `resize`."""

CHANNELS = (1, 3)
"""Accepted values of `channels` of 8-bit images."""


@dataclass(frozen=True)
class CropSpec:
    """Settings for reading images and cropping them to squares.

    Attributes:
        size_px: Height and width of the crops.
        resize: `"short_side"` scales the short side to `size_px` (and the long side in proportion), `"squash"` scales
            both sides to `size_px`, `"none"` crops at native resolution and enlarges only smaller images.
        channels: 3, or 1 for the luma of Pillow's `convert("L")` before resizing, which needs a third of the memory.
        background: Color behind transparent pixels, RGB in 0..255.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        window: Reads files as numbers of any `channels`: the data values that 0 and 1 stand for. None reads uint8.

    Raises:
        ValueError: If an option is not valid.
    """

    size_px: int
    resize: str = "short_side"
    channels: int = 3
    background: tuple[int, int, int] = (255, 255, 255)
    input_range: InputRange | None = None
    window: Window | None = None

    def __post_init__(self) -> None:
        _check_positive(size_px=self.size_px)
        if self.resize not in RESIZES:
            raise ValueError(f"`resize` must be one of {', '.join(RESIZES)}. Received: '{self.resize}'.")
        if self.window is None and self.channels not in CHANNELS:
            raise ValueError(f"`channels` must be 1 or 3. Received: {self.channels}.")

    @property
    def reduce_to_px(self) -> int | None:
        """Short side to which a decoder may reduce images; None for images at native resolution."""
        return None if self.resize == "none" else self.size_px


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Schedule of the batches of a training or of its remaining steps.

    Attributes:
        batch_size: Records per step.
        steps: Steps of the whole training.
        seed: Seed of order and crops.
        start_step: First step.

    Raises:
        ValueError: If an option is out of range.
    """

    batch_size: int
    steps: int
    seed: int
    start_step: int = 0

    def __post_init__(self) -> None:
        _check_positive(batch_size=self.batch_size)
        if not 0 <= self.start_step <= self.steps:
            raise ValueError(f"`start_step` must be between 0 and steps={self.steps}. Received: {self.start_step}.")


def _check_positive(**options: int) -> None:
    for name, value in options.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {value}.")
