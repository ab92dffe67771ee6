"""Videos and animations among the inputs of `predict`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tfgan_app.files import printable
from tfgan_app.inference import FinishedPredictor, Predictor
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
    """Recognizes videos and animations, names their results, and predicts them; see `inference.MovingImages`.

    Attributes:
        suffixes: Lower-case suffixes of the files that a folder is searched for.
        shared_suffixes: Those of them that other files have too, which are taken only where the content is a video.
        target_suffixes: Lower-case suffixes of the files that can be written.
    """

    suffixes = VIDEO_INPUT_SUFFIXES
    shared_suffixes = SHARED_SUFFIXES
    target_suffixes = VIDEO_SUFFIXES

    def __init__(self, on_frames: Callable[[int, int | None], None]):
        """Takes whom to tell of each frame: the number done, and that of all if it is known."""
        self._on_frames = on_frames

    def takes(self, path: Path) -> bool:
        """Whether a file is a video or an animation, by its content."""
        return is_video(path)

    def moves(self, path: Path, suffix: str) -> bool:
        """Whether the result with that suffix is a video or an animation; else it is an image of the first frame.

        PNG is the suffix of stills. Only what is an animated PNG itself stays one under it.
        """
        if suffix == ".png":
            return not is_animation(path) or animation_suffix(path) == ".png"
        return suffix in VIDEO_SUFFIXES or not is_animation(path)

    def result_suffix(self, path: Path, suffix: str | None) -> str | None:
        """The suffix of the result in a folder; None where it is a still.

        Args:
            path: A file that this takes.
            suffix: That of the format that was asked for; None for that of the input.
        """
        own = path.suffix.lower()
        if is_animation(path):
            wanted = suffix or (own if own in VIDEO_SUFFIXES else animation_suffix(path))
            return wanted if self.moves(path, wanted) else None
        # Formats of images that hold animations too are asked for because of the images.
        if suffix is not None and suffix in VIDEO_SUFFIXES - {".png", ".webp"}:
            return suffix
        return own if own in VIDEO_SUFFIXES - {".png"} else _DEFAULT_SUFFIX

    def predict(
        self,
        predictor: Predictor,
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
            source: What is predicted.
            target: Where to; its suffix decides the kind.
            tile_px: Passed on to the predictor.
            quality: 1 to 100, for animated WebP.
            on_note: Called with each thing that could not be kept.

        Raises:
            ValueError: If the source is damaged, or the model or the target does not fit. One line.
            OSError: If the target cannot be written.
        """
        if predictor.info.kind == "inpainting":
            raise ValueError(
                f"Cannot predict the video '{printable(source)}': a model that fills holes takes images only"
            )
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
