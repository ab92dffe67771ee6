"""A small model that enlarges, for tests of alpha and of the page."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from tfgan_app.export import export_model


def export_double(folder: Path, name: str = "double") -> Path:
    """Exports a model that answers an image twice as wide and high, each pixel the mean of nine."""
    inputs = keras.Input((None, None, 3))
    smooth = keras.layers.Conv2D(3, 3, padding="same", use_bias=False)
    model = keras.Model(inputs, smooth(keras.layers.UpSampling2D(2)(inputs)))
    smooth.set_weights([np.full((3, 3, 1, 1), 1 / 9, np.float32) * np.eye(3, dtype=np.float32)])
    return export_model(model, format="saved_model", output_dir=folder, name=name).path
