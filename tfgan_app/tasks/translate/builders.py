"""Common networks of the methods of `translate`, from the settings."""

from __future__ import annotations

import inspect
import math
from typing import Any

import keras

from tfgan_app.layers import FromUnitRange, ToUnitRange
from tfgan_app.networks import DISCRIMINATORS, GENERATORS
from tfgan_app.networks.patchgan import smallest_image_px
from tfgan_app.registry import is_own
from tfgan_app.tasks.translate.config import UNPAIRED, TranslateConfig, TwoSidedConfig

_UNPAIRED_DEPTH = 3
"""Halvings of the generator of an unpaired method."""


def build_generator(settings: TwoSidedConfig, *, size_px: int) -> keras.Model:
    """Builds the generator under the current dtype policy.

    Args:
        settings: Settings of the task.
        size_px: Height and width of the training images.

    Raises:
        ValueError: For a setting that the architecture does not have.
    """
    depths = {"unet": min(8, int(math.log2(size_px)))}
    if settings.method in UNPAIRED:
        depths |= dict.fromkeys(("unet", "residual_unet"), _UNPAIRED_DEPTH)
    options = generator_options(settings)
    if settings.generator in depths:
        options = {"depth": depths[settings.generator], **options}
    return GENERATORS[settings.generator](**options)


def generator_options(settings: TwoSidedConfig) -> dict[str, Any]:
    """Options of the generator from the settings.

    Raises:
        ValueError: For a setting that the architecture does not have.
    """
    normalization = settings.generator_normalization
    options = {
        "width": settings.generator_width,
        "depth": settings.generator_depth,
        "normalization": None if normalization == "auto" else normalization,
    }
    options = {name: value for name, value in options.items() if value is not None}
    if unknown := options.keys() - inspect.signature(GENERATORS[settings.generator]).parameters.keys():
        raise ValueError(f"`task.generator={settings.generator}` has no {', '.join(sorted(unknown))} to set.")
    return options


def build_discriminator(settings: TranslateConfig, **options: int) -> keras.Model:
    """Builds the discriminator under the current dtype policy.

    Args:
        settings: Settings of the task.
        **options: `condition_channels`, if not that of a color image.
    """
    return DISCRIMINATORS[settings.discriminator](
        width=settings.discriminator_width,
        normalization=settings.discriminator_normalization,
        spectral_norm=settings.spectral_norm,
        **options,
    )


def build_inference_model(generator: keras.Model) -> keras.Model:
    """The generator between images in [0, 1] of any size; shares its weights."""
    images = keras.Input((None, None, 3), name="images")
    outputs = generator(FromUnitRange(name="from_unit_range")(images))
    return keras.Model(images, ToUnitRange(name="to_unit_range")(outputs), name="translate")


def check_discriminator_fits(discriminator: str, size_px: int) -> None:
    """Checks that images are large enough for a discriminator, else raises ValueError; a user's own takes any."""
    if is_own(discriminator):
        return
    smallest = smallest_image_px(int(discriminator.removeprefix("patchgan_")))
    if size_px < smallest:
        raise ValueError(
            f"`task.discriminator={discriminator}` needs `data.image_size` of at least {smallest}. "
            f"Received: {size_px}. Choose larger images or a smaller receptive field."
        )
