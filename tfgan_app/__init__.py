"""Image GANs on TensorFlow and Keras 3: train on your own images, measure, and ship, from Python or a command line.

    import tfgan_app as tfgan
    tfgan.load("upscale_x4").predict("photo.jpg").save("sharp.png")

Importing the package does not load TensorFlow; the names that need it load it when they are first used.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgan_app import callbacks, models
    from tfgan_app.api.loading import load
    from tfgan_app.api.run import Run
    from tfgan_app.api.training import train
    from tfgan_app.model_info import ModelInfo

__all__ = ["ModelInfo", "Run", "callbacks", "load", "models", "train"]

__version__ = "0.8.0"

LOG_LEVEL_IS_OURS = "TF_CPP_MIN_LOG_LEVEL" not in os.environ
"""Whether the user has not set TensorFlow's native log level, so that this package may choose it."""

# TensorFlow reads this once, when it is imported. Failures also raise exceptions; at level 2 the graph optimizer
# would report each pattern that it could not fuse as an error ("remapper failed").
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The trainer is a TensorFlow program, so a `~/.keras/keras.json` that names another backend must not reach
# it. Keras reads this once, at its first import.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

_PUBLIC = {
    "ModelInfo": "tfgan_app.model_info:ModelInfo",
    "Run": "tfgan_app.api.run:Run",
    "callbacks": "tfgan_app.callbacks",
    "load": "tfgan_app.api.loading:load",
    "models": "tfgan_app.models",
    "train": "tfgan_app.api.training:train",
}
"""The public names: `module:attribute`, or a module; each is imported when it is first used. `__all__` lists them for
tools that only read the source."""

_LIGHT = ("ModelInfo", "load", "models")
"""Public names that do not load TensorFlow by themselves: `load` does so for the models that need it."""


def __getattr__(name: str) -> Any:
    """Imports a public name (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    if name not in _LIGHT and "tensorflow" not in sys.modules:
        # Silently, as the command line does.
        importlib.import_module("tfgan_app.commands.startup").load_tensorflow(show_chatter=False)
    found = importlib.import_module(module)
    found = getattr(found, attribute) if attribute else found
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
