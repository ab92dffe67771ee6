"""Loaded noise models for notebooks and scripts: images from seeds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.api.errors import one_line_errors
from tfgan_app.api.latents import LatentTools, class_texts
from tfgan_app.commands.predict_progress import PredictProgress
from tfgan_app.inference import DEFAULT_COUNT, PredictionSummary, Sampler, draw_images, find_labels
from tfgan_app.model_info import ModelInfo


class NoiseModel(LatentTools):
    """A generator from noise: seeds in, images out.

    Attributes:
        path: The file or folder that it was loaded from.
        info: Its `ModelInfo`.
    """

    def __init__(self, model: Sampler, info: ModelInfo):
        """Wraps a loaded model; users call `tfgan_app.load`."""
        super().__init__(model, info)
        self.path = model.path

    def __repr__(self) -> str:
        classes = f", classes={list(self.info.classes)}" if self.info.classes else ""
        return f"NoiseModel('{self.path}', latent_dim={self.info.latent_dim}{classes})"

    @one_line_errors()
    def generate(
        self,
        count: int = DEFAULT_COUNT,
        *,
        seed: int = 0,
        classes: str | Sequence[str] = (),
        prompts: str | Sequence[str] = (),
        truncation: float | None = None,
    ) -> np.ndarray:
        """Generates images from the seeds `seed`, `seed + 1`...; the same seed gives the same image everywhere.

        Args:
            count: Number of images per class.
            seed: The first seed.
            classes: Names or numbers of the classes; by default all.
            prompts: Texts of what to draw, for models of text.
            truncation: Largest absolute value of the latents, or psi of a style-based model; smaller values give less
                variety.

        Returns:
            uint8 `[count * classes, H, W, 1 or 3]`, ordered by class or prompt.

        Raises:
            ValueError: If an argument does not suit the model.

        Examples:
            >>> import tfgan_app as tfgan
            >>> tfgan.load("faces.keras").generate(3, seed=7).shape
            (3, 4, 4, 3)
        """
        if count < 1 or seed < 0:
            raise ValueError(f"`count` must be at least 1, and `seed` at least 0. Received: {count} and {seed}")
        if prompts:
            return self.with_prompts(prompts).generate(count, seed=seed, truncation=truncation)
        labels = find_labels(self._model.class_names, class_texts(classes))
        seeds = range(seed, seed + count)
        return np.concatenate(
            [self._model(seeds, None if label is None else [label] * count, truncation) for label in labels]
        )

    @one_line_errors()
    def with_prompts(self, prompts: str | Sequence[str]) -> NoiseModel:
        """Returns this model of text with prompts in place of classes, for all other methods.

        Args:
            prompts: One text or several.

        Raises:
            ValueError: If the model takes no text, or a text is empty.
        """
        return NoiseModel(self._model.with_prompts(class_texts(prompts)), self.info)

    @one_line_errors()
    def generate_files(
        self,
        output: str | os.PathLike,
        *,
        count: int | None = None,
        seed: int = 0,
        classes: Sequence[str] = (),
        prompts: str | Sequence[str] = (),
        truncation: float | None = None,
    ) -> PredictionSummary:
        """Writes images into a folder, or one image or a grid into a file, like the command `predict`.

        Args:
            output: A folder, or an image file.
            count: Number of images per class; by default 16 for a folder and 1 for a file.
            seed: As for `generate`.
            classes: As for `generate`.
            prompts: As for `generate`.
            truncation: As for `generate`.

        Returns:
            The `written` and `failed` files.
        """
        progress = PredictProgress()
        try:
            return draw_images(
                self._model.with_prompts(class_texts(prompts)) if prompts else self._model,
                Path(output),
                count=count,
                seed=seed,
                classes=classes,
                truncation=truncation,
                on_progress=progress.show,
                on_failure=progress.interrupt,
            )
        finally:
            progress.end()

    def predict(self, x: Any = None, **options: Any) -> Any:
        """Raises an error, because only image models take images.

        Raises:
            ValueError: Always.
        """
        raise ValueError("`predict` is for image models. This model generates images from noise: use `generate`.")
