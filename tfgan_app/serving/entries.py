"""Versions of models that the server knows, and where each is in its life."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tfgan_app.serving.saved_models import ModelVersion


class State(enum.Enum):
    """Where a version is in its life, with the names of TensorFlow Serving."""

    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass
class Entry:
    """A version that the catalog knows.

    Attributes:
        state: Where it is in its life.
        model: The loaded version, while there is one.
        error: Why it could not be loaded.
        stamp: Of the files that could not be loaded.
    """

    state: State
    model: ModelVersion | None = None
    error: str = ""
    stamp: tuple = ()
