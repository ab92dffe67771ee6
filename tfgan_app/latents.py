"""Latents from seeds: the same seed gives the same image in training, prediction and exported graphs."""

from __future__ import annotations

import tensorflow as tf


def seeded_latents(seeds: tf.Tensor, latent_dim: int) -> tf.Tensor:
    """Draws one latent vector for each seed, independently of the other seeds.

    Args:
        seeds: int64 `[count]`.
        latent_dim: Length of a latent vector.

    Returns:
        float32 `[count, latent_dim]`, standard normal.
    """
    return _seeded_latents(tf.cast(seeds, tf.int64), latent_dim)


# A graph, because a Python loop takes milliseconds for each vector.
@tf.function(reduce_retracing=True)
def _seeded_latents(seeds: tf.Tensor, latent_dim: int) -> tf.Tensor:
    def draw(seed: tf.Tensor) -> tf.Tensor:
        # Explicit, because the default algorithm differs between devices.
        return tf.random.stateless_normal([latent_dim], tf.stack([seed, 0]), alg="philox")

    # The last digits of logarithms and cosines differ between devices too, and draws this small gain nothing on a GPU.
    with tf.device("CPU:0"):
        return tf.map_fn(draw, seeds, fn_output_signature=tf.TensorSpec([latent_dim], tf.float32))


def truncate_latents(latents: tf.Tensor, threshold: float) -> tf.Tensor:
    """Moves normal latents into `[-threshold, threshold]`, which trades variety for image quality.

    This is the truncation trick of BigGAN (Brock et al. 2019, arXiv:1809.11096, section 3.1). Deviation: values are
    not resampled; each keeps its rank, so quantiles of the normal distribution become those of the truncated one.

    Args:
        latents: float32 of any shape, standard normal.
        threshold: A positive limit; 2 changes little, 0.5 a lot.

    Returns:
        float32 of the same shape.
    """
    # In float32 the quantiles of latents beyond 5.5 are 1, which the inverse maps to infinity.
    wide = tf.cast(latents, tf.float64)
    inside = tf.math.erf(tf.cast(threshold, tf.float64) * 0.5**0.5)
    moved = tf.math.erfinv(tf.math.erf(wide * 0.5**0.5) * inside) * 2.0**0.5
    # Float64 has the same limit at 8; clipping keeps values from moving outward.
    return tf.cast(tf.clip_by_value(moved, -tf.abs(wide), tf.abs(wide)), tf.float32)
