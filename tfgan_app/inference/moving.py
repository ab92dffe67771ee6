"""Videos and animations among images, as far as this layer has to know of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class MovingImages(Protocol):
    """Recognizes videos and animations, names their results, and predicts them.

    Attributes:
        suffixes: Lower-case suffixes of the files that a folder is searched for.
        shared_suffixes: Those of them that other files have too, which are taken only where the content is a video.
        target_suffixes: Lower-case suffixes of the files that can be written.
    """

    suffixes: frozenset[str]
    shared_suffixes: frozenset[str]
    target_suffixes: frozenset[str]

    def takes(self, path: Path) -> bool:
        """Whether a file is a video or an animation, by its content."""

    def moves(self, path: Path, suffix: str) -> bool:
        """Whether the result with that suffix moves; else it is an image of the first frame."""

    def result_suffix(self, path: Path, suffix: str | None) -> str | None:
        """The suffix of the result in a folder, given that of the format that was asked for; None for a still."""

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
