"""Predictors without a model, whose results are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from tfgan_app.inference.rows import ScaledRows
from tfgan_app.layers import ReceptiveField
from tfgan_app.model_info import ModelInfo


class FakePredictor(ScaledRows):
    """Applies a function to the whole image and gives it out in strips of uneven height."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray] = lambda values: values, *, scale: int = 1):
        """Wraps a function of float32 [height, width, 3] in [0, 1] to the same, `scale` times as large."""
        self.scale = scale
        self.info = ModelInfo(receptive_field=ReceptiveField(scale, None))
        self.seen: list[np.ndarray] = []
        self._function = function

    def blends(self, height: int, width: int, *, tile_px: int | None = None) -> None:
        """As `Predictor.blends`: never."""

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        """As `Predictor.rows`; `seen` keeps what came in, `tile_px` is the height of the strips."""
        assert pixels.dtype in (np.uint8, np.uint16) and pixels.ndim == 3 and pixels.shape[2] == 3
        self.seen.append(np.array(pixels))
        values = np.divide(pixels, np.iinfo(pixels.dtype).max, dtype=np.float32)
        result = np.clip(self._function(values), 0.0, 1.0).astype(np.float32)
        height = tile_px or 5
        for top in range(0, len(result), height):
            yield result[top : top + height]


def enlarged(values: np.ndarray, scale: int) -> np.ndarray:
    """Lanczos resampling of float32 [height, width, channels], which overshoots at edges as networks do."""
    height, width = values.shape[:2]
    channels = [
        Image.fromarray(values[..., channel]).resize((scale * width, scale * height), Image.Resampling.LANCZOS)
        for channel in range(values.shape[2])
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)
