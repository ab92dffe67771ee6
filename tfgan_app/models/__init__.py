"""GANs as Keras models: `compile`, `fit`, `evaluate`, `predict`, `save`, `load_model`, `export`.

Images are float32 in [-1, 1]. The models train with the networks, losses and train step of the commands; here the
images come from any NumPy array or `tf.data.Dataset`. Importing the package loads no TensorFlow; a saved model is
loaded by `keras.models.load_model` after the first use of any class of this package.
"""

from __future__ import annotations

import importlib
from typing import Any

_MODELS = {
    "CUT": "cut",
    "CycleGAN": "cyclegan",
    "GAN": "gan",
    "Pix2Pix": "pix2pix",
    "Restoration": "restoration",
    "StyleTransfer": "style_transfer",
    "SuperResolution": "super_resolution",
}

__all__ = sorted(_MODELS)


def __getattr__(name: str) -> Any:
    if name not in _MODELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}. It has: {', '.join(_MODELS)}.")
    # All of them, so that a saved model of any class can be loaded.
    for each, module in _MODELS.items():
        globals()[each] = getattr(importlib.import_module(f"{__name__}.{module}"), each)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODELS})
