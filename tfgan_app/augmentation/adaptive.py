"""ADA: augmentation of the discriminator's inputs, with a probability that follows its overfitting."""

from __future__ import annotations

import math

import tensorflow as tf

DRAWS = (
    "flip_gate",
    "flip",
    "turn_gate",
    "turn",
    "shift_gate",
    "shift_right",
    "shift_down",
    "scale_gate",
    "scale",
    "first_rotation_gate",
    "first_rotation",
    "stretch_gate",
    "stretch",
    "second_rotation_gate",
    "second_rotation",
    "drift_gate",
    "drift_right",
    "drift_down",
    "brightness_gate",
    "brightness",
    "contrast_gate",
    "contrast",
    "luma_flip_gate",
    "luma_flip",
    "hue_gate",
    "hue",
    "saturation_gate",
    "saturation",
)
"""Purpose of each uniform number of an example; a gate below the probability applies its transform."""

MAX_SHIFT = 0.125
SCALE_STD = 0.2
STRETCH_STD = 0.2
DRIFT_STD = 0.125
BRIGHTNESS_STD = 0.2
CONTRAST_STD = 0.5
SATURATION_STD = 1.0
"""Strengths of the paper: of shifts as a fraction of the size, of factors in powers of 2, of brightness in [-1, 1]."""


class AdaptiveAugmentation:
    """The "bgc" pipeline of ADA: pixel blitting, general geometry and color, differentiable in the images.

    Adaptive discriminator augmentation (Karras et al. 2020, arXiv:2006.06676, appendix B). Each image gets each
    transform with `probability`, by its own draw. The caller adapts the probability. In this order:

    - blit: mirror left and right (half of the time it is drawn), turn by 0 to 3 quarter turns, shift by whole
      pixels, uniform up to 1/8 of the size.
    - geometry: scale by 2^N(0.2), rotate, stretch the width by 2^N(0.2) and the height by its inverse, rotate again,
      shift by N(1/8) of the size; N(std) is a normal number. Each rotation is uniform over the circle and has
      probability 1 - sqrt(1 - p), so that at least one of the two happens with probability p.
    - color: brightness plus N(0.2), contrast times 2^N(0.5), luma flip (half of the time it is drawn), hue rotated
      by an angle uniform over the circle, saturation times 2^N(1). Luma is the mean of the channels. Gray images
      get the transforms of luma: brightness, contrast and, as the luma flip, the negative.

    Blit and geometry are one resampling. Beyond the border the image is mirrored. As in the paper nothing is clipped:
    color may leave [-1, 1].

    A pure function of images and draws; the caller makes the draws from (seed, step).

    Deviations: resamples bilinearly, where the paper goes through an image upsampled by 2 with wavelets. That is
    softer, and aliases when an image shrinks; flips, quarter turns of square images and whole-pixel shifts stay
    exact. The authors' code mirrors an image once and shows mid-gray beyond; here the mirroring goes on. Image-space
    filtering, noise and cutout are left out: the paper itself settles on blit, geometry and color.

    Args:
        blit: Flip, quarter turns and whole-pixel shifts.
        geometry: Scaling, rotation and shifts by fractions of pixels.
        color: Brightness, contrast, luma flip, hue and saturation.

    Raises:
        ValueError: When every group is off.
    """

    draws_per_example = len(DRAWS)
    """Number of uniform draws per example."""

    def __init__(self, *, blit: bool = True, geometry: bool = True, color: bool = True):
        if not (blit or geometry or color):
            raise ValueError(
                "One of `blit`, `geometry` and `color` must be on. Received: all off. "
                "To train without augmentation, leave ADA out."
            )
        self.blit = blit
        self.geometry = geometry
        self.color = color

    def __call__(self, images: tf.Tensor, draws: tf.Tensor, probability: float | tf.Tensor) -> tf.Tensor:
        """Augments a batch, each image by its own draws.

        Args:
            images: floating `[batch, height, width, channels]` in [-1, 1], 1 or 3 channels, at least 2 pixels high
                and wide; height, width and channels are static.
            draws: float32 `[batch, draws_per_example]`, uniform in [0, 1).
            probability: Scalar in [0, 1], of each transform of an image; at 0 images come out bit by bit as they
                are.

        Returns:
            Images of the shape and dtype of `images`, computed in float32; color may leave [-1, 1].

        Raises:
            ValueError: For images of another number of channels, or too small.
        """
        images = tf.convert_to_tensor(images)
        height, width, channels = images.shape[1:]
        if channels not in (1, 3) or min(height, width) < 2:
            raise ValueError(
                "`images` must have 1 or 3 channels and at least 2 x 2 pixels. "
                f"Received: shape={tuple(images.shape)}. Convert them to gray or RGB, or train at a larger size."
            )
        probability = tf.cast(probability, tf.float32)
        u = dict(zip(DRAWS, tf.unstack(tf.cast(draws, tf.float32), len(DRAWS), axis=1), strict=True))
        augmented = tf.cast(images, tf.float32)
        if self.blit or self.geometry:
            # Rows (a, b, t) of the map from a pixel of the result to its source, about the center: x' = a x + b y + t.
            # The image's first transform comes first: each further one is applied to the result's pixel before it.
            source = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
            if self.blit:
                source = _blit(source, u, probability, (height, width))
            if self.geometry:
                source = _change_geometry(source, u, probability, (height, width))
            augmented = _resample(augmented, source)
        if self.color:
            augmented = _change_color(augmented, u, probability)
        return tf.cast(augmented, images.dtype)


def _blit(source, u, probability, size):
    mirror = tf.where((u["flip_gate"] < probability) & (u["flip"] >= 0.5), -1.0, 1.0)
    source = _then_linear(source, ((mirror, 0.0), (0.0, 1.0)))
    turns = tf.where(u["turn_gate"] < probability, tf.floor(u["turn"] * 4.0), 0.0)
    # From a table: the cosine of a quarter turn in float32 is not 0, and the image would be resampled.
    cos, sin = (tf.gather(table, tf.cast(turns, tf.int32)) for table in ((1.0, 0.0, -1.0, 0.0), (0.0, 1.0, 0.0, -1.0)))
    source = _then_linear(source, ((cos, -sin), (sin, cos)))
    applied = u["shift_gate"] < probability
    right, down = (
        tf.where(applied, tf.round((u[name] * 2.0 - 1.0) * (MAX_SHIFT * length)), 0.0)
        for name, length in (("shift_right", size[1]), ("shift_down", size[0]))
    )
    return _then_shift(source, right, down)


def _change_geometry(source, u, probability, size):
    rotation_probability = 1.0 - tf.sqrt(1.0 - probability)

    def log_normal(name, std):
        return tf.where(u[f"{name}_gate"] < probability, tf.exp(_normal(u[name]) * (std * math.log(2.0))), 1.0)

    def rotate(source, name):
        angle = tf.where(u[f"{name}_gate"] < rotation_probability, (u[name] * 2.0 - 1.0) * math.pi, 0.0)
        cos, sin = tf.cos(angle), tf.sin(angle)
        return _then_linear(source, ((cos, -sin), (sin, cos)))

    scale = log_normal("scale", SCALE_STD)
    source = _then_linear(source, ((1.0 / scale, 0.0), (0.0, 1.0 / scale)))
    source = rotate(source, "first_rotation")
    stretch = log_normal("stretch", STRETCH_STD)
    source = _then_linear(source, ((1.0 / stretch, 0.0), (0.0, stretch)))
    source = rotate(source, "second_rotation")
    applied = u["drift_gate"] < probability
    right = tf.where(applied, _normal(u["drift_right"]) * (DRIFT_STD * size[1]), 0.0)
    down = tf.where(applied, _normal(u["drift_down"]) * (DRIFT_STD * size[0]), 0.0)
    return _then_shift(source, right, down)


def _then_linear(source, inverse):
    # Written out: a float32 matmul is rounded to TF32 on recent GPUs, which would move pixels.
    (m00, m01), (m10, m11) = inverse
    return tuple((a * m00 + b * m10, a * m01 + b * m11, t) for a, b, t in source)


def _then_shift(source, right, down):
    return tuple((a, b, t - a * right - b * down) for a, b, t in source)


def _normal(uniform):
    """Standard normal numbers; the clip keeps a draw of 0 finite, at 5.3 standard deviations."""
    return tf.math.ndtri(tf.clip_by_value(uniform, 2.0**-24, 1.0 - 2.0**-24))


def _resample(images, source):
    """Samples images at `source`, bilinearly, mirrored about the border pixels.

    Not `ImageProjectiveTransformV3`, which `keras.ops.image.affine_transform` uses too: its registered gradient
    warps by the inverse transform, which is not the transpose.
    """
    height, width, channels = images.shape[1:]
    (a, b, across), (c, d, along) = (tuple(value[:, None, None] for value in row) for row in source)
    x = tf.range(width, dtype=tf.float32) - (width - 1) / 2.0
    y = (tf.range(height, dtype=tf.float32) - (height - 1) / 2.0)[:, None]
    left, to_right = _mirrored_cell(a * x + b * y + across + (width - 1) / 2.0, width)
    top, to_bottom = _mirrored_cell(c * x + d * y + along + (height - 1) / 2.0, height)
    pixels = tf.reshape(images, (-1, height * width, channels))
    corner = top * width + left

    def pixel(step):
        return tf.gather(pixels, corner + step, axis=1, batch_dims=1)

    # Weights of exactly 0 and 1 return the pixel bit by bit, which first + t * (second - first) would not.
    upper = pixel(0) * (1.0 - to_right) + pixel(1) * to_right
    lower = pixel(width) * (1.0 - to_right) + pixel(width + 1) * to_right
    return upper * (1.0 - to_bottom) + lower * to_bottom


def _mirrored_cell(position, size):
    """The pixel before `position` after mirroring, and the fraction of a pixel beyond it, `[..., 1]`."""
    last = size - 1.0
    position = last - tf.abs(tf.math.floormod(position, 2.0 * last) - last)
    cell = tf.minimum(tf.floor(position), last - 1.0)
    return tf.cast(cell, tf.int32), (position - cell)[..., None]


def _change_color(images, u, probability):
    """All five transforms as one: each scales the luma, or scales and rotates the chroma about the luma axis."""

    def drawn(name, value, neutral):
        return tf.where(u[f"{name}_gate"] < probability, value, neutral)[:, None, None]

    brightness = drawn("brightness", _normal(u["brightness"]) * BRIGHTNESS_STD, 0.0)
    contrast = drawn("contrast", tf.exp(_normal(u["contrast"]) * (CONTRAST_STD * math.log(2.0))), 1.0)
    luma_gain = contrast * drawn("luma_flip", tf.where(u["luma_flip"] >= 0.5, -1.0, 1.0), 1.0)
    offset = luma_gain * brightness
    if images.shape[-1] == 1:
        return images * luma_gain[..., None] + offset[..., None]
    angle = drawn("hue", (u["hue"] * 2.0 - 1.0) * math.pi, 0.0)
    saturation = drawn("saturation", tf.exp(_normal(u["saturation"]) * (SATURATION_STD * math.log(2.0))), 1.0)
    chroma_gain = contrast * saturation * tf.cos(angle)
    # The cross product of the luma axis (1, 1, 1) / sqrt(3) and the color.
    turn = contrast * saturation * tf.sin(angle) / math.sqrt(3.0)
    red, green, blue = tf.unstack(images, axis=-1)
    # Where nothing is applied the gains are exactly 1 and 0, and this is the identity.
    shared = (luma_gain - chroma_gain) * ((red + green + blue) / 3.0) + offset
    turned = ((red, blue - green), (green, red - blue), (blue, green - red))
    return tf.stack([chroma_gain * channel + turn * cross + shared for channel, cross in turned], axis=-1)
