"""Steps around a model: periodic borders before it; size, grain and kept regions after it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import tfgan_app
from tfgan_app.files import printable
from tfgan_app.inference.grain import with_grain
from tfgan_app.inference.keeping import read_keep_weights
from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.resizing import Sizing, float_rows, reach_px, resized_rows
from tfgan_app.inference.rows import ScaledRows, aligned
from tfgan_app.inference.styling import StyledPredictor
from tfgan_app.inference.wrapping import padded_size, wrapped_rows


@dataclass(frozen=True)
class Finish:
    """Steps around a model.

    Attributes:
        sizing: Size of the results; None for the model's own.
        wrap: Whether images continue at their opposite edges.
        grain: Standard deviation of the film grain at middle gray, in [0, 1]; 0 for none.
        seed: Seed of the grain.
        feather_px: Width in input pixels over which kept regions blend into the model's output.
        models: Names of the models in order, for the metadata of the results.
    """

    sizing: Sizing | None = None
    wrap: bool = False
    grain: float = 0.0
    seed: int = 0
    feather_px: float = 8.0
    models: tuple[str, ...] = ()


class FinishedPredictor(ScaledRows):
    """A model with the steps of a `Finish` around it, behind the interface of a `Predictor`'s rows.

    All steps run strip by strip: memory does not grow with the height of the image. The order is: model, size, grain,
    kept regions.

    Attributes:
        scale: Scale of the model; `output_size` gives the size of the results.
        info: Description of the model.
        finish: The steps.
    """

    def __init__(
        self,
        predictor: Predictor | StyledPredictor,
        finish: Finish,
        *,
        keep: np.ndarray | None = None,
        frame: int = 0,
    ):
        """Wraps a model.

        Args:
            predictor: The model.
            finish: The steps.
            keep: uint8 [height, width] for the image, 255 where its pixels stay; None to keep none.
            frame: Frame number in a video.
        """
        self.scale = predictor.scale
        self.info = predictor.info
        self.finish = finish
        self._predictor = predictor
        self._keep = keep
        self._frame = frame

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result of an image of this size."""
        sizing = self.finish.sizing
        return sizing.size(height, width) if sizing else super().output_size(height, width)

    @property
    def history(self) -> str:
        """The applied steps in one line, for the metadata of images."""
        finish = self.finish
        names = ", then ".join(map(printable, finish.models or (self._predictor.path.name,)))
        steps = [f"tfgan_app {tfgan_app.__version__}: {names}"]
        if finish.wrap:
            steps.append("periodic borders")
        if finish.grain:
            steps.append(f"grain {finish.grain:g} of seed {finish.seed}")
        if self._keep is not None:
            steps.append(f"regions of the input kept, feathered over {finish.feather_px:g} pixels")
        return "; ".join(steps)

    def keeping(self, path: Path, *, max_pixels: int) -> FinishedPredictor:
        """The predictor for an image with regions to keep.

        Args:
            path: A mask that is white in these regions; see `read_keep_weights`.
            max_pixels: Larger masks are rejected.
        """
        finish = self.finish
        keep = read_keep_weights(path, feather_px=finish.feather_px, wrap=finish.wrap, max_pixels=max_pixels)
        return self._with(keep=keep)

    def for_alpha(self) -> FinishedPredictor:
        """The same predictor without grain."""
        return self._with(finish=dataclasses.replace(self.finish, grain=0.0))

    def for_frame(self, index: int) -> FinishedPredictor:
        """The same predictor with the grain of a frame."""
        return self._with(frame=index)

    def for_video(self) -> FinishedPredictor:
        """The same predictor with even sizes, for codecs that store color at half the resolution."""
        sizing = self.finish.sizing
        return self._with(finish=dataclasses.replace(self.finish, sizing=sizing and sizing.evened()))

    def _with(self, **changes: object) -> FinishedPredictor:
        options: dict[str, Any] = {"finish": self.finish, "keep": self._keep, "frame": self._frame} | changes
        return FinishedPredictor(self._predictor, **options)

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        """Runs the model and all steps.

        Args:
            pixels: uint8 or uint16 [height, width, channels].
            tile_px: As for `Predictor.rows`.

        Returns:
            Iterator of float32 [rows, new width, 3] in [0, 1], from the top down.

        Raises:
            ValueError: If an argument has another shape or dtype, or the keep mask has another size.
        """
        size = pixels.shape[:2]
        if self._keep is not None and self._keep.shape != size:
            sizes = [f"{width} x {height}" for height, width in (self._keep.shape, size)]
            raise ValueError(
                f"The mask of `--keep-mask` must be as large as its image. It has {sizes[0]} pixels, the image "
                f"{sizes[1]}."
            )
        target = self.output_size(*size)
        rows = self._sized(pixels, target, tile_px)
        if self.finish.grain:
            rows = with_grain(rows, amount=self.finish.grain, seed=self.finish.seed, frame=self._frame)
        return rows if self._keep is None else self._kept(rows, pixels, target)

    def _sized(self, pixels: np.ndarray, target: tuple[int, int], tile_px: int | None) -> Iterator[np.ndarray]:
        predictor = self._predictor.bound_to(pixels)
        height, width = source = predictor.output_size(*pixels.shape[:2])
        if not self.finish.wrap:
            return resized_rows(predictor.rows(pixels, tile_px=tile_px), source=source, target=target)
        margin = 0 if source == target else max(reach_px(height, target[0]), reach_px(width, target[1]))
        rows = wrapped_rows(predictor, pixels, margin=margin, tile_px=tile_px)
        return resized_rows(rows, source=source, target=target, margin=margin)

    def _kept(self, rows: Iterator[np.ndarray], pixels: np.ndarray, target: tuple[int, int]) -> Iterator[np.ndarray]:
        """Blends into the input, upscaled bicubically, where it is kept."""
        plain = self._plain(pixels[..., :3], target, method="bicubic")
        shares = self._plain(self._keep[..., None], target, method="bilinear")
        for made, own, share in aligned(rows, plain, shares):
            yield made * (1.0 - share) + own * share

    def _plain(self, pixels: np.ndarray, target: tuple[int, int], *, method: str) -> Iterator[np.ndarray]:
        size, margin = pixels.shape[:2], 0
        if self.finish.wrap and size != target:
            margin = max(reach_px(*sides) for sides in zip(size, target, strict=True))
            pixels = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="wrap")
        return resized_rows(float_rows(pixels), source=size, target=target, margin=margin, method=method)

    def blends(self, height: int, width: int, *, tile_px: int | None = None) -> str | None:
        """Same as `Predictor.blends`, for the image that the model receives."""
        model = self._predictor
        if self.finish.wrap and isinstance(model, Predictor):
            height, width = padded_size(model, height, width)
        return model.blends(height, width, tile_px=tile_px)

    def remarks(self, height: int, width: int) -> list[str]:
        """Steps applied to an image of this size, one clause each."""
        made, target = self._predictor.output_size(height, width), self.output_size(height, width)
        found = []
        if made != target:
            sizes = [f"{columns} x {rows}" for rows, columns in (made, target)]
            found.append(f"the model's {sizes[0]} pixels were resized to {sizes[1]} (bicubic, antialiased)")
        if self.finish.wrap and not (isinstance(self._predictor, Predictor) and self._predictor.local):
            found.append("the model's receptive field is too large, so the borders are only nearly periodic")
        return found
