"""The upscaler for phones: size, initial output, inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from image_networks import random_image

from tfgan_app.layers.receptive_field import ReceptiveField, receptive_field_of
from tfgan_app.networks.compact import SIZES, build_compact


@pytest.mark.parametrize(("size", "parameters"), [("small", 129_872), ("medium", 489_072)])
def test_its_sizes_are_those_that_were_measured(size, parameters):
    assert build_compact(size=size).count_params() == parameters


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_it_starts_near_nearest_neighbors(scale):
    keras.utils.set_random_seed(0)
    image = random_image(2, 9, 6, 3)
    nearest = image.repeat(scale, 1).repeat(scale, 2)
    difference = np.asarray(build_compact(scale=scale)(image)) - nearest
    assert 0.0 < np.std(difference) < 0.15 * np.std(nearest)


def test_it_sees_as_far_as_its_convolutions_reach():
    """One convolution, three in each block, and the last one; the mixing one is 1 x 1."""
    assert receptive_field_of(build_compact(blocks=2, width=8)) == ReceptiveField(
        scale=4, halo_px=1 + 2 * 3 + 1, multiple=1
    )


def test_no_channel_stops_learning_by_default():
    """Behind attention, features have a mean above 0: a step may push a plain ReLU below 0 for every image."""
    model = build_compact(width=8, blocks=2)
    for name in ("block1_conv0", "block1_conv1"):
        layer = model.get_layer(name)
        layer.bias.assign(np.full(8, -100.0))
    image = random_image(1, 9, 6, 3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(image) ** 2)
    gradient = tape.gradient(loss, model.get_layer("block1_conv0").bias.value)
    assert np.all(np.abs(gradient) > 0.0)


def test_bounded_features_are_offered_for_integers():
    model = build_compact(width=8, blocks=1, activation="relu6")
    assert model.get_layer("block0_conv0").activation is keras.activations.relu6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0}, "`scale` must be a positive integer. Received: scale=0"),
        ({"size": "huge"}, f"`size` must be one of {', '.join(SIZES)}. Received: 'huge'"),
        ({"activation": "swish"}, "`activation` must be one of leaky_relu, relu, relu6. Received: 'swish'"),
    ],
)
def test_what_there_is_not_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        build_compact(**options)
