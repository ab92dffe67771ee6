"""Receptive fields against gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from local_networks import LOCAL_NETWORKS, build_local_network

from tfgan_app.layers import (
    FromUnitRange,
    PadToMultiple,
    PixelShuffle,
    ReceptiveField,
    ToUnitRange,
    Window,
    feature_bytes_per_px,
    interpolation_window,
    probed_receptive_field,
    receptive_field_of,
)
from tfgan_app.networks import GENERATORS


def model_of(function, channels=3):
    inputs = keras.Input((None, None, channels))
    return keras.Model(inputs, function(inputs))


def seen_px(model, receptive_field):
    """The largest distance between the pixel of an output and one that its gradient reaches."""
    scale, multiple = receptive_field.scale, receptive_field.multiple
    middle = -(-(receptive_field.halo_px + 4) // multiple) * multiple
    image = tf.Variable(np.random.default_rng(0).uniform(0.5, 1, (1, *2 * [2 * middle + multiple], 3)), "float32")
    furthest = 0
    for index in range(middle * scale, (middle + multiple) * scale):
        with tf.GradientTape() as tape:
            output = tf.reduce_sum(model(image)[0, index, index])
        seen = np.abs(np.asarray(tape.gradient(output, image))).sum((0, 3)) > 0
        for axis in (0, 1):
            places = np.flatnonzero(seen.any(axis)) - index // scale
            furthest = max(furthest, -places[0], places[-1])
    return furthest


@pytest.mark.parametrize("name", LOCAL_NETWORKS)
def test_a_network_looks_as_far_as_its_gradient(name):
    model = build_local_network(name, weights="positive")
    receptive_field = receptive_field_of(model)
    seen = seen_px(model, receptive_field)
    assert seen <= receptive_field.halo_px < seen + max(2, receptive_field.multiple)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", ReceptiveField(1, 5, 1)),
        # One pixel by the first convolution, half a one by the second, two quarters by the last.
        ("enlarging", ReceptiveField(4, 2, 1)),
        ("strided", ReceptiveField(1, 11, 4)),
        ("nested", ReceptiveField(1, 4, 1)),
    ],
)
def test_by_hand(name, expected):
    assert receptive_field_of(build_local_network(name)) == expected


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("normalization", ["none", "instance"])
def test_generators_are_local_unless_they_normalize_by_the_image(name, normalization):
    inputs = keras.Input((None, None, 3))
    options = {"depth": 3} if "unet" in name else {}
    generator = GENERATORS[name](width=4, normalization=normalization, **options)
    receptive_field = receptive_field_of(keras.Model(inputs, ToUnitRange()(generator(FromUnitRange()(inputs)))))
    assert (receptive_field.scale, receptive_field.multiple) == (1, 8 if options else 4)
    assert (receptive_field.halo_px is None) == (normalization == "instance")


def squeeze_and_excite(x):
    means = layers.Dense(3, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return PixelShuffle(2)(layers.Conv2D(12, 1)(layers.Multiply()([x, means])))


class Rolled(layers.Layer):
    """A layer that may compute anything: a subclass of a known layer, or an unknown one."""

    def call(self, inputs):
        return ops.roll(inputs, 7, axis=1)


class Reversed(layers.ReLU):
    def call(self, inputs):
        return ops.flip(inputs, axis=1)


@pytest.mark.parametrize(
    ("function", "scale"),
    [
        (layers.GroupNormalization(3), 1),
        (layers.LayerNormalization(axis=(1, 2, 3)), 1),
        (layers.BatchNormalization(axis=1), 1),
        (squeeze_and_excite, 2),
        (Rolled(), 1),
        (Reversed(), 1),
        (layers.Lambda(lambda x: ops.repeat(ops.repeat(x, 3, axis=1), 3, axis=2), output_shape=(None, None, 3)), 3),
        (layers.Conv2D(3, 1, activation=lambda x: ops.flip(x, axis=1)), 1),
        (layers.Activation(lambda x: x - ops.mean(x)), 1),
        (layers.Softmax(axis=1), 1),
        (lambda x: x - ops.mean(x, axis=(1, 2), keepdims=True), 1),
        (lambda x: ops.flip(x, axis=2), 1),
        (lambda x: layers.BatchNormalization()(x, training=True), 1),
        (lambda x: layers.Concatenate(axis=1)([x, x])[:, ::2], 1),
    ],
)
def test_what_is_global_or_unknown_is_never_called_local(function, scale):
    shape = (64, 64, 3) if getattr(function, "axis", None) in (1, (1, 2, 3), [1, 2, 3]) else (None, None, 3)
    inputs = keras.Input(shape)
    receptive_field = receptive_field_of(keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(function(inputs))))
    assert receptive_field.halo_px is None
    assert receptive_field.scale == scale


def test_constants_that_depend_on_the_place_are_not_local():
    ramp = np.linspace(0, 1, 8, dtype=np.float32).reshape(1, 8, 1, 1)
    inputs = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="fails on an image of 64 x 64"):
        receptive_field_of(keras.Model(inputs, inputs + ramp))
    gains = np.ones((1, 1, 1, 3), np.float32)
    assert receptive_field_of(model_of(lambda x: x * gains + 0.5)) == ReceptiveField(1, 0, 1)


def test_a_layer_may_tell_its_own_window():
    class ShiftedRight(layers.Layer):
        def call(self, inputs):
            return ops.pad(inputs, ((0, 0), (0, 0), (3, 0), (0, 0)))[:, :, :-3]

        def receptive_field(self):
            return Window(before=3)

    assert receptive_field_of(model_of(ShiftedRight())) == ReceptiveField(1, 3, 1)


def test_mirrors_turn_a_look_ahead_into_a_look_back():
    """Two pixels ahead of the last one is the third from the end; if that looks back by one, it is the fourth."""

    def look_ahead(x):
        return layers.Conv2D(3, 3)(ops.pad(x, ((0, 0), (0, 2), (0, 2), (0, 0)), mode="reflect"))

    def look_back(x):
        return layers.Conv2D(3, 2)(layers.ZeroPadding2D(((1, 0), (1, 0)))(x))

    assert receptive_field_of(model_of(look_ahead)).halo_px == 2
    assert receptive_field_of(model_of(lambda x: look_ahead(look_back(x)))).halo_px == 3


@pytest.mark.parametrize(("factor", "method", "radius"), [(2, "bilinear", 1), (3, "bilinear", 1), (4, "bicubic", 2)])
def test_interpolation_window_is_what_tensorflow_reads(factor, method, radius):
    size = 12
    weights = tf.image.resize(tf.eye(size)[:, :, None], (size * factor, size), method=method).numpy()[:, :, 0]
    window = interpolation_window(factor, radius)
    before, after = 0, 0
    for i in range(4 * factor, 8 * factor):
        places = np.flatnonzero(np.abs(weights[i]) > 1e-6) * factor - i
        before, after = max(before, -places[0]), max(after, places[-1])
    assert (window.before * factor, window.after * factor) == (before, after)


def test_only_models_of_one_image_are_accepted():
    inputs = [keras.Input((None, None, 3)) for _ in range(2)]
    with pytest.raises(ValueError, match="one tensor .batch, height, width, channels. to one such tensor"):
        receptive_field_of(keras.Model(inputs, layers.Add()(inputs)))


def test_an_unknown_model_is_probed_for_its_scale():
    assert probed_receptive_field(lambda x: tf.repeat(tf.repeat(x, 2, 1), 2, 2)) == ReceptiveField(2, None, 1)
    with pytest.raises(ValueError, match="fails on an image of 64 x 64 pixels: no such size"):
        probed_receptive_field(lambda x: (_ for _ in ()).throw(RuntimeError("no such size\nand more")))


def test_feature_maps_that_are_alive_at_once():
    def skip(x):
        y = layers.Conv2D(8, 3, padding="same")(x)  # 3 and 8 channels
        y = layers.Conv2D(16, 3, 2, padding="same")(PadToMultiple(2)(y))  # 8 and 16 / 4, and x
        return layers.Add()([x, PixelShuffle(2)(layers.Conv2D(12, 1)(y))])

    assert feature_bytes_per_px(model_of(skip)) == 4 * (3 + 8 + 8)
    half = model_of(layers.Conv2D(8, 3, padding="same", dtype="bfloat16"))
    assert feature_bytes_per_px(half) == 4 * 3 + 2 * 8
    assert feature_bytes_per_px(model_of(Rolled())) is None
