"""Degradations of the training images of `restore`."""

from __future__ import annotations

import functools
from collections.abc import Sequence as Items
from typing import Any

import tensorflow as tf

from tfgan_app.degradations import (
    DEGRADATIONS,
    MASK_DRAWS,
    MASKS,
    Compose,
    Degradation,
    RandomApply,
    random_masks,
    to_eight_bits,
)
from tfgan_app.tasks.restoration.restore_config import RestoreConfig

INPAINT, COLORIZE = "inpaint", "colorize"


NUMBERS = ("denoise", "deblur")
"""Degradations that apply to images as numbers of any channels."""


def build_degradation(settings: RestoreConfig, *, channels: int | None = None) -> DegradationPipeline | RandomMask:
    """Builds the degradation of the settings.

    Args:
        settings: Settings of the task.
        channels: Channels of images as numbers; None for 8-bit RGB.

    Raises:
        ValueError: If they name none, one twice, holes with others, or one that needs 8-bit RGB.
    """
    names = settings.degradation
    if not names or len(set(names)) != len(names):
        raise ValueError(
            f"`task.degradation` must name degradations, each once. Received: {', '.join(names) or 'none'}."
        )
    if channels is not None and (refused := set(names) - set(NUMBERS)):
        raise ValueError(
            f"`task.degradation` with data.channels must be of {', '.join(NUMBERS)}; the others need 8-bit RGB. "
            f"Received: {', '.join(sorted(refused))}. Set, for example, task.degradation=denoise."
        )
    if INPAINT in names:
        if len(names) > 1:
            raise ValueError(
                "`task.degradation=inpaint` keeps known pixels as they are, so it must stand alone. "
                f"Received: {', '.join(names)}. Train two runs, and apply one after the other."
            )
        return RandomMask(tuple(MASKS) if settings.mask == "mixed" else (settings.mask,))
    options: dict[str, dict[str, Any]] = {
        # Untouched images have a separate setting.
        "denoise": {"sigma_255": settings.noise_sigma_255, "clean": 0.0},
        "jpeg": {"quality": settings.jpeg_quality},
    }
    chosen = [DEGRADATIONS[name](**options.get(name, {})) for name in names]
    if len(chosen) > 1 and settings.share_skipped:
        kept = 1.0 - settings.share_skipped
        # `colorize` applies to every image (see below).
        chosen = [x if name == COLORIZE else RandomApply(x, share=kept) for name, x in zip(names, chosen, strict=True)]
    # A color input would teach a colorizing network to pass color on.
    share = 0.0 if COLORIZE in names else settings.share_untouched
    return DegradationPipeline(chosen, share_untouched=share, channels=channels)


class DegradationPipeline:
    """Degradations in sequence; a share of the images stays untouched.

    Args:
        degradations: Degradations in the order of their application.
        share_untouched: Probability that an image stays untouched.
        channels: Channels of images as numbers, which are not rounded to 8 bits; None for RGB.
    """

    def __init__(self, degradations: Items[Degradation], *, share_untouched: float, channels: int | None = None):
        self.channels = channels or 3
        self._degrade = Compose(degradations, finish=to_eight_bits if channels is None else _clipped)
        self._share_untouched = share_untouched
        self.draws_per_example = 1 + self._degrade.draws_per_example

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Degrades float32 `[batch, height, width, channels]` in [0, 1] by draws `[batch, draws_per_example]`."""
        touched = draws[:, 0, None, None, None] >= self._share_untouched
        return tf.where(touched, self._degrade(images, draws[:, 1:]), images)


def _clipped(images: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(images, 0.0, 1.0)


class RandomMask:
    """Random black holes, with a fourth channel that is 0 in holes and 1 elsewhere.

    Args:
        kinds: Rows of `MASKS`; all holes of a batch are of one kind.
    """

    channels = 4
    draws_per_example = 1 + MASK_DRAWS

    def __init__(self, kinds: tuple[str, ...]):
        self._kinds = kinds

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Cuts holes into float32 `[batch, height, width, 3]` by draws `[batch, draws_per_example]`."""
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        draw = functools.partial(random_masks, draws[:, 1:], height=height, width=width)
        branches = [functools.partial(draw, kind=kind) for kind in self._kinds]
        # One kind for the whole batch, so that only one is computed.
        chosen = tf.cast(draws[0, 0] * len(branches), tf.int32)
        known = 1.0 - (branches[0]() if len(branches) == 1 else tf.switch_case(chosen, branches))
        known = tf.ensure_shape(known, [*images.shape[:3], 1])
        return tf.concat([images * known, known], axis=-1)
