"""One player's update: gradients over all replicas, their norm, clipping or normalization, the optimizer."""

from __future__ import annotations

import keras
import tensorflow as tf

from tfgan_app.training.task import Networks


def apply_gradients(
    gradients: list, optimizer, variables: list, *, loss, clip_norm: float | None = None, normalize: bool = False
) -> dict[str, tf.Tensor]:
    """Applies one player's gradients, which an optimizer that scales losses has scaled.

    Args:
        gradients: Of `variables`, of this replica's share of the mean loss.
        optimizer: The player's.
        variables: The player's.
        loss: What was differentiated: its health is looked at.
        clip_norm: Bound on the global norm over all replicas, or `None`.
        normalize: Scale the gradients to a global norm of 1.

    Returns:
        `gradient_norm`, before clipping, and `nonfinite`, 1.0 when the loss or a gradient was not finite.
    """
    context = tf.distribute.get_replica_context()
    replicas, scale = context.num_replicas_in_sync, loss_scale(optimizer)
    if clip_norm is None and not normalize:
        norm = tf.linalg.global_norm(gradients) * replicas / scale
    else:
        if replicas > 1:  # The optimizer would sum what each replica had clipped by itself.
            gradients = context.all_reduce("SUM", gradients)
        norm = tf.linalg.global_norm(gradients) / scale
        factor = 1.0 / (norm + 1e-12) if normalize else 1.0
        if clip_norm is not None:
            factor = tf.minimum(factor, clip_norm / (norm + 1e-12))
        gradients = [gradient * (factor / replicas) for gradient in gradients]
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    # Under float16 the optimizer skips overflown gradients by design; only the loss can be sick.
    finite = tf.math.is_finite(loss if _scales_loss(optimizer) else loss + norm)
    return {"gradient_norm": norm, "nonfinite": 1.0 - tf.cast(finite, tf.float32)}


def average_weights(averaged: Networks, networks: Networks, *, step, decay: float) -> None:
    """Moves the averaged weights of the generators towards the current ones.

    Args:
        averaged: Networks of the averaged weights.
        networks: Networks of the current ones.
        step: int64 scalar variable.
        decay: Of the moving average, warmed up: `min(decay, (1 + step) / (10 + step))`.
    """
    step = tf.cast(step, tf.float32)
    decay = tf.minimum(decay, (1.0 + step) / (10.0 + step))
    for name, model in averaged.generators.items():
        source = networks.generators[name]
        for mean, value in zip(model.trainable_variables, source.trainable_variables, strict=True):
            mean.assign(value + decay * (mean - value))
        for mean, value in zip(model.non_trainable_variables, source.non_trainable_variables, strict=True):
            # Statistics of batch normalization belong to the weights they were taken with; seeds are no numbers.
            is_statistic = "float" in mean.dtype
            mean.assign(value + decay * (mean - value) if is_statistic else value)


def loss_scale(optimizer) -> tf.Tensor | float:
    """The factor that the optimizer puts on losses: 1 unless it scales them for float16."""
    return tf.cast(optimizer.dynamic_scale, tf.float32) if _scales_loss(optimizer) else 1.0


def _scales_loss(optimizer) -> bool:
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
