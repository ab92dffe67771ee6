"""Loaded image models for notebooks and scripts."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfgan_app.api.errors import one_line_errors
from tfgan_app.api.images import ImageLike, Images, read_images, read_mask, read_style
from tfgan_app.commands.predict_progress import PredictProgress
from tfgan_app.commands.predict_videos import Videos
from tfgan_app.image_io.samples import read_samples
from tfgan_app.inference import PredictionSummary, Predictor, Stylist, predict_path
from tfgan_app.inference.image_pipeline import predict_image
from tfgan_app.inference.number_files import predict_numbers
from tfgan_app.inference.styling import StyledPredictor
from tfgan_app.model_info import ModelInfo


class ImageModel:
    """An image model: an upscaler, a restorer, a translator, an inpainting model or a style model.

    Attributes:
        path: The file or folder that it was loaded from.
        info: Its `ModelInfo`.
    """

    def __init__(self, model: Predictor | Stylist, info: ModelInfo):
        """Wraps a loaded model; users call `tfgan_app.load`."""
        self.path = model.path
        self.info = info
        self._model = model

    def __repr__(self) -> str:
        scale = f", scale={self.info.scale}" if self.info.scale else ""
        return f"ImageModel('{self.path}', kind='{self.info.kind}'{scale})"

    @one_line_errors()
    def predict(
        self,
        x: ImageLike,
        *,
        mask: ImageLike | None = None,
        style: ImageLike | None = None,
        strength: float = 1.0,
        keep_colors: bool = False,
        tile: int | None = None,
    ) -> Any:
        """Runs the model on an image or a batch; pixels are identical to those of the command `predict`.

        Gray stays gray (unless the model makes color), 16 bits stay 16 bits, alpha is kept, and large images run in
        tiles without seams.

        Args:
            x: A path, a Pillow image, or an array: uint8, uint16 or float in [0, 1], `[H, W]`, `[H, W, C]` or a batch
                `[N, H, W, C]` of gray, gray and alpha, RGB, or RGB and alpha. For a model of images as numbers (with
                `info.window`), a path or an array of data values with its channels.
            mask: For inpainting models, light or True in holes; without it, fully transparent pixels are filled. One
                mask for all images of a batch, or an array `[N, H, W]`.
            style: The style image, for style models.
            strength: Strength of the style in [0, 1]: 0 keeps the image's own style.
            keep_colors: Whether to take only the lightness from the styled image.
            tile: Height and width of a tile in pixels; by default as large as free memory allows.

        Returns:
            A Pillow image for a path or a Pillow image (color has 8 bits per channel), else an array of the
            dtype, range and rank of `x`. A model of images as numbers always returns an array.

        Raises:
            ValueError: If an argument does not suit the model, or a file cannot be read.

        Examples:
            >>> import numpy as np
            >>> import tfgan_app as tfgan
            >>> upscaler = tfgan.load("upscale_x2")
            >>> upscaler.predict(np.zeros((8, 12, 3), np.uint8)).shape
            (16, 24, 3)
        """
        predictor = self._bound(style, strength, keep_colors)
        if self.info.window is not None:
            return _predict_numbers(predictor, x, tile)
        images = read_images(x)
        results = []
        for image, hole in zip(images.images, _masks(mask, images), strict=True):
            _, rows = predict_image(predictor, image, mask=hole, tile_px=tile)
            results.append(np.concatenate(list(rows)))
            if note := predictor.blends(*image.pixels.shape[:2], tile_px=tile):
                warnings.warn(note, stacklevel=3)
        return images.back(results)

    @one_line_errors()
    def predict_files(
        self,
        input: str | os.PathLike,
        output: str | os.PathLike,
        *,
        mask: str | os.PathLike | None = None,
        style: ImageLike | None = None,
        strength: float = 1.0,
        keep_colors: bool = False,
        tile: int | None = None,
        output_format: str | None = None,
        quality: int | None = None,
        resume: bool = False,
    ) -> PredictionSummary:
        """Runs the model on a file, a video, or a folder tree of both, and writes files, like the command `predict`.

        A file that fails is named on stderr and skipped.

        Args:
            input: An image, an animation, a video, or a folder of them.
            output: A file, or a folder in which results have the names of their inputs.
            mask: An image, or a folder of them with the names of the inputs, for inpainting models.
            style: As for `predict`.
            strength: As for `predict`.
            keep_colors: As for `predict`.
            tile: As for `predict`.
            output_format: `"png"`, `"jpg"`, `"webp"`...; by default the format of each input.
            quality: Quality of JPEG and WebP, 1 to 100.
            resume: Whether to keep existing results.

        Returns:
            The `written`, `failed` and `skipped` files.

        Raises:
            ValueError: If there is no such input, or an argument does not suit the model.
        """
        progress = PredictProgress()
        try:
            return predict_path(
                self._bound(style, strength, keep_colors),
                input,
                output,
                output_format=output_format,
                quality=quality,
                skip_existing=resume,
                masks=mask,
                moving=Videos(progress.show_frames),
                tile_px=tile,
                on_progress=progress.show,
                on_pixels=progress.show_pixels,
                on_failure=progress.interrupt,
                on_note=progress.note,
            )
        finally:
            progress.end()

    def generate(self, **options: Any) -> np.ndarray:
        """Raises an error, because only noise models generate images.

        Raises:
            ValueError: Always.
        """
        raise ValueError("`generate` is for noise models. This model takes images: use `predict`.")

    def _bound(self, style: ImageLike | None, strength: float, keep_colors: bool) -> Predictor | StyledPredictor:
        """Returns the model, bound to a style if it is a style model."""
        if not isinstance(self._model, Stylist):
            if style is not None:
                raise ValueError("`style` is for style models. This model takes no style: leave it out.")
            return self._model
        if style is None:
            raise ValueError("`style` must be a style image. Received none.")
        if not 0.0 <= strength <= 1.0:
            raise ValueError(f"`strength` must be from 0 to 1. Received: {strength}")
        return self._model.with_style(read_style(style), strength=strength, keep_colors=keep_colors)


def _masks(mask: ImageLike | None, images: Images) -> Sequence[np.ndarray | None]:
    """Returns a mask for each image of a batch."""
    count = len(images.images)
    if mask is None:
        return [None] * count
    shape = images.images[0].pixels.shape[:2]
    if isinstance(mask, np.ndarray) and mask.shape == (count, *shape):
        return [read_mask(each) for each in mask]
    return [read_mask(mask)] * count


def _predict_numbers(predictor: Any, x: Any, tile: int | None) -> np.ndarray:
    """Runs a model of images as numbers on a path or on an array of data values."""
    channels = predictor.info.channels
    if isinstance(x, (str, os.PathLike)):
        return predict_numbers(predictor, read_samples(x, channels=channels).pixels, tile_px=tile)
    values = np.asarray(x)
    flat = values.ndim == 2 and channels == 1
    batch = values[None, ..., None] if flat else values[None] if values.ndim == 3 else values
    if values.dtype.kind not in "fiu" or batch.ndim != 4 or batch.shape[3] != channels or 0 in batch.shape:
        raise ValueError(
            f"`x` must be a path, or numbers [height, width, {channels}] or [batch, height, width, {channels}] in data "
            f"values. Received: {values.dtype} {list(values.shape)}."
        )
    results = np.stack([predict_numbers(predictor, image, tile_px=tile) for image in batch])
    return results[0, ..., 0] if flat else results[0] if values.ndim == 3 else results
