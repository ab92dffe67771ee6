"""Generative models: images from seeds."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfgan_app.files import printable
from tfgan_app.inference.errors import model_errors, one_line
from tfgan_app.model_info import ModelInfo

if TYPE_CHECKING:  # Loaded with the first model that draws; image models may do without it.
    import keras
    import tensorflow as tf


class Sampler:
    """A generative model behind a uint8 interface: a seed in, an image out.

    Attributes:
        path: The file or folder that the model was loaded from.
        info: Description of the model.
        model: The Keras model; None where only its outputs are known, such as an exported one.
    """

    def __init__(
        self,
        forward: Callable[..., tf.Tensor],
        path: str | os.PathLike,
        *,
        info: ModelInfo,
        set_truncation: Callable[[float], None] | None = None,
        model: keras.Model | None = None,
        tokenize: Callable[[Sequence[str]], np.ndarray] | None = None,
        prompts: Sequence[str] = (),
    ):
        """Wraps a model.

        Args:
            forward: latents float32 [batch, latent_dim] (and labels int32 [batch] where there are classes) ->
                float32 [batch, height, width, 1 or 3] in [0, 1].
            path: Path that the model was loaded from.
            info: Description of the model, with its latent size and its classes.
            set_truncation: Sets psi of a model that truncates its styles; None where psi is fixed.
            model: The Keras model of `forward`, for tools that need its layers.
            tokenize: For a model of text: texts -> tokens int32 [count, length], the second input of `forward`.
            prompts: Texts that stand for its classes; see `with_prompts`.
        """
        self.path = Path(path)
        self.info = info
        self.model = model
        self._forward = forward
        self._set_truncation = set_truncation
        self._tokenize = tokenize
        self._prompts = tuple(prompts)
        self._tokens = tokenize(self._prompts) if tokenize and prompts else None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names by label, or the prompts of a model of text; empty for a model without labels."""
        return self.info.classes or self._prompts

    def with_prompts(self, prompts: Sequence[str]) -> Sampler:
        """Returns this model of text with prompts as its classes: label `i` draws `prompts[i]`.

        Args:
            prompts: At least one text; equal ones count once.

        Raises:
            ValueError: If there is none or an empty one, or the model takes no text.
        """
        if not self.info.prompt_tokens:
            raise ValueError(f"A prompt is for models of text. This model takes none. Received: {prompts[0]!r}.")
        if self._tokenize is None:
            raise ValueError(f"'{self.path}' takes token ids, and its vocabulary is not known: use the run's model.")
        texts = list(dict.fromkeys(prompts))
        if not texts or not all(text.strip() for text in texts):
            raise ValueError(f"`prompts` must be at least one text that is not empty. Received: {list(prompts)}.")
        return Sampler(
            self._forward,
            self.path,
            info=self.info,
            set_truncation=self._set_truncation,
            model=self.model,
            tokenize=self._tokenize,
            prompts=texts,
        )

    def conditions(self, labels: Sequence[int]) -> np.ndarray:
        """Returns the second input of the model: the labels, or the tokens of their prompts."""
        numbers = np.asarray(labels, np.int32)
        return numbers if self._tokens is None else self._tokens[numbers]

    def __call__(
        self, seeds: Sequence[int], labels: Sequence[int] | None = None, truncation: float | None = None
    ) -> np.ndarray:
        """Draws an image for each seed; it depends only on its seed, label and truncation.

        Args:
            seeds: int64 [count], at least one.
            labels: int32 [count], the classes; required if the model has classes, and only then.
            truncation: Largest absolute value of the latents (see `truncate_latents`), or psi of a model that truncates
                its styles; None leaves the model as it is.

        Returns:
            uint8 [count, height, width, 1 or 3].

        Raises:
            ValueError: If an argument is invalid, or the model fails (out of memory, for example).
        """
        latents = self.latents(seeds, truncation)
        self._check_labels(labels, len(seeds))
        return self.draw(latents, labels)

    def latents(self, seeds: Sequence[int], truncation: float | None = None) -> np.ndarray:
        """Returns the latents of seeds: float32 [count, latent_dim].

        Args:
            seeds: int64 [count], at least one.
            truncation: As for a call.

        Raises:
            ValueError: If `truncation` is not a positive number.
        """
        from tfgan_app.latents import seeded_latents, truncate_latents

        check_truncation(truncation, self.info)
        latents = seeded_latents(np.asarray(seeds, np.int64), self.info.latent_dim)
        if self.info.style_truncation is not None:
            self._truncate_styles(truncation)
        elif truncation is not None:
            latents = truncate_latents(latents, truncation)
        return latents.numpy()

    def draw(self, latents: np.ndarray, labels: Sequence[int] | None = None) -> np.ndarray:
        """Draws an image for each latent vector.

        Args:
            latents: float32 [count, latent_dim], standard normal.
            labels: int32 [count], for a model with classes.

        Returns:
            uint8 [count, height, width, 1 or 3].

        Raises:
            ValueError: If the model fails.
        """
        import tensorflow as tf

        inputs = [tf.constant(latents, tf.float32)]
        if labels is not None:
            inputs.append(tf.constant(self.conditions(labels)))
        # One at a time: the split of a batch into blocks and threads may change the last digits of an image.
        return np.concatenate([self._draw([each[i : i + 1] for each in inputs]) for i in range(len(latents))])

    def _check_labels(self, labels: Sequence[int] | None, count: int) -> None:
        if self.info.prompt_tokens and not self._prompts:
            raise ValueError('A prompt must say what to draw, as in "a red apple". Received none.')
        known = len(self.class_names)
        if not known and labels is not None:
            raise ValueError(f"`labels` must be None for a model without classes. Received: {labels}")
        if known and (labels is None or len(labels) != count or not all(0 <= label < known for label in labels)):
            raise ValueError(f"`labels` must be {count} integers from 0 to {known - 1}. Received: {labels}")

    def _truncate_styles(self, psi: float | None) -> None:
        own = self.info.style_truncation
        if self._set_truncation is not None:
            self._set_truncation(own if psi is None else psi)
        elif psi not in (None, own):
            raise ValueError(
                f"`truncation` of '{printable(self.path)}' is fixed at {own:g}: take the run or the .keras file, or "
                f"export with `--truncation {psi:g}`. Received: {psi:g}"
            )

    def _draw(self, inputs: list[tf.Tensor]) -> np.ndarray:
        return drawn(self._forward, inputs)


def drawn(forward: Callable[..., tf.Tensor], inputs: Sequence[tf.Tensor]) -> np.ndarray:
    """Runs a generator: uint8 [count, height, width, 1 or 3].

    Args:
        forward: Function of the inputs to float images in [0, 1].
        inputs: Its inputs.

    Raises:
        ValueError: If the model fails, or its images are not finite.
    """
    try:
        outputs = np.asarray(forward(*inputs), np.float32)
    except model_errors() as error:
        raise ValueError(f"The model failed: {one_line(error)}") from error
    if not np.isfinite(outputs).all():
        raise ValueError("The model's images have NaN or infinite values: its training has diverged.")
    return np.rint(np.clip(outputs, 0.0, 1.0) * 255.0).astype(np.uint8)


def check_truncation(truncation: float | None, info: ModelInfo) -> None:
    """Raises ValueError if a model cannot truncate at a number: latents at 0, for example."""
    if truncation is None or 0.0 < truncation < math.inf:
        return
    if info.style_truncation is None or truncation != 0.0:
        raise ValueError(f"`truncation` must be a positive number. Received: {truncation}")
