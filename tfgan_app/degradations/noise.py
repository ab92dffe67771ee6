"""Sensor noise: Gaussian, and Poisson for the counting of photons."""

from __future__ import annotations

import tensorflow as tf

from tfgan_app.degradations.arguments import check_range, check_share, height_and_width
from tfgan_app.degradations.color import luma
from tfgan_app.degradations.draws import SEED_DRAWS, in_range, normal_fields

WHITE_COUNTS = 256.0
"""Photons counted in a white pixel for Poisson noise of scale 1."""


def add_noise(
    images: tf.Tensor,
    draws: tf.Tensor,
    *,
    sigma_255: tf.Tensor,
    poisson_scale: tf.Tensor | None = None,
    gray: tf.Tensor | None = None,
) -> tf.Tensor:
    """Adds Gaussian noise, Poisson noise or both to each image. Nothing is clipped.

    Poisson noise is that of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833): an image is counted as
    `WHITE_COUNTS` photons in white, and the error of the counts is multiplied by a scale.

    Deviations: counts are drawn by the Poisson distribution's expansion about a normal one (Cornish and Fisher
    1938), rounded, since exact sampling takes ten times as long; the mean is off by at most 0.06 and the variance
    by at most 0.15 counts. White always counts 256, where the authors' code takes the number of different values
    in the image.

    Args:
        images: float32 `[batch, height, width, 3]` in [0, 1].
        draws: float32 `[batch, SEED_DRAWS]` in [0, 1).
        sigma_255: float32 `[batch]`, standard deviation of Gaussian noise where white is 255.
        poisson_scale: float32 `[batch]`, factor of Poisson noise; None for none.
        gray: bool `[batch]`, whether the noise is the same in all three channels; None for no image. Gray Poisson noise
            is that of the image's luma.

    Returns:
        float32 `[batch, height, width, 3]`; where both strengths are 0, exactly `images`.
    """
    height, width = height_and_width(images)
    normals = normal_fields(draws, (height, width, images.shape[-1]))
    strength = images
    if gray is not None:
        gray = gray[:, None, None, None]
        normals = tf.where(gray, normals[..., :1], normals)
        strength = tf.where(gray, luma(images), images)
    noise = (sigma_255 / 255.0)[:, None, None, None] * normals
    if poisson_scale is not None:
        rates = WHITE_COUNTS * tf.maximum(strength, 0.0)
        errors = (_poisson(rates, normals) - rates) / WHITE_COUNTS
        noise += poisson_scale[:, None, None, None] * errors
    return images + noise


def _poisson(rates, normals):
    """Counts of a Poisson distribution at the quantiles of standard normal numbers."""
    # The correction of skewness must vanish with the rate: black counts nothing.
    skewness = (normals * normals - 1.0) / 6.0 * tf.minimum(rates, 1.0)
    return tf.maximum(tf.round(rates + tf.sqrt(rates) * normals + skewness), 0.0)


class Noise:
    """Adds Gaussian or Poisson noise of a random strength; some images stay clean.

    The defaults are the range of blind denoising of DnCNN (Zhang et al. 2016, arXiv:1608.03981). Its benchmarks
    neither clip nor round noisy images; files do, and so does `Compose` unless told otherwise.

    Args:
        sigma_255: Range of the standard deviation of Gaussian noise where white is 255, uniform.
        clean: Share of the images that get no noise, so that a network learns to leave clean images alone.
        gray: Share of the images whose noise is the same in all three channels.
        poisson: Share of the images with noise whose noise is Poisson instead.
        poisson_scale: Range of the scale of Poisson noise, uniform.

    Raises:
        ValueError: For a setting out of its range.
    """

    draws_per_example = 4 + SEED_DRAWS
    """Number of uniform draws per example."""

    def __init__(
        self,
        *,
        sigma_255: tuple[float, float] = (0.0, 55.0),
        clean: float = 0.05,
        gray: float = 0.0,
        poisson: float = 0.0,
        poisson_scale: tuple[float, float] = (0.05, 3.0),
    ):
        self.sigma_255 = check_range("sigma_255", sigma_255, limits=(0.0, 255.0))
        self.poisson_scale = check_range("poisson_scale", poisson_scale, limits=(0.0, 100.0))
        self.clean = check_share("clean", clean)
        self.gray = check_share("gray", gray)
        self.poisson = check_share("poisson", poisson)

    def __call__(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Adds noise to float32 `[batch, height, width, 3]` in [0, 1] by draws float32 `[batch, draws_per_example]`.

        Args:
            images: The images.
            draws: Uniform in [0, 1).

        Returns:
            Noisy images of the same shape; they leave [0, 1].
        """
        clean, strength, gray, poisson = tf.unstack(draws[:, :4], 4, axis=1)
        noisy = clean >= self.clean
        counted = noisy & (poisson < self.poisson)
        return add_noise(
            images,
            draws[:, 4:],
            sigma_255=tf.where(noisy & ~counted, in_range(strength, self.sigma_255), 0.0),
            poisson_scale=tf.where(counted, in_range(strength, self.poisson_scale), 0.0) if self.poisson else None,
            gray=gray < self.gray if self.gray else None,
        )
