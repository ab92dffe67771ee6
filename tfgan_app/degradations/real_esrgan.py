"""The degradations of Real-ESRGAN: blur, resizing, noise and JPEG, twice over."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

from tfgan_app.degradations.arguments import check_range, check_share, height_and_width
from tfgan_app.degradations.blur import blur
from tfgan_app.degradations.draws import choice, in_range
from tfgan_app.degradations.jpeg import jpeg
from tfgan_app.degradations.kernels import cropped_kernels, gaussian_kernels, plateau_kernels, sinc_kernels
from tfgan_app.degradations.noise import add_noise
from tfgan_app.degradations.quantization import to_eight_bits
from tfgan_app.degradations.resampling import resize

KERNEL_SIZE = 21
"""Height and width of the largest kernel; the smallest is 7 x 7."""

METHODS = ("area", "bilinear", "bicubic")
"""Resizing methods, equally likely. Nearest neighbor is left out, as it shifts the image."""

STAGE_DRAWS = (
    *("blurred", "ringing", "shape", "size", "along", "across", "angle", "beta", "cutoff"),
    *("direction", "factor", "method"),
    *("noise", "strength", "gray", "seed_0", "seed_1"),
    "quality",
)
"""Purpose of each uniform number of an example in one stage."""

FINAL_DRAWS = ("ringing", "size", "cutoff", "method", "order")
"""Purpose of each uniform number of an example at the end."""


@dataclass(frozen=True)
class Stage:
    """The ranges of one stage; the defaults are those published for the first one.

    Attributes:
        blurred: Probability that an image is blurred.
        sigma_px: Standard deviation of the blur.
        shapes: Weights of isotropic and anisotropic Gaussian, generalized and plateau-shaped kernels, in that order.
        ringing: Probability that the kernel is a sinc instead.
        directions: Weights of enlarging, reducing and keeping the size.
        factor: Smallest and largest factor of resizing.
        sigma_255: Standard deviation of Gaussian noise where white is 255.
        poisson_scale: Scale of Poisson noise, which half of the images get instead.
        gray: Probability that the noise is the same in all channels.
        quality: JPEG quality.

    Raises:
        ValueError: For a probability or range out of its limits.
    """

    blurred: float = 1.0
    sigma_px: tuple[float, float] = (0.2, 3.0)
    shapes: tuple[float, ...] = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
    ringing: float = 0.1
    directions: tuple[float, float, float] = (0.2, 0.7, 0.1)
    factor: tuple[float, float] = (0.15, 1.5)
    sigma_255: tuple[float, float] = (1.0, 30.0)
    poisson_scale: tuple[float, float] = (0.05, 3.0)
    gray: float = 0.4
    quality: tuple[float, float] = (30.0, 95.0)

    def __post_init__(self):
        for name in ("blurred", "ringing", "gray"):
            check_share(name, getattr(self, name))
        limits = {"sigma_px": (0, 50), "factor": (0.01, 16), "sigma_255": (0, 255), "poisson_scale": (0, 100)}
        for name, limit in {**limits, "quality": (1, 100)}.items():
            check_range(name, getattr(self, name), limits=limit)


FIRST_STAGE = Stage()
SECOND_STAGE = Stage(
    blurred=0.8,
    sigma_px=(0.2, 1.5),
    directions=(0.3, 0.4, 0.3),
    factor=(0.3, 1.2),
    sigma_255=(1.0, 25.0),
    poisson_scale=(0.05, 2.5),
)


class RealESRGAN:
    """Degrades images by the second-order model of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833).

    Two stages of blur, resizing, noise and JPEG; in the second one the resizing to the final size, which a sinc
    filter follows for most images, and JPEG come in random order. All ranges are the published ones. At the end the
    image is rounded to 8 bits.

    Shared within a batch, by the first example's draws: the sizes between, the kernels of resizing and the order at
    the end. All else is each example's own.

    Deviations: bicubic resizing has a = -0.5 (the authors' has -0.75), borders are mirrored about the pixels' edge,
    color is upsampled smoothly after JPEG, and Gaussian or Poisson noise and the second blur are decided for each
    example instead of each batch; for Poisson noise see `add_noise`. Sharpening the target is not part of this.

    Args:
        scale: Factor by which the result is smaller.
        first: Ranges of the first stage.
        second: Ranges of the second stage; factors are relative to the final size.
        final_ringing: Probability of a sinc filter at the end.

    Raises:
        ValueError: For a scale below 1.
    """

    draws_per_example = 2 * len(STAGE_DRAWS) + len(FINAL_DRAWS)
    """Number of uniform draws per example."""

    def __init__(
        self,
        *,
        scale: int = 1,
        first: Stage = FIRST_STAGE,
        second: Stage = SECOND_STAGE,
        final_ringing: float = 0.8,
    ):
        if scale < 1:
            raise ValueError(f"`scale` must be a whole number of at least 1. Received: {scale}.")
        self.scale = scale
        self.first = first
        self.second = second
        self.final_ringing = final_ringing

    # Nothing here needs AutoGraph, and its conversion takes longer than tracing.
    @tf.autograph.experimental.do_not_convert
    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Degrades a batch.

        Args:
            images: float32 `[batch, height, width, 3]` in [0, 1].
            draws: float32 `[batch, draws_per_example]`, uniform in [0, 1).

        Returns:
            float32 `[batch, height / scale, width / scale, 3]` in [0, 1], rounded to 8 bits.

        Raises:
            ValueError: If a known height or width is not a multiple of the scale.
        """
        size = height_and_width(images)
        if any(isinstance(length, int) and length % self.scale for length in size):
            raise ValueError(
                f"Height and width must be multiples of the scale {self.scale}. Received: {size[0]} x {size[1]}. "
                "Crop the images first."
            )
        final_size = [length // self.scale for length in size]
        names = STAGE_DRAWS + STAGE_DRAWS + FINAL_DRAWS
        columns = tf.unstack(draws, len(names), axis=1)
        u, v, w = (
            dict(zip(names[start:end], columns[start:end], strict=True))
            for start, end in ((0, len(STAGE_DRAWS)), (len(STAGE_DRAWS), -len(FINAL_DRAWS)), (-len(FINAL_DRAWS), None))
        )
        images = _stage(images, u, self.first, size)
        images = jpeg(images, in_range(u["quality"], self.first.quality))
        images = _stage(images, v, self.second, final_size)
        return self._finish(images, in_range(v["quality"], self.second.quality), w, final_size)

    def _finish(self, images, quality, u, size):
        """Resizing with a sinc filter, and JPEG, in random order."""
        resized_first = u["order"][0] < 0.5
        images = tf.cond(resized_first, lambda: images, lambda: jpeg(images, quality))
        kernels = _random_sinc(u, smallest_cutoff=math.pi / 3.0)
        kernels = tf.where((u["ringing"] < self.final_ringing)[:, None, None], kernels, _identity())
        images = blur(_resize(images, size, u["method"][0]), kernels)
        return tf.cond(resized_first, lambda: jpeg(images, quality), lambda: to_eight_bits(images))


def _stage(images, u, ranges, size):
    """Blur, resizing relative to a size, and noise."""
    kernels = tf.where((u["blurred"] < ranges.blurred)[:, None, None], _random_kernels(u, ranges), _identity())
    images = blur(images, kernels)
    factor = _resize_factor(u["direction"][0], u["factor"][0], ranges)
    lengths = [tf.maximum(tf.cast(factor * tf.cast(length, tf.float32), tf.int32), 1) for length in size]
    images = _resize(images, lengths, u["method"][0])
    strength, gaussian = u["strength"], u["noise"] < 0.5
    return tf.clip_by_value(
        add_noise(
            tf.clip_by_value(images, 0.0, 1.0),
            tf.stack([u["seed_0"], u["seed_1"]], axis=1),
            sigma_255=tf.where(gaussian, in_range(strength, ranges.sigma_255), 0.0),
            poisson_scale=tf.where(gaussian, 0.0, in_range(strength, ranges.poisson_scale)),
            gray=u["gray"] < ranges.gray,
        ),
        0.0,
        1.0,
    )


def _resize_factor(direction, position, ranges):
    smallest, largest = ranges.factor
    direction = choice(direction, ranges.directions)
    enlarged, reduced = in_range(position, (1.0, largest)), in_range(position, (smallest, 1.0))
    return tf.where(direction == 0, enlarged, tf.where(direction == 1, reduced, 1.0))


def _resize(images, size, draw):
    """Resizes without antialiasing, as the authors do: aliasing is part of the degradation."""
    branches = [
        lambda method=method: resize(images, height=size[0], width=size[1], method=method, antialias=False)
        for method in METHODS
    ]
    return tf.switch_case(choice(draw, (1.0,) * len(METHODS)), branches)


def _random_kernels(u, ranges):
    shape = choice(u["shape"], ranges.shapes)
    across = tf.where(shape % 2 == 1, u["across"], u["along"])
    sigmas = in_range(tf.stack([u["along"], across], axis=1), ranges.sigma_px)
    angles = 2.0 * math.pi * u["angle"]
    beta = tf.where(shape < 2, 1.0, _beta(u["beta"], (0.5, 4.0)))
    kernels = gaussian_kernels(KERNEL_SIZE, sigmas=sigmas, angles=angles, beta=beta)
    plateau = plateau_kernels(KERNEL_SIZE, sigmas=sigmas, angles=angles, beta=_beta(u["beta"], (1.0, 2.0)))
    kernels = tf.where((shape < 4)[:, None, None], kernels, plateau)
    kernels = cropped_kernels(kernels, _size(u))
    # Small kernels cannot hold the rings of low cutoffs.
    smallest_cutoff = tf.where(_size(u) < 13, math.pi / 3.0, math.pi / 5.0)
    sinc = _random_sinc(u, smallest_cutoff=smallest_cutoff)
    return tf.where((u["ringing"] < ranges.ringing)[:, None, None], sinc, kernels)


def _random_sinc(u, *, smallest_cutoff):
    cutoffs = smallest_cutoff + (math.pi - smallest_cutoff) * u["cutoff"]
    return cropped_kernels(sinc_kernels(KERNEL_SIZE, cutoffs=cutoffs), _size(u))


def _size(u):
    """Kernel sizes: 7, 9, ... 21."""
    return 7 + 2 * tf.cast(u["size"] * ((KERNEL_SIZE - 7) // 2 + 1), tf.int32)


def _beta(draws, bounds):
    """Shape parameters: half below 1 and half above, each half uniform."""
    low, high = bounds
    return tf.where(draws < 0.5, low + 2.0 * draws * (1.0 - low), 1.0 + (2.0 * draws - 1.0) * (high - 1.0))


def _identity():
    return tf.pad(tf.ones((1, 1, 1)), [[0, 0], [KERNEL_SIZE // 2] * 2, [KERNEL_SIZE // 2] * 2])
