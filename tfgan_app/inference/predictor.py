"""A model that makes pictures out of pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_app.inference.errors import one_line


class Predictor:
    """A picture-to-picture model behind a uint8 interface.

    Attributes:
        path: The file or folder that the model was loaded from.
    """

    def __init__(self, forward: Callable[[tf.Tensor], tf.Tensor], path: str | os.PathLike):
        """Wraps a model.

        Args:
            forward: float32 [batch, height, width, 3] in [0, 1] -> the same shape and range.
            path: Where it came from.
        """
        self.path = Path(path)
        self._forward = forward

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Runs the model in inference mode.

        Args:
            images: uint8 [batch, height, width, 3].

        Returns:
            uint8 [batch, height, width, 3].

        Raises:
            ValueError: If `images` is of another kind, or the model fails on it (for lack of memory, say).
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise ValueError(
                f"`images` must be uint8 [batch, height, width, 3]. Received: {images.dtype} {list(images.shape)}"
            )
        try:
            outputs = self._forward(tf.constant(images.astype(np.float32) / 255.0))
        except tf.errors.OpError as error:
            raise ValueError(f"The model failed on {list(images.shape)}: {one_line(error)}") from error
        return np.rint(np.clip(np.asarray(outputs, np.float32), 0.0, 1.0) * 255.0).astype(np.uint8)
