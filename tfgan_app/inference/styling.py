"""Style transfer models; large images run in tiles with the statistics of the whole."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfgan_app.inference.levels import peak_of
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.rows import ScaledRows
from tfgan_app.model_info import ModelInfo

if TYPE_CHECKING:  # TensorFlow takes seconds to load, and other models may do without it.
    import tensorflow as tf

STATISTICS_PIXELS = 2**20
"""Images with more pixels are scaled down to this size before their statistics are computed: half a gigabyte of
features for any size, and the same result on every machine."""


class Stylist:
    """A style transfer model; bound to a style, it is an image model.

    Attributes:
        path: The file or folder that the model was loaded from.
        info: Description of the model; its receptive field is that of `stylize`.
    """

    def __init__(
        self,
        statistics: Callable[[tf.Tensor], tf.Tensor],
        stylize: Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor],
        path: str | os.PathLike,
        *,
        info: ModelInfo,
    ):
        """Wraps the parts of a model, see `tfgan_app.layers.StyleParts`.

        Args:
            statistics: float32 [batch, height, width, 3] in [0, 1] -> float32 [batch, 2, channels].
            stylize: images, content statistics, style statistics, strength float32 [batch] -> float32
                [batch, height, width, 3] in [0, 1].
            path: Path that the model was loaded from.
            info: Description of the model.
        """
        self.path = Path(path)
        self._statistics = statistics
        self._stylize = stylize
        self.info = info

    def with_style(self, style: np.ndarray, *, strength: float = 1.0, keep_colors: bool = False) -> StyledPredictor:
        """Binds the model to a style.

        Args:
            style: uint8 [height, width, 3].
            strength: 0 keeps the content's own statistics, 1 uses the style's.
            keep_colors: Use only luma from the result, and the colors (BT.601 chroma) of the content.

        Returns:
            An image model.
        """
        import tensorflow as tf

        style_statistics = self.statistics(style)
        info = dataclasses.replace(self.info, makes_color=not keep_colors)

        def bind(content: np.ndarray) -> Predictor:
            known = self.statistics(content), style_statistics, tf.constant([strength], tf.float32)
            return Predictor(lambda images: self._forward(images, known, keep_colors), self.path, info=info)

        return StyledPredictor(bind, self.path, info=info)

    def statistics(self, pixels: np.ndarray) -> tf.Tensor:
        """Statistics of an image, uint8, uint16 or float32 [height, width, 3]: float32 [1, 2, channels]."""
        import tensorflow as tf

        image = tf.constant(pixels[np.newaxis].astype(np.float32) / peak_of(pixels.dtype))
        height, width = pixels.shape[:2]
        share = math.sqrt(STATISTICS_PIXELS / (height * width))
        if share < 1.0:
            sides = [max(1, round(side * share)) for side in (height, width)]
            image = tf.image.resize(image, sides, method="bilinear", antialias=True)
        return self._statistics(image)

    def _forward(self, images: np.ndarray, known: tuple[tf.Tensor, ...], keep_colors: bool) -> tf.Tensor:
        import tensorflow as tf

        images = tf.constant(images)
        outputs = self._stylize(images, *known)
        return with_colors_of(images, outputs) if keep_colors else outputs


def with_colors_of(content: tf.Tensor, styled: tf.Tensor) -> tf.Tensor:
    """Luma of one image with the chroma of another, both of BT.601: float32 [..., 3] in [0, 1] each."""
    import tensorflow as tf

    from tfgan_app.layers import ColorConversion

    to_yuv = ColorConversion("rgb_to_yuv")
    merged = tf.concat([to_yuv(styled)[..., :1], to_yuv(content)[..., 1:]], axis=-1)
    return ColorConversion("yuv_to_rgb")(merged)


class StyledPredictor(ScaledRows):
    """An image model with a fixed style, behind the interface of a `Predictor`.

    Attributes:
        scale: Always 1.
        path: The file or folder that the model was loaded from.
        info: Description of the model.
    """

    scale = 1

    def __init__(self, bind: Callable[[np.ndarray], Predictor], path: str | os.PathLike, *, info: ModelInfo):
        """Wraps a function from a content image, whose statistics it uses, to a model bound to them."""
        self.path = Path(path)
        self.info = info
        self._bind = bind

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Styles whole images: uint8 [batch, height, width, 3] -> the same."""
        return np.concatenate([self._bind(image)(image[np.newaxis]) for image in images])

    def bound_to(self, pixels: np.ndarray) -> Predictor:
        """The model bound to one image, uint8 or uint16 [height, width, 3], and to crops of it."""
        return self._bind(pixels)

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        """Same as `Predictor.rows`; all tiles use the statistics of the whole image."""
        return self._bind(pixels).rows(pixels, tile_px=tile_px)

    def blends(self, height: int, width: int, *, tile_px: int | None = None) -> str | None:
        """Reason why the result for an image of this size is not exact, one clause; None if it is exact."""
        del tile_px
        if height * width <= STATISTICS_PIXELS:
            return None
        return "this image is large, so its statistics were computed from a smaller copy"
