"""The codes of InfoGAN, read off normally distributed latents."""

from __future__ import annotations

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tfgan_app")
class LatentCodes(keras.layers.Layer):
    """Turns the first latents into codes, so that a generator takes plain normal numbers.

    "InfoGAN", Chen et al. 2016, arXiv:1606.03657: a categorical code and continuous codes. The largest of the
    first `categories` latents becomes 1 and the others 0, which makes each category equally likely; the next
    `continuous` latents z become `erf(z / sqrt 2)`, uniform in [-1, 1]; the rest stay as they are.

    Args:
        categories: Size of the categorical code; 0 for none.
        continuous: Number of continuous codes.

    Call arguments:
        latents: float32 `[batch, latent_dim]`, standard normal.

    Returns:
        float32 `[batch, latent_dim]`.
    """

    def __init__(self, categories: int = 0, continuous: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.categories = categories
        self.continuous = continuous

    def call(self, latents):
        parts = []
        if self.categories:
            chosen = ops.argmax(latents[:, : self.categories], axis=-1)
            parts.append(ops.one_hot(chosen, self.categories, dtype=latents.dtype))
        if self.continuous:
            numbers = latents[:, self.categories : self.categories + self.continuous]
            parts.append(ops.erf(numbers * math.sqrt(0.5)))
        return ops.concatenate([*parts, latents[:, self.categories + self.continuous :]], axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "categories": self.categories, "continuous": self.continuous}
