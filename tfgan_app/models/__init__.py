"""GANs as Keras models: `compile`, `fit`, `evaluate`, `predict`, `save`, `load_model`, `export`.

Images are float32 in [-1, 1]. The models train with the networks, losses and train step of the commands; here the
images come from any NumPy array or `tf.data.Dataset`. Importing the package loads no TensorFlow; a saved model is
loaded by `keras.models.load_model` after the first use of any class of this package.
"""

from __future__ import annotations

from typing import Any

from tfgan_app.registry import KERAS_MODELS

__all__ = sorted(KERAS_MODELS)


def __getattr__(name: str) -> Any:
    """Imports a class (PEP 562), and the others with it, so that a saved file of any can be loaded."""
    if name not in KERAS_MODELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}. It has: {', '.join(__all__)}.")
    globals().update(KERAS_MODELS)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *KERAS_MODELS})
