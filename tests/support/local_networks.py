"""Small networks that look only so far, each with other ways to lead from one pixel to the next."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from tfgan_app.layers import BilinearUpsampling, CropLike, PadToMultiple, PixelShuffle
from tfgan_app.networks import GENERATORS


def _plain(x):
    """Receptive field by hand: (7 - 1) / 2 + 2 * (3 - 1) / 2 = 5."""
    x = layers.Conv2D(4, 7, padding="same", activation="relu")(x)
    x = layers.Conv2D(4, 3, dilation_rate=2, padding="same")(x)
    return layers.Conv2D(3, 1)(layers.PReLU(shared_axes=[1, 2])(x))


def _enlarging(x):
    for _ in range(2):
        x = layers.Conv2D(16, 3, padding="same", activation="gelu")(x)
        x = PixelShuffle(2)(x)
    return layers.Conv2D(3, 5, padding="same")(x)


def _lopsided(x):
    x = layers.ZeroPadding2D(((5, 0), (0, 2)))(x)
    x = layers.Conv2D(4, (6, 3), padding="valid")(x)
    x = layers.DepthwiseConv2D(4, padding="same", depth_multiplier=2)(x)
    return layers.SeparableConv2D(3, (1, 2), padding="same")(x)


def _strided(x):
    """Pads differently for even and odd sizes: nothing brings them to a multiple first."""
    y = layers.Conv2D(4, 3, 2, padding="same", activation="relu")(x)
    y = layers.Conv2D(4, 5, 2, padding="same", activation="relu")(y)
    y = layers.Conv2DTranspose(4, 3, 2, padding="same")(y)
    y = CropLike()([layers.Conv2DTranspose(3, 4, 2, padding="same")(y), x])
    return layers.Add()([x, y])


def _pooled(x):
    y = PadToMultiple(4)(x)
    deep = layers.MaxPooling2D(2)(layers.Conv2D(4, 3, padding="same")(y))
    deep = layers.Conv2D(4, 3, padding="same")(layers.AveragePooling2D(2)(deep))
    deep = layers.UpSampling2D(2)(BilinearUpsampling()(deep))
    return CropLike()([layers.Conv2D(3, 3, padding="same")(layers.Concatenate()([y, deep])), x])


def _mirrored(x):
    for channels in (4, 4, 3):
        x = layers.Conv2D(channels, 5)(ops.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect"))
    return x


def _enlarging_mirrored(x):
    y = layers.Conv2D(12, 3, 2, padding="same")(PadToMultiple(2)(x))
    y = PixelShuffle(2)(layers.Conv2D(12, 3, padding="same")(PixelShuffle(2)(y)))
    return layers.Multiply()([layers.UpSampling2D(2)(x), CropLike()([y, layers.UpSampling2D(2)(x)])])


def _nested(x):
    inputs = keras.Input((None, None, 3))
    inner = keras.Model(inputs, 2.0 * layers.Conv2D(3, 3, padding="same")(inputs) - inputs)
    sequence = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(3, 5, padding="same"), layers.ReLU()])
    return inner(sequence(inner(x)))


_BUILDERS = {
    "plain": _plain,
    "enlarging": _enlarging,
    "lopsided": _lopsided,
    "strided": _strided,
    "pooled": _pooled,
    "mirrored": _mirrored,
    "enlarging_mirrored": _enlarging_mirrored,
    "nested": _nested,
}

_GENERATORS = {
    "residual_unet": {"width": 4, "depth": 2},
    "unet": {"width": 4, "depth": 3, "normalization": "none"},
    "resnet_6": {"width": 4, "normalization": "batch"},
}

LOCAL_NETWORKS = (*_BUILDERS, *_GENERATORS)


def build_local_network(name: str, *, weights: str = "random") -> keras.Model:
    """A network of `LOCAL_NETWORKS`, float32 `[b, h, w, 3]` -> `[b, s * h, s * w, 3]` in [0, 1].

    Args:
        name: Which one.
        weights: `"random"`, or `"positive"`: on positive input each output depends on everything that it looks at.
    """
    inputs = keras.Input((None, None, 3))
    outputs = GENERATORS[name](**_GENERATORS[name])(inputs) if name in _GENERATORS else _BUILDERS[name](inputs)
    model = keras.Model(inputs, ops.sigmoid(outputs))
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        fan_in = max(1, np.prod(variable.shape[:-1]))
        positive = rng.uniform(0.2, 1.0, variable.shape) / fan_in
        variable.assign(positive if weights == "positive" else rng.normal(size=variable.shape) / fan_in**0.5)
    return model
