"""A style model that is built in no time: an encoder of three convolutions, and a narrow decoder."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import build_style_model
from tfgan_app.networks.style_transfer import build_style_decoder

CHANNELS = 6


def build_tiny_encoder(*, level="relu4_1", weights=None) -> keras.Model:
    """Two levels of features, the last at an eighth of the size, as those of the real one."""
    del level, weights
    inputs = keras.Input((None, None, 3))
    features, x = [], inputs
    for index, width in enumerate((4, 4, CHANNELS)):
        layer = layers.Conv2D(
            width,
            3,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(index),
            bias_initializer="ones",
        )
        x = layers.MaxPooling2D(2)(layer(x))
        features.append(x)
    encoder = keras.Model(inputs, [features[0], features[-1]], trainable=False)
    encoder.trainable = False
    return encoder


def build_tiny_style_model() -> keras.Model:
    """The inference model, with a decoder whose images are neither black nor white."""
    keras.utils.set_random_seed(0)
    decoder = build_style_decoder(width=2, channels=CHANNELS)
    last = decoder.get_layer("to_rgb")
    last.kernel.assign(last.kernel * 10.0)
    return build_style_model(build_tiny_encoder(), decoder)
