"""LPIPS: learned perceptual image patch similarity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_app.layers import build_vgg16_features


def build_lpips(weights: str | Path) -> Callable:
    """Builds LPIPS-VGG, version 0.1.

    "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", Zhang et al. 2018,
    arXiv:1801.03924, equation 1: squared differences of channel-normalized VGG16 features, weighted by
    the learned linear heads, averaged over space, summed over five levels.

    Args:
        weights: `.npz` with VGG16's convolutions (see `build_vgg16_features`) and the heads
            `NetLinLayer_{0..4}/Conv_0/kernel` `[1, 1, channels, 1]`.

    Returns:
        A function of float32 `(targets, outputs)` `[batch, height, width, 3]` in [0, 1], at least 16 px
        high and wide, to float32 `[batch]`; 0 is best.

    Raises:
        ValueError: When the file lacks the weights.
    """
    features = build_vgg16_features(weights=weights)
    try:
        with np.load(weights, allow_pickle=False) as archive:
            heads = [archive[f"NetLinLayer_{level}/Conv_0/kernel"][0, 0, :, 0] for level in range(5)]
    except KeyError as error:
        raise ValueError(f"Expected LPIPS heads NetLinLayer_0..4/Conv_0/kernel in {weights}. {error}.") from error

    @tf.function(reduce_retracing=True)
    def lpips(targets, outputs):
        distance = 0.0
        pairs = zip(features(targets * 2.0 - 1.0), features(outputs * 2.0 - 1.0), heads, strict=True)
        for target, output, head in pairs:
            difference = tf.square(_unit(target) - _unit(output))
            distance += tf.reduce_mean(tf.reduce_sum(difference * head, axis=-1), axis=(1, 2))
        return distance

    return lpips


def _unit(features):
    return features / (tf.norm(features, axis=-1, keepdims=True) + 1e-10)
