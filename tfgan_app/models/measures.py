"""Metrics of `evaluate` against ground truth: float32 scalars of a batch and the generators' outputs."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfgan_app.training.task import UNIT_RANGE, GeneratorOutputs

MOST_PSNR_DB = 100.0
"""PSNR of identical images, otherwise infinite."""

_SSIM_WINDOW_PX = 11


def against(name: str) -> dict[str, Callable[[dict, GeneratorOutputs], tf.Tensor]]:
    """`psnr` (dB), `ssim` and `l1` (on the scale of [0, 1]) of outputs against a part of the batch.

    Args:
        name: The part of the batch: images in [-1, 1].
    """
    return {
        "psnr": lambda batch, outputs: _psnr(batch[name], _clipped(outputs)),
        "ssim": lambda batch, outputs: _ssim(batch[name], _clipped(outputs)),
        "l1": lambda batch, outputs: UNIT_RANGE * tf.reduce_mean(tf.abs(batch[name] - _clipped(outputs))),
    }


def _clipped(outputs: GeneratorOutputs) -> tf.Tensor:
    return tf.clip_by_value(tf.cast(outputs.output, tf.float32), -1.0, 1.0)


def _psnr(target: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.minimum(tf.image.psnr(target, output, max_val=2.0), MOST_PSNR_DB))


def _ssim(target: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    window = min([_SSIM_WINDOW_PX, *(side for side in target.shape[1:3] if side is not None)])
    return tf.reduce_mean(tf.image.ssim(target + 1.0, output + 1.0, max_val=2.0, filter_size=window))
