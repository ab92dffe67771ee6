"""Orthogonal regularization of the generator."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tfgan_app.training.task import GeneratorRegularizer, Networks


def orthogonality(kernels: Iterable[Any]) -> tf.Tensor:
    """Sum of the squared products of different filters, which are 0 where filters are orthogonal: float32 scalar.

    "Large Scale GAN Training for High Fidelity Natural Image Synthesis", Brock et al. 2019, arXiv:1809.11096, equation
    3: `|W^T W * (1 - I)|^2`, which unlike the plain penalty leaves the filters' lengths alone.

    Args:
        kernels: float `[..., inputs, filters]`.
    """
    total = tf.constant(0.0)
    for kernel in kernels:
        matrix = tf.reshape(tf.cast(kernel, tf.float32), [-1, kernel.shape[-1]])
        products = tf.matmul(matrix, matrix, transpose_a=True)
        total += tf.reduce_sum(tf.square(products)) - tf.reduce_sum(tf.square(tf.linalg.diag_part(products)))
    return total


def orthogonal_regularizer(*, weight: float) -> GeneratorRegularizer:
    """Builds the regularizer of all kernels of the generators but class embeddings.

    Args:
        weight: Factor; the paper's is 1e-4.
    """

    def penalty(networks: Networks, batch: dict, noise: Callable, state: dict[str, Any]):
        del batch, noise
        variables = [v for model in networks.generators.values() for v in model.trainable_variables]
        kernels = [v.value for v in variables if len(v.shape) > 1 and "embedding" not in v.path]
        return orthogonality(kernels), state

    return GeneratorRegularizer("orthogonality", penalty, weight)
