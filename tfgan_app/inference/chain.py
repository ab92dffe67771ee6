"""Several models in sequence, in one pass of tiles."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfgan_app.inference.predictor import Predictor
from tfgan_app.inference.tiling import UNKNOWN_BYTES, TileLimits
from tfgan_app.receptive_field import ReceptiveField


def chain_predictors(predictors: Sequence[Predictor]) -> Predictor:
    """Combines several models into one that runs them in sequence.

    Each model receives the output of the one before, clipped to [0, 1] and not rounded: the result equals that of
    lossless float files in between. Each may have its own engine. The halo of the chain covers those of its parts, so
    tiles are exact if those of all parts are.

    Args:
        predictors: At least one, in order. Only the first may be a model that fills holes.

    Returns:
        The chain; its scale is the product of theirs.

    Raises:
        ValueError: If a model cannot be part of a chain. One line.
    """
    for predictor in predictors[1:]:
        if predictor.info.kind == "inpainting":
            raise ValueError(
                f"A model that fills holes must be the first `--model`, since a mask applies to the input. Received: "
                f"'{predictor.path}' after another."
            )
    for predictor in predictors if len(predictors) > 1 else ():
        if predictor.info.largest_px is not None:
            raise ValueError(
                f"A model with a fixed image size cannot be part of a chain: '{predictor.path}' takes "
                f"{predictor.info.largest_px} x {predictor.info.largest_px} pixels. Take its run or .keras file "
                "instead."
            )
    return functools.reduce(_joined, predictors)


def chained_receptive_field(first: ReceptiveField, second: ReceptiveField) -> ReceptiveField:
    """Receptive field of two models in sequence, in pixels of the first one's input.

    An output depends on intermediate pixels up to `second.halo_px` away, and those on inputs up to `first.halo_px`
    away. A part that begins at a multiple for the chain does so for both models.
    """
    halo_px = None
    if first.halo_px is not None and second.halo_px is not None:
        halo_px = first.halo_px + math.ceil(second.halo_px / first.scale)
    between = second.multiple // math.gcd(second.multiple, first.scale)
    return ReceptiveField(first.scale * second.scale, halo_px, math.lcm(first.multiple, between))


def _joined(first: Predictor, second: Predictor) -> Predictor:
    """A model that runs one model and then another."""

    def forward(images: np.ndarray) -> Any:
        return second.forward(np.clip(np.asarray(first.forward(images)), 0.0, 1.0))

    known = [each.info.bytes_per_px or UNKNOWN_BYTES * each.scale**2 for each in (first, second)]
    return Predictor(
        forward,
        first.path,
        info=dataclasses.replace(
            first.info,
            receptive_field=chained_receptive_field(first.info.receptive_field, second.info.receptive_field),
            bytes_per_px=max(known[0], known[1] * first.scale**2),
            makes_color=first.info.makes_color or second.info.makes_color,
        ),
        limits=TileLimits(
            min(first.limits.efficient_px, second.limits.efficient_px),
            min(first.limits.strip_bytes, second.limits.strip_bytes),
        ),
    )
