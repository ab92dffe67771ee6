"""Private parts of Keras that the package leans on, in one place: check these first when Keras moves on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras.src.saving import serialization_lib


def in_safe_mode() -> bool:
    """Whether a file is being loaded whose code must not run (`safe_mode=True` of `keras.models.load_model`)."""
    return bool(serialization_lib.in_safe_mode())


def run_graph(model: keras.Model, inputs: Any, call: Callable[..., Any]) -> Any:
    """Runs a functional model layer by layer on its inputs: `call(layer, *args, **kwargs)` stands for each layer."""
    return model._run_through_graph(inputs, call_fn=call)
