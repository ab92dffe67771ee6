"""Videos and animations among the inputs of `predict`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tfgan_app.files import printable
from tfgan_app.inference import FinishedPredictor, Predictor
from tfgan_app.inference.styling import StyledPredictor
from tfgan_app.video import (
    ANIMATION_SUFFIXES,
    SHARED_SUFFIXES,
    VIDEO_INPUT_SUFFIXES,
    VIDEO_SUFFIXES,
    animation_suffix,
    is_animation,
    is_video,
    predict_video,
)

_DEFAULT_SUFFIX = ".mp4"


class Videos:
    """Detection, naming and prediction of videos and animations; see `inference.MovingImages`.

    Attributes:
        suffixes: Lower-case suffixes of input files in a folder.
        shared_suffixes: Suffixes that other files have too; such a file counts only if its content is a video.
        target_suffixes: Lower-case suffixes of files that can be written.
    """

    suffixes = VIDEO_INPUT_SUFFIXES
    shared_suffixes = SHARED_SUFFIXES
    target_suffixes = VIDEO_SUFFIXES

    def __init__(self, on_frames: Callable[[int, int | None], None]):
        """Takes a callback for each frame: the number done, and the total or None."""
        self._on_frames = on_frames

    def takes(self, path: Path) -> bool:
        """Returns whether the content of a file is a video or an animation."""
        return is_video(path)

    def moves(self, path: Path, suffix: str) -> bool:
        """Returns whether the result with a suffix is a video or an animation; else it is an image of the first frame.

        PNG is a still image; only an animated PNG input stays an animated PNG.
        """
        if suffix == ".png":
            return not is_animation(path) or animation_suffix(path) == ".png"
        return suffix in VIDEO_SUFFIXES or not is_animation(path)

    def result_suffix(self, path: Path, suffix: str | None) -> str | None:
        """Returns the suffix of the result in a folder; None if it is a still image.

        Args:
            path: A file for which `takes` is true.
            suffix: Suffix of the requested format; None for that of the input.
        """
        own = path.suffix.lower()
        if is_animation(path):
            wanted = suffix or (own if own in VIDEO_SUFFIXES else animation_suffix(path))
            return wanted if self.moves(path, wanted) else None
        # Users request image formats that also store animations for the sake of the images.
        if suffix is not None and suffix in VIDEO_SUFFIXES - {".png", ".webp"}:
            return suffix
        return own if own in VIDEO_SUFFIXES - {".png"} else _DEFAULT_SUFFIX

    def predict(
        self,
        predictor: Predictor | StyledPredictor | FinishedPredictor,
        source: Path,
        target: Path,
        *,
        tile_px: int | None = None,
        quality: int | None = None,
        on_note: Callable[[str], None],
    ) -> int:
        """Predicts a video or an animation; returns the number of frames.

        Args:
            predictor: The model.
            source: The input file.
            target: The output file; its suffix decides the format.
            tile_px: Side of tiles, for the predictor.
            quality: Quality of animated WebP, 1 to 100.
            on_note: Called with a note about each property that could not be kept.

        Raises:
            ValueError: If the source is damaged, or the model or the target is not suitable. The message is one line.
            OSError: If the target cannot be written.
        """
        if predictor.info.kind == "inpainting":
            raise ValueError(f"Cannot predict the video '{printable(source)}': an inpainting model takes only images")
        if isinstance(predictor, FinishedPredictor) and target.suffix.lower() not in ANIMATION_SUFFIXES:
            predictor = predictor.for_video()
        return predict_video(
            predictor,
            source,
            target,
            tile_px=tile_px,
            quality=quality,
            on_progress=self._on_frames,
            on_note=on_note,
        )
