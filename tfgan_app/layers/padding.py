"""Padding inside the graph, so that a network of any stride takes images of any height and width."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window

FILLS = ("mirror", "edge", "zero")
"""Fills of `PadToMultiple`: mirrored about the border pixels, the border pixels repeated, or black."""


@keras.saving.register_keras_serializable(package="tfgan_app")
class PadToMultiple(keras.layers.Layer):
    """Pads height and width on the bottom and right, by mirroring, to a multiple.

    Mirroring reads the image by index, so it also pads by more than the image's own size (a
    1 x 1 image becomes a constant one), where `reflect` padding would fail.

    Args:
        multiple: Positive int; the padded height and width are multiples of it.
        fill: One of `FILLS`.

    Call arguments:
        inputs: tensor `[batch, height, width, channels]`, height and width at least 1.

    Returns:
        Tensor `[batch, ceil_to(height, multiple), ceil_to(width, multiple), channels]`.
    """

    def __init__(self, multiple: int, fill: str = "mirror", **kwargs):
        super().__init__(**kwargs)
        if multiple < 1:
            raise ValueError(f"`multiple` must be a positive integer. Received: multiple={multiple}.")
        if fill not in FILLS:
            raise ValueError(f"`fill` must be one of {', '.join(FILLS)}. Received: {fill!r}.")
        self.multiple = multiple
        self.fill = fill

    def call(self, inputs):
        for axis in (1, 2):
            inputs = self._pad_axis(inputs, axis)
        return inputs

    def _pad_axis(self, inputs, axis: int):
        static = inputs.shape[axis]
        if static is not None and static % self.multiple == 0:
            return inputs
        size = ops.shape(inputs)[axis]
        places = ops.arange(-(-size // self.multiple) * self.multiple, dtype="int32")
        if self.fill == "mirror":
            return ops.take(inputs, mirrored_indices(places, size), axis=axis)
        padded = ops.take(inputs, ops.minimum(places, size - 1), axis=axis)
        if self.fill == "edge":
            return padded
        known = ops.cast(places < size, padded.dtype)
        return padded * ops.reshape(known, (-1, 1, 1) if axis == 1 else (-1, 1))

    def receptive_field(self) -> Window:
        return Window(period=self.multiple, mirrors=True)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (None if n is None else -(-n // self.multiple) * self.multiple for n in (height, width))
        return (batch, height, width, channels)

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple, "fill": self.fill}


@keras.saving.register_keras_serializable(package="tfgan_app")
class ReflectPad(keras.layers.Layer):
    """Pads height and width on all sides by mirroring about the border pixels, as PyTorch's `ReflectionPad2d`.

    Unlike `ops.pad` it takes images that are no larger than the padding: it goes on mirroring.

    Args:
        margin: Positive int, pixels added on each side.

    Call arguments:
        inputs: tensor `[batch, height, width, channels]`, height and width at least 1.

    Returns:
        Tensor `[batch, height + 2 * margin, width + 2 * margin, channels]`.
    """

    def __init__(self, margin: int, **kwargs):
        super().__init__(**kwargs)
        if margin < 1:
            raise ValueError(f"`margin` must be a positive integer. Received: margin={margin}.")
        self.margin = margin

    def call(self, inputs):
        for axis in (1, 2):
            static = inputs.shape[axis]
            pad = self._by_slices if static is not None and static > self.margin else self._by_indices
            inputs = pad(inputs, axis)
        return inputs

    def _by_slices(self, inputs, axis: int):
        """Of operations that every accelerator has: XNNPACK leaves LiteRT's MIRROR_PAD and GATHER to slower kernels."""
        whole = (slice(None),) * axis
        # Counted from the end, so that a converted file can be resized; and it takes 5 parts in integers at most.
        before = [inputs[(*whole, slice(place, place + 1))] for place in range(self.margin, 0, -1)]
        after = [inputs[(*whole, slice(-place - 1, -place))] for place in range(1, self.margin + 1)]
        return ops.concatenate([_joined(before, axis), inputs, _joined(after, axis)], axis=axis)

    def _by_indices(self, inputs, axis: int):
        size = ops.shape(inputs)[axis]
        places = ops.abs(ops.arange(-self.margin, size + self.margin, dtype="int32"))
        return ops.take(inputs, mirrored_indices(places, size), axis=axis)

    def receptive_field(self) -> Window:
        return Window(before=self.margin, after=-self.margin, loss=-2 * self.margin, mirrors=True)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (None if n is None else n + 2 * self.margin for n in (height, width))
        return (batch, height, width, channels)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


def _joined(parts: list, axis: int):
    """A concatenation, four parts at a time."""
    while len(parts) > 1:
        groups = [parts[index : index + 4] for index in range(0, len(parts), 4)]
        parts = [ops.concatenate(group, axis=axis) if len(group) > 1 else group[0] for group in groups]
    return parts[0]


def mirrored_indices(indices, size):
    """Folds indices beyond `size` back inside, as mirroring about the border pixels does.

    Args:
        indices: int32 tensor of non-negative positions.
        size: int or scalar int32 tensor, the number of valid positions, at least 1.

    Returns:
        int32 tensor of positions in `[0, size)`: 0, 1, ..., size-1, size-2, ..., 1, 0, 1, ...
    """
    period = ops.maximum(2 * size - 2, 1)
    folded = ops.mod(indices, period)
    return ops.minimum(folded, period - folded)


@keras.saving.register_keras_serializable(package="tfgan_app")
class CropLike(keras.layers.Layer):
    """Crops the bottom and right of one tensor to the height and width of another.

    Call arguments:
        inputs: pair `(tensor, reference)`, each `[batch, height, width, channels]`; the tensor is at
            least as high and wide as the reference.

    Returns:
        The tensor with the reference's height and width.
    """

    def call(self, inputs):
        tensor, reference = inputs
        if None not in tensor.shape[1:3] and tensor.shape[1:3] == reference.shape[1:3]:
            return tensor
        size = ops.shape(reference)
        return tensor[:, : size[1], : size[2], :]

    def receptive_field(self) -> Window:
        return POINTWISE

    def compute_output_shape(self, input_shape):
        tensor, reference = input_shape
        return (tensor[0], reference[1], reference[2], tensor[3])
