"""Projection of an image into a latent space: the latents whose image is most alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_app.inference.latent_space import Label, LatentPoint, LatentSpace

Distance = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Function of two batches of images, float32 `[batch, height, width, 1 or 3]` in [0, 1], to float32 `[batch]`."""

STEPS = 300
_CANDIDATES, _STARTS = 256, 6
_LEARNING_RATE, _RAMP = 0.1, 0.75
_PRIOR = 1e-4


@dataclass(frozen=True)
class Projection:
    """Result of a projection.

    Attributes:
        point: The latents that were found.
        image: Their image, uint8 `[height, width, 1 or 3]`.
        target: The image that they were sought for, as the model could draw it: uint8 of the same shape.
        distance: Distance between the two.
    """

    point: LatentPoint
    image: np.ndarray
    target: np.ndarray
    distance: float


def pixel_distance(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Mean squared error at full, half and quarter resolution, summed; coarse differences count more."""
    total = tf.zeros([tf.shape(outputs)[0]])
    for level in range(3):
        total += tf.reduce_mean(tf.square(targets - outputs), axis=(1, 2, 3))
        if min(outputs.shape[1:3]) < 2 or level == 2:
            return total
        targets, outputs = (tf.nn.avg_pool2d(each, 2, 2, "SAME") for each in (targets, outputs))
    return total


def project(
    space: LatentSpace, image: np.ndarray, *, label: Label = None, steps: int = STEPS, distance: Distance | None = None
) -> Projection:
    """Finds the latents whose image is most like a given one, by gradient descent from the best of random ones.

    After "Analyzing and Improving the Image Quality of StyleGAN", Karras et al. 2020, arXiv:1912.04958, section 5.
    Deviations: several starts, the best of 256 seeds, and a small weight on the length of z in place of noise; no
    noise images.

    Args:
        space: Latent space of a model whose layers are known.
        image: uint8 `[height, width, 3]` of any size; its central square is used, at the size of the model's images.
        label: Class of the image, for a model with classes.
        steps: Steps of the descent, at least 1.
        distance: Distance to minimize; None for `pixel_distance`.

    Raises:
        ValueError: If the model's layers are unknown.
    """
    space.graph("A projection")
    size, channels = space.sampler.info.image_size, space.sampler.info.output_channels
    target = _fitted(image, size, channels)
    distance = distance or pixel_distance
    starts = _best_starts(space, target, label, distance)
    condition = space.condition(label, len(starts))
    targets = tf.repeat(target, len(starts), axis=0)
    latents = _descended(space, starts, targets, condition, steps=steps, distance=distance)
    outputs = space.synthesis(tf.constant(latents), *condition)
    distances = np.asarray(distance(targets, outputs))
    best = int(np.nanargmin(distances)) if np.isfinite(distances).any() else 0
    point = LatentPoint(latents[best], label, space.name)
    shown = np.rint(target.numpy()[0] * 255.0).astype(np.uint8)
    return Projection(point, space.draw(latents[best : best + 1], label)[0], shown, float(distances[best]))


def _fitted(image: np.ndarray, size: tuple[int, int], channels: int) -> tf.Tensor:
    """The central crop of the model's aspect ratio at its size: float32 `[1, height, width, channels]` in [0, 1]."""
    height, width = image.shape[:2]
    scale = min(height / size[0], width / size[1])
    rows, columns = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (height - rows) // 2, (width - columns) // 2
    crop = tf.cast(image[top : top + rows, left : left + columns], tf.float32)[None] / 255.0
    if (rows, columns) != tuple(size):
        crop = tf.clip_by_value(tf.image.resize(crop, size, method="bicubic", antialias=True), 0.0, 1.0)
    return crop if channels == 3 else tf.image.rgb_to_grayscale(crop)


def _best_starts(space: LatentSpace, target: tf.Tensor, label: Label, distance: Distance) -> np.ndarray:
    """The latents of the seeds whose images are nearest to the target: float32 `[starts, dim]`."""
    candidates = space.points(range(_CANDIDATES), label)
    distances = []
    for start in range(0, _CANDIDATES, 32):
        chunk = tf.constant(candidates[start : start + 32])
        outputs = space.synthesis(chunk, *space.condition(label, len(chunk)))
        distances.append(np.asarray(distance(tf.repeat(target, len(chunk), axis=0), outputs)))
    nearest = np.argsort(np.nan_to_num(np.concatenate(distances), nan=np.inf), kind="stable")[: _STARTS - 1]
    # The center is no random draw; smooth generators lead from it to many images.
    return np.concatenate([candidates[nearest], candidates.mean(axis=0, keepdims=True)])


def _descended(
    space: LatentSpace,
    starts: np.ndarray,
    targets: tf.Tensor,
    condition: list[tf.Tensor],
    *,
    steps: int,
    distance: Distance,
) -> np.ndarray:
    """Moves each start toward its target by Adam, and returns the best latents of each: float32 `[starts, dim]`."""
    prior = _PRIOR if space.name == "z" else 0.0

    @tf.function
    def gradients(latents: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(latents)
            distances = distance(targets, space.synthesis(latents, *condition))
            total = tf.reduce_sum(distances + prior * tf.reduce_mean(tf.square(latents), axis=1))
        return distances, tape.gradient(total, latents)

    latents = tf.constant(starts)
    mean, square = tf.zeros_like(latents), tf.zeros_like(latents)
    best, best_distances = starts.copy(), np.full(len(starts), np.inf)
    for step in range(steps + 1):
        distances, slope = gradients(latents)
        is_better = np.asarray(distances) < best_distances
        best[is_better] = latents.numpy()[is_better]
        best_distances = np.minimum(best_distances, np.nan_to_num(distances, nan=np.inf))
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * tf.square(slope)
        corrected = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.999 ** (step + 1))
        rate = _LEARNING_RATE * min(1.0, (1 - step / (steps + 1)) / (1 - _RAMP) + 0.01)
        latents = latents - rate * corrected[0] / (tf.sqrt(corrected[1]) + 1e-8)
    return best
