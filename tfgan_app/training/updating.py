"""Weight updates: gradients over all replicas, clipping or normalization, optimizer, moving average."""

from __future__ import annotations

import keras
import tensorflow as tf

from tfgan_app.training.task import Networks


def apply_gradients(
    gradients: list, optimizer, variables: list, *, loss, clip_norm: float | None = None, normalize: bool = False
) -> dict[str, tf.Tensor]:
    """Applies the gradients of one side, possibly of a scaled loss.

    Args:
        gradients: Gradients of this replica's share of the mean loss, for `variables`.
        optimizer: Optimizer of the side; its loss scale is accounted for.
        variables: Variables of the side.
        loss: The differentiated loss, checked for finite values.
        clip_norm: Bound on the global norm over all replicas, or `None`.
        normalize: Scale the gradients to a global norm of 1.

    Returns:
        `gradient_norm`, before clipping, and `nonfinite`, 1.0 if the loss or a gradient is not finite.
    """
    context = tf.distribute.get_replica_context()
    replicas, scale = context.num_replicas_in_sync, loss_scale(optimizer)
    if clip_norm is None and not normalize:
        norm = tf.linalg.global_norm(gradients) * replicas / scale
    else:
        if replicas > 1:  # Otherwise each replica would clip its gradients before they are summed.
            gradients = context.all_reduce("SUM", gradients)
        norm = tf.linalg.global_norm(gradients) / scale
        factor = 1.0 / (norm + 1e-12) if normalize else 1.0
        if clip_norm is not None:
            factor = tf.minimum(factor, clip_norm / (norm + 1e-12))
        gradients = [gradient * (factor / replicas) for gradient in gradients]
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    # Under float16 the optimizer skips overflowing gradients by design; only the loss is checked.
    finite = tf.math.is_finite(loss if _scales_loss(optimizer) else loss + norm)
    return {"gradient_norm": norm, "nonfinite": 1.0 - tf.cast(finite, tf.float32)}


def average_weights(averaged: Networks, networks: Networks, *, step, decay: float) -> None:
    """Moves the averaged weights of the generators towards the current ones.

    Args:
        averaged: Networks of the averaged weights.
        networks: Networks of the current ones.
        step: int64 scalar variable.
        decay: Decay of the moving average, warmed up: `min(decay, (1 + step) / (10 + step))`.
    """
    step = tf.cast(step, tf.float32)
    decay = tf.minimum(decay, (1.0 + step) / (10.0 + step))
    for name, model in averaged.generators.items():
        source = networks.generators[name]
        for mean, value in zip(model.trainable_variables, source.trainable_variables, strict=True):
            mean.assign(value + decay * (mean - value))
        for mean, value in zip(model.non_trainable_variables, source.non_trainable_variables, strict=True):
            # Statistics of batch normalization follow the weights; seeds cannot be averaged.
            is_statistic = "float" in mean.dtype
            mean.assign(value + decay * (mean - value) if is_statistic else value)


def loss_scale(optimizer) -> tf.Tensor | float:
    """The optimizer's loss scale for float16; 1 without one."""
    return tf.cast(optimizer.dynamic_scale, tf.float32) if _scales_loss(optimizer) else 1.0


def _scales_loss(optimizer) -> bool:
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
