"""Versions of models that the server knows, with their states."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tfgan_app.serving.saved_models import ModelVersion


class State(enum.Enum):
    """State of a version, with the names of TensorFlow Serving."""

    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass
class Entry:
    """A version that the catalog knows.

    Attributes:
        state: State of the version.
        model: The loaded version, while there is one.
        error: Reason why it could not be loaded.
        stamp: Stamp of the files that could not be loaded.
    """

    state: State
    model: ModelVersion | None = None
    error: str = ""
    stamp: tuple = ()
