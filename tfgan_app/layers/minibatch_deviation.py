"""Minibatch standard deviation: variety as a feature of the discriminator."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tfgan_app")
class MinibatchDeviation(keras.layers.Layer):
    """Appends one channel with the mean standard deviation within groups of images: `[b, h, w, c]` -> `[..., c + 1]`.

    "Progressive Growing of GANs", Karras et al. 2018, arXiv:1710.10196, section 3, in groups of four images as in
    StyleGAN2. A batch that is no multiple of the group is one group. Computed in float32.

    Args:
        group: int, images in a group.
    """

    def __init__(self, group: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.group = group

    def call(self, inputs):
        batch, shape = ops.shape(inputs)[0], tuple(inputs.shape[1:])
        # Images i, i + b / group, ... are one group.
        group = ops.where(ops.equal(batch % self.group, 0), self.group, batch)
        x = ops.reshape(ops.cast(inputs, "float32"), (group, -1, *shape))
        # Not a standard deviation itself, whose gradient is infinite at zero.
        deviation = ops.sqrt(ops.mean(ops.square(x - ops.mean(x, axis=0, keepdims=True)), axis=0) + 1e-8)
        means = ops.tile(ops.mean(deviation, axis=(1, 2, 3)), (group,))
        channel = ops.broadcast_to(ops.reshape(means, (-1, 1, 1, 1)), (batch, *shape[:2], 1))
        return ops.concatenate([inputs, ops.cast(channel, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "group": self.group}
