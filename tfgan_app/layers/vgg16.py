"""VGG16 features, for perceptual losses and metrics alike."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import keras
import numpy as np
from keras import layers, ops

from tfgan_app.files import first_line
from tfgan_app.layers.receptive_field_rules import POINTWISE, Window

VGG16_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def build_vgg16_features(
    *, weights: str | Path | None = None, taken: Literal["after_relu", "before_relu"] = "after_relu"
) -> keras.Model:
    """Builds the last features of the five blocks of an ImageNet VGG16, `relu{1_2,2_2,3_3,4_3,5_3}`, frozen.

    Simonyan & Zisserman 2015, arXiv:1409.1556.

    Args:
        weights: Path of an `.npz` with `VGG16_0/Conv_{0..12}/kernel` `[3, 3, in, out]` and `.../bias`
            (torchvision's values, for RGB in [0, 1] normalized by the ImageNet mean and deviation), or
            `None` to download those of `keras.applications`.
        taken: `"before_relu"` takes `conv{1_2,2_2,3_3,4_3,5_3}` instead, which are denser (Wang et al. 2018,
            arXiv:1809.00219, section 3.3).

    Returns:
        Model from float32 `[batch, height, width, 3]` in [-1, 1] to a list of five feature maps.

    Raises:
        ValueError: When the file does not hold VGG16's weights.
    """
    inputs = keras.Input((None, None, 3))
    x = ToImageNet(caffe=weights is None, dtype="float32")(inputs)
    features, convolutions = [], []
    for block, widths in enumerate(VGG16_WIDTHS, start=1):
        if block > 1:
            x = layers.MaxPooling2D(2)(x)
        for index, channels in enumerate(widths, start=1):
            layer = layers.Conv2D(channels, 3, padding="same", name=f"conv{block}_{index}")
            convolved = layer(x)
            x = layers.ReLU(name=f"relu{block}_{index}")(convolved)
            convolutions.append(layer)
        features.append(x if taken == "after_relu" else convolved)
    model = keras.Model(inputs, features, name="vgg16_features", trainable=False)
    for layer, values in zip(convolutions, _vgg16_weights(weights), strict=True):
        layer.set_weights(values)
    model.trainable = False
    return model


def _vgg16_weights(path: str | Path | None) -> list[list[np.ndarray]]:
    if path is None:
        try:
            vgg = keras.applications.VGG16(include_top=False, weights="imagenet")
        except Exception as error:  # Keras raises a bare one when the download fails.
            raise ValueError(
                "The weights of VGG16 could not be downloaded; give them as a file (`task.perceptual_weights`). "
                f"Received: {first_line(error)}"
            ) from error
        return [layer.get_weights() for layer in vgg.layers if isinstance(layer, layers.Conv2D)]
    names = [f"VGG16_0/Conv_{index}" for index in range(sum(map(len, VGG16_WIDTHS)))]
    try:
        with np.load(path, allow_pickle=False) as archive:
            return [[archive[f"{name}/kernel"], archive[f"{name}/bias"]] for name in names]
    except Exception as error:  # Damaged archives fail in many ways.
        raise ValueError(
            f"Expected an .npz of VGG16 weights (VGG16_0/Conv_0/kernel, ...) at {path}. Received: {error}."
        ) from error


@keras.saving.register_keras_serializable(package="tfgan_app")
class ToImageNet(layers.Layer):
    """Maps RGB in [-1, 1] to the inputs of an ImageNet network.

    Args:
        caffe: `True` for `keras.applications.VGG16` (BGR, 0-255, means subtracted), `False` for
            torchvision's convention (RGB, 0-1, normalized by mean and deviation).
    """

    def __init__(self, *, caffe: bool, **kwargs):
        super().__init__(**kwargs)
        self.caffe = caffe

    def call(self, inputs):
        if self.caffe:
            return ops.flip(inputs, axis=-1) * 127.5 + (127.5 - np.array([103.939, 116.779, 123.68], "float32"))
        return (inputs * 0.5 + 0.5 - np.array(IMAGENET_MEAN, "float32")) / np.array(IMAGENET_STD, "float32")

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "caffe": self.caffe}
