"""Image-to-image models."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.inference.errors import memory_errors, model_errors, one_line
from tfgan_app.inference.free_memory import free_bytes
from tfgan_app.inference.levels import LEVEL_DTYPES, peak_of, to_levels
from tfgan_app.inference.rows import ScaledRows
from tfgan_app.inference.tiling import TENSORFLOW_LIMITS, Cutter, TileLimits, choose_tile_px, tiled_rows, tiles_exactly
from tfgan_app.model_info import ModelInfo


class Predictor(ScaledRows):
    """An image-to-image model behind an interface of NumPy arrays.

    Attributes:
        path: The file or folder that the model was loaded from.
        info: Description of the model. A model of a single size counts as one that sees the whole image.
        limits: Tile limits of its engine.
    """

    def __init__(
        self,
        forward: Callable[[np.ndarray], Any],
        path: str | os.PathLike,
        *,
        info: ModelInfo,
        limits: TileLimits = TENSORFLOW_LIMITS,
    ):
        """Wraps a model.

        Args:
            forward: float32 array [batch, height, width, channels] in [0, 1] -> float32 array or tensor
                [batch, scale * height, scale * width, 3] in about the same range.
            path: Path that the model was loaded from.
            info: Description of the model, with its receptive field.
            limits: Tile limits of the engine.
        """
        if info.largest_px is not None:
            info = dataclasses.replace(info, receptive_field=dataclasses.replace(info.receptive_field, halo_px=None))
        self.path = Path(path)
        self.info = info
        self.scale = info.receptive_field.scale
        self._forward = forward
        self.limits = limits
        self._tiled_as = info.receptive_field if self.local else dataclasses.replace(info.receptive_field, halo_px=None)
        self._cutter = Cutter.of(self._tiled_as) if info.largest_px is None else Cutter.of_fixed_size(info.largest_px)
        self._largest_tile_px: int | None = None

    @property
    def forward(self) -> Callable[[np.ndarray], Any]:
        """The model function: a float32 array in [0, 1] to a float32 array or tensor in about that range."""
        return self._forward

    @property
    def local(self) -> bool:
        """Whether tiles give the same result as the whole image. Otherwise they overlap and are blended."""
        return tiles_exactly(self.info.receptive_field, bytes_per_px=self.info.bytes_per_px)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Runs the model in inference mode on whole images.

        Args:
            images: uint8 [batch, height, width, channels].

        Returns:
            uint8 [batch, scale * height, scale * width, 3].

        Raises:
            ValueError: If `images` has another shape or dtype, or the model fails on it (for example, out of memory).
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != self.info.channels:
            raise ValueError(
                f"`images` must be uint8 [batch, height, width, {self.info.channels}]. "
                f"Received: {images.dtype} {list(images.shape)}"
            )
        try:
            outputs = self._run(images)
        except memory_errors() as error:
            raise _failure(images, error) from error
        return np.rint(np.clip(outputs, 0.0, 1.0) * 255.0).astype(np.uint8)

    def rows(self, pixels: np.ndarray, *, tile_px: int | None = None) -> Iterator[np.ndarray]:
        """Runs the model in inference mode on an image of any size, in tiles if it is large.

        Memory does not grow with the height of the image. The result of a local model equals that for the whole image,
        except for rounding errors. Any other is exact on images that fit in one tile; larger images are blended from
        tiles. A model with a fixed size is exact at that size; see `blends`.

        Args:
            pixels: uint8, uint16, or float32 in [0, 1] [height, width, channels].
            tile_px: Height and width of a tile in pixels of the image, without the context around it. By default chosen
                by model and free memory. Tiles too large for the memory become smaller.

        Returns:
            Iterator of float32 [rows, scale * width, 3] in [0, 1], from the top down. It raises ValueError if the model
            fails on a tile.

        Raises:
            ValueError: If an argument has another shape, dtype or range.
        """
        if (
            pixels.dtype not in LEVEL_DTYPES
            or pixels.ndim != 3
            or pixels.shape[2] != self.info.channels
            or 0 in pixels.shape
        ):
            raise ValueError(
                f"`pixels` must be uint8, uint16 or float32 [height, width, {self.info.channels}] of at least one "
                f"pixel. Received: {pixels.dtype} {list(pixels.shape)}"
            )
        if tile_px is not None and tile_px < 1:
            raise ValueError(f"`tile_px` must be a positive integer. Received: {tile_px}")
        return tiled_rows(
            lambda part: self._run(part[np.newaxis])[0],
            pixels,
            cutter=self._cutter,
            scale=self.scale,
            tile_px=self._chosen_tile_px(pixels.shape[0], pixels.shape[1], tile_px),
            on_smaller=self._remember,
            strip_bytes=self.limits.strip_bytes,
        )

    def blends(self, height: int, width: int, *, tile_px: int | None = None) -> str | None:
        """Reason why `rows` of an image of this size are blended from tiles, one clause; None if they are exact."""
        if self.info.largest_px is not None:
            return self._fixed(height, width)
        tile_px = self._chosen_tile_px(height, width, tile_px)
        if self.local or not any(len(self._cutter.cut(side, tile_px)) > 1 for side in (height, width)):
            return None
        looks = "whole images" if self.info.halo_px is None else f"{self.info.halo_px} pixels around"
        return f"the model sees {looks} and this image is too large for it, so it was blended from tiles"

    def _fixed(self, height: int, width: int) -> str | None:
        size = self.info.largest_px
        if (height, width) == (size, size):
            return None
        done = "was blended from tiles of that size"
        if max(height, width) <= size:
            done = "was extended by reflection"
        return f"the file was made for images of {size} x {size} pixels, so this one {done}"

    def _chosen_tile_px(self, height: int, width: int, tile_px: int | None) -> int:
        tile_px = tile_px or choose_tile_px(
            height,
            width,
            receptive_field=self._tiled_as,
            bytes_per_px=self.info.bytes_per_px,
            free_bytes=free_bytes(),
            limits=self.limits,
        )
        return min(tile_px, self._largest_tile_px or tile_px)

    def image(self, pixels: np.ndarray, *, tile_px: int | None = None) -> np.ndarray:
        """All of `rows` in the dtype of the input: [height, width, channels] -> [scale * ..., 3]."""
        peak = peak_of(pixels.dtype)
        return np.concatenate([to_levels(rows * peak, pixels.dtype) for rows in self.rows(pixels, tile_px=tile_px)])

    def ensembled(self) -> Predictor:
        """Mean of this model over the eight orientations of an image; see `self_ensemble`."""
        forward = functools.partial(self_ensemble, self._forward)
        return Predictor(forward, self.path, info=self.info, limits=self.limits)

    def bound_to(self, pixels: np.ndarray) -> Predictor:
        """The model bound to one image, uint8 or uint16 [height, width, channels]; this model itself."""
        del pixels
        return self

    def _remember(self, tile_px: int) -> None:
        """Remembers a tile size, so that the next image does not first run out of memory, which is slow on a GPU."""
        self._largest_tile_px = tile_px

    def _run(self, images: np.ndarray) -> np.ndarray:
        """Levels [batch, height, width, channels] -> float32 of the expected size, not clipped."""
        try:
            outputs = self._forward(np.divide(images, peak_of(images.dtype), dtype=np.float32))
        except memory_errors():
            raise
        except model_errors() as error:
            raise _failure(images, error) from error
        batch, height, width, _ = images.shape
        expected = (batch, height * self.scale, width * self.scale, self.info.output_channels)
        if tuple(outputs.shape) != expected:
            raise ValueError(
                f"The model must make images {list(expected)} of {list(images.shape)}. "
                f"Received: {list(outputs.shape)}. It does not support all image sizes."
            )
        outputs = np.asarray(outputs, np.float32)
        if not np.isfinite(outputs).all():
            raise ValueError("The model's images have NaN or infinite values: its training has diverged.")
        return outputs


def _failure(images: np.ndarray, error: Exception) -> ValueError:
    return ValueError(f"The model failed on {list(images.shape)}: {one_line(error)}")


def self_ensemble(forward: Callable[[np.ndarray], Any], images: np.ndarray) -> np.ndarray:
    """Runs a model on an image's four rotations and their reflections, and averages the aligned results.

    "Seven ways to improve example-based single image super resolution", Timofte et al. 2016, arXiv:1511.02228, where it
    is called enhanced prediction. Costs eight times as much, tends to raise the PSNR of models trained for fidelity,
    and blurs the texture of models trained against a discriminator.

    Args:
        forward: float32 `[batch, height, width, channels]` -> float32
            `[batch, scale * height, scale * width, channels]`, for any height and width.
        images: float32 `[batch, height, width, channels]`, square or not.

    Returns:
        float32, the mean of the outputs of `forward`.
    """
    total = None
    for transposed in (False, True):
        for flips in ((), (1,), (2,), (1, 2)):
            laid = images.swapaxes(1, 2) if transposed else images
            outputs = np.flip(np.asarray(forward(np.ascontiguousarray(np.flip(laid, flips)))), flips)
            outputs = outputs.swapaxes(1, 2) if transposed else outputs
            total = outputs if total is None else total + outputs
    return total / np.float32(8.0)
