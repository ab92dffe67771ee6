"""Path-length regularization of style-based generators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfgan_app.training.task import GeneratorRegularizer, Networks

MEAN = "path_length"
"""Name of the running mean in logs and checkpoints."""

MEAN_DECAY = 0.01
"""Share of the running mean that each pass renews."""


def path_lengths(synthesize: Callable, styles: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Lengths of the gradients of random sums of pixels: how far images move for a step of w.

    "Analyzing and Improving the Image Quality of StyleGAN", Karras et al. 2020, arXiv:1912.04958, section 3.2: the norm
    of J^T y for normal images y, J the Jacobian of the images. As in the authors' code, y is divided by the root of the
    number of pixels, and the squared norms are averaged over the layers that take a style.

    Args:
        synthesize: Styles float `[batch, layers, dim]` to images float `[batch, height, width, channels]`.
        styles: Styles.
        noise: Standard normal float32 `[batch, height, width, channels]`.

    Returns:
        float32 `[batch]`.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(styles)
        images = tf.cast(synthesize(styles), tf.float32)
        pixels = float(images.shape[1] * images.shape[2])
        projected = tf.reduce_sum(images * noise) * pixels**-0.5
    gradients = tf.cast(tape.gradient(projected, styles), tf.float32)
    squared = tf.reduce_mean(tf.reduce_sum(tf.square(gradients), axis=2), axis=1)
    return tf.sqrt(squared + 1e-12)  # The root's gradient is infinite at zero.


def path_length_regularizer(
    styles_of: Callable[[Networks, dict], tuple[tf.Tensor, Callable]], *, weight: float, every_steps: int
) -> GeneratorRegularizer:
    """Builds the regularizer: the mean squared difference of path lengths from their running mean.

    Karras et al. 2020, arXiv:1912.04958, section 3.2 (weight 2 and every 4 steps in the authors' code), on half of the
    batch. Deviation: on images of one style each, where the authors' code mixes styles as for the adversarial loss.

    Args:
        styles_of: `(networks, batch) -> (styles, synthesize)`, as `path_lengths` takes them, for half of the batch.
        weight: Factor.
        every_steps: Interval in steps.
    """

    def penalty(networks: Networks, batch: dict, noise: Callable, state: dict[str, Any]):
        styles, synthesize = styles_of(networks, batch)
        normal = noise([int(side) for side in batch["image"].shape[1:]])[: tf.shape(styles)[0]]
        lengths = path_lengths(synthesize, styles, normal)
        mean = state[MEAN] + MEAN_DECAY * (tf.reduce_mean(lengths) - state[MEAN])
        return tf.reduce_mean(tf.square(lengths - mean)), {MEAN: tf.stop_gradient(mean)}

    return GeneratorRegularizer("path_length_penalty", penalty, weight, every_steps, {MEAN: 0.0})
