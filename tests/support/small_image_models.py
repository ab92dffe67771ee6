"""Small local networks from images to images, of strong weights, and their predictors."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf
from keras import layers

from tfgan_app.inference import Predictor
from tfgan_app.keras_info import model_info
from tfgan_app.layers import PixelShuffle


def model_of(*, scale=1, stride=1, seed=0, channels=3):
    """A small local network with strong weights, whose results leave [0, 1]."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, None, channels))
    x = layers.Conv2D(8, 5, strides=stride, padding="same", activation="relu", kernel_initializer=_normal(0.2))(inputs)
    if stride > 1:
        x = layers.Conv2DTranspose(8, 2, stride, padding="same", kernel_initializer=_normal(0.35))(x)
    x = layers.Conv2D(3 * scale**2, 3, padding="same", kernel_initializer=_normal(0.2))(x)
    return keras.Model(inputs, layers.Rescaling(1.0, offset=0.5)(PixelShuffle(scale)(x)))


def _normal(deviation):
    return keras.initializers.RandomNormal(stddev=deviation)


def predictor_of(model, **options):
    channels = model.inputs[0].shape[-1]
    signature = [tf.TensorSpec([None, None, None, channels])]
    forward = tf.function(lambda images: model(images, training=False), input_signature=signature)
    return Predictor(forward, "model", info=dataclasses.replace(model_info(model), **options))
