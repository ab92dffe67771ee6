"""Private parts of Keras that the package leans on, in one place: check these first when Keras moves on."""

from __future__ import annotations

from keras.src.saving import serialization_lib


def in_safe_mode() -> bool:
    """Whether a file is being loaded whose code must not run (`safe_mode=True` of `keras.models.load_model`)."""
    return bool(serialization_lib.in_safe_mode())
