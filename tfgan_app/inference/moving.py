"""Videos and animations among images, as an interface for this layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class MovingImages(Protocol):
    """Recognizes videos and animations, names their results, and predicts them.

    Attributes:
        suffixes: Lower-case suffixes of the files that a folder is searched for.
        shared_suffixes: Suffixes among them that other files use too; those are taken only if the content is a video.
        target_suffixes: Lower-case suffixes of the files that can be written.
    """

    suffixes: frozenset[str]
    shared_suffixes: frozenset[str]
    target_suffixes: frozenset[str]

    def takes(self, path: Path) -> bool:
        """Returns whether a file is a video or an animation, by its content."""

    def moves(self, path: Path, suffix: str) -> bool:
        """Returns whether the result with that suffix is a video or animation; otherwise it is the first frame."""

    def result_suffix(self, path: Path, suffix: str | None) -> str | None:
        """Suffix of the result in a folder, given that of the requested format; None for a still image."""

    def predict(
        self,
        predictor: Any,
        source: Path,
        target: Path,
        *,
        tile_px: int | None,
        quality: int | None,
        on_note: Callable[[str], None],
    ) -> int:
        """Predicts a file into another; returns the number of frames, or raises ValueError or OSError."""
