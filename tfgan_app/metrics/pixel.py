"""Full-reference metrics on RGB images in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

MAX_PSNR = 100.0
"""PSNR of identical images: otherwise unbounded, so that one blank page would make a mean infinite."""


def l1(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Mean absolute error of each image: float32 `[batch]`, 0 is best."""
    return tf.reduce_mean(tf.abs(targets - outputs), axis=(1, 2, 3))


def psnr(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Peak signal-to-noise ratio in dB of each image, over all channels: float32 `[batch]`, at most `MAX_PSNR`."""
    return tf.minimum(tf.image.psnr(targets, outputs, max_val=1.0), MAX_PSNR)


def ssim(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Structural similarity (Wang et al. 2004), 11 px Gaussian window, mean of channels: `[batch]`.

    The window shrinks to fit smaller images.
    """
    window = min(11, targets.shape[1], targets.shape[2])
    return tf.image.ssim(targets, outputs, max_val=1.0, filter_size=window)


PIXEL_METRICS: dict[str, Callable] = {"psnr": psnr, "ssim": ssim, "l1": l1}


def paired_metrics(
    targets: np.ndarray, outputs: np.ndarray, *, metrics: dict[str, Callable] = PIXEL_METRICS, batch_size: int = 16
) -> dict[str, np.ndarray]:
    """Measures every image of a set.

    Args:
        targets: uint8 `[count, height, width, 3]`, the references.
        outputs: uint8 of the same shape.
        metrics: Name -> function of float32 `(targets, outputs)` in [0, 1] to `[batch]`.
        batch_size: Images measured at a time.

    Returns:
        Metric name -> float64 `[count]`.
    """
    values: dict[str, list] = {name: [] for name in metrics}
    for start in range(0, len(targets), batch_size):
        pair = [tf.cast(x[start : start + batch_size], tf.float32) / 255.0 for x in (targets, outputs)]
        for name, metric in metrics.items():
            values[name].append(np.asarray(metric(*pair), np.float64))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def output_variation(targets: np.ndarray, outputs: np.ndarray) -> float | None:
    """Variation of outputs over inputs, relative to the targets: about 0 if the input is ignored.

    Args:
        targets: uint8 `[count, height, width, 3]`.
        outputs: uint8 of the same shape.

    Returns:
        Ratio of the mean over pixels of the standard deviations across images; `None` if the targets do
        not vary, as for a single one.
    """
    spread = [float(np.std(x.astype(np.float32), axis=0).mean()) for x in (outputs, targets)]
    return spread[0] / spread[1] if spread[1] > 1e-3 else None
