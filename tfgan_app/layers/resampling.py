"""Up-sampling that is flat on flat input from the first step on, so that it draws no checkerboards."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import Window, enlarging_window, interpolation_window


@keras.saving.register_keras_serializable(package="tfgan_app")
class ICNR(keras.initializers.Initializer):
    """Initializes a convolution before a pixel shuffle as if it were nearest-neighbor up-sampling.

    "Checkerboard artifact free sub-pixel convolution", Aitken et al. 2017, arXiv:1707.02937: the kernels
    of the `factor**2` sub-pixels of one output channel start equal.

    Args:
        factor: int, up-sampling factor of the pixel shuffle that follows.
        initializer: The initializer (object, name or config) of the kernel that is repeated.
    """

    def __init__(self, factor: int = 2, initializer="glorot_uniform"):
        self.factor = factor
        self.initializer = keras.initializers.get(initializer)

    def __call__(self, shape, dtype=None):
        repeats = self.factor**2
        if shape[-1] % repeats:
            raise ValueError(f"ICNR needs channels divisible by factor**2 = {repeats}. Received: {shape[-1]}.")
        kernel = self.initializer((*shape[:-1], shape[-1] // repeats), dtype=dtype)
        # depth_to_space reads the sub-pixel as the slow and the channel as the fast part of the depth.
        return ops.tile(kernel, (1,) * (len(shape) - 1) + (repeats,))

    def get_config(self):
        return {"factor": self.factor, "initializer": keras.saving.serialize_keras_object(self.initializer)}


@keras.saving.register_keras_serializable(package="tfgan_app")
class PixelShuffle(keras.layers.Layer):
    """Moves channels to space: `[b, h, w, c * factor**2]` -> `[b, h * factor, w * factor, c]`.

    Sub-pixel convolution, Shi et al. 2016, arXiv:1609.05158. Precede it by a convolution with the `ICNR`
    kernel initializer.

    Args:
        factor: int, up-sampling factor.
    """

    def __init__(self, factor: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return depth_to_space(inputs, self.factor)

    def receptive_field(self) -> Window:
        return enlarging_window(self.factor)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (None if n is None else n * self.factor for n in (height, width))
        return (batch, height, width, channels // self.factor**2)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def depth_to_space(inputs, factor: int):
    """As `PixelShuffle`."""
    if factor == 1:
        return inputs
    if hasattr(ops, "depth_to_space"):  # One operation, which Keras 3.12 does not have yet
        return ops.depth_to_space(inputs, factor, data_format="channels_last")
    batch, height, width = ops.shape(inputs)[:3]
    channels = inputs.shape[-1] // factor**2
    x = ops.reshape(inputs, (batch, height, width, factor, factor, channels))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (batch, height * factor, width * factor, channels))


def enlarge_nearest(inputs, factor: int):
    """Repeats each pixel in both directions: several times as fast on CPUs as `UpSampling2D`, forward and backward."""
    return depth_to_space(ops.concatenate([inputs] * factor**2, axis=-1), factor)


@keras.saving.register_keras_serializable(package="tfgan_app")
class BilinearUpsampling(keras.layers.Layer):
    """Doubles height and width bilinearly, at any size: `[b, h, w, c]` -> `[b, 2 * h, 2 * w, c]`.

    Where the size is known, as in training, it is one resize operation. Keras 3.15's resize (and so its
    `UpSampling2D`) refuses sizes that are only known when the graph runs; there the same numbers come from
    doubling pixels and averaging with weights 1/4, 1/2, 1/4 along both axes.
    """

    def call(self, inputs):
        height, width = inputs.shape[1:3]
        if height is not None and width is not None:
            enlarged = ops.image.resize(
                ops.cast(inputs, "float32"), (2 * height, 2 * width), data_format="channels_last"
            )
            return ops.cast(enlarged, inputs.dtype)
        x = ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2)
        x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        return ops.average_pool(ops.average_pool(x, 2, 1), 2, 1)

    def receptive_field(self) -> Window:
        return interpolation_window(2, radius=1)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (None if n is None else 2 * n for n in (height, width))
        return (batch, height, width, channels)
