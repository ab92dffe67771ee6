"""Image models under LiteRT, loaded without TensorFlow or Keras."""

from __future__ import annotations

from pathlib import Path

from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.tiling import TileLimits
from tfgan_app.lite.model import LiteModel, load_lite_model
from tfgan_app.model_info import card_info

_LIMITS = TileLimits(efficient_px=192, strip_bytes=2**26)
"""Most efficient tile. Convolutions take the same time per pixel in tiles of 96 to 288 px, and memory by the size: an
upscaler of 64 channels takes 3.5 kB per pixel. With the halo of a compact network, tiles of 192 px take 8 % longer
than those of 256, and 110 MB less."""


def load_lite_predictor(path: Path) -> Predictor | None:
    """Loads an image model.

    Args:
        path: A `.tflite` file of `tfgan_app export`.

    Returns:
        None for a model that draws images from latents, which runs on TensorFlow.

    Raises:
        ValueError: If it cannot be loaded. One line.
    """
    lite = load_lite_model(path)
    return None if lite.card.latent_dim else lite_predictor(lite, path)


def lite_predictor(lite: LiteModel, path: Path) -> Predictor:
    """Wraps a loaded image model with the facts of its card."""
    return Predictor(lite, path, info=card_info(lite.card), limits=_LIMITS)
