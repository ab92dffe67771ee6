"""The layers that imported networks need, against NumPy, Pillow and Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_app.layers import (
    ClipToUnitRange,
    ConstantChannel,
    PadToMultiple,
    ParametricReLU,
    Provenance,
    RationalResize,
    ReflectPad,
    provenance_of,
    receptive_field_of,
)

RNG = np.random.default_rng(0)


def unknown_size(layer, channels=2):
    return tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, channels])])


class TestReflectPad:
    @pytest.mark.parametrize("size", [(4, 9), (5, 4), (12, 12)])
    def test_is_numpys(self, size):
        image = RNG.random((2, *size, 2), np.float32)
        expected = np.pad(image, ((0, 0), (3, 3), (3, 3), (0, 0)), "reflect")
        np.testing.assert_array_equal(ReflectPad(3)(image), expected)
        np.testing.assert_array_equal(unknown_size(ReflectPad(3))(image), expected)

    @pytest.mark.parametrize("margin", [1, 4, 6])
    def test_is_numpys_by_any_margin(self, margin):
        image = RNG.random((1, 7, 9, 2), np.float32)
        expected = np.pad(image, ((0, 0), (margin, margin), (margin, margin), (0, 0)), "reflect")
        np.testing.assert_array_equal(ReflectPad(margin)(image), expected)

    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_goes_on_mirroring_small_images(self, size):
        image = RNG.random((1, size, 8, 2), np.float32)
        expected = np.pad(image, ((0, 0), (3, 3), (3, 3), (0, 0)), "reflect")  # NumPy goes on too.
        np.testing.assert_array_equal(unknown_size(ReflectPad(3))(image), expected)

    def test_margin_must_be_positive(self):
        with pytest.raises(ValueError, match="`margin` must be a positive integer"):
            ReflectPad(0)


@pytest.mark.parametrize(("fill", "mode"), [("edge", "edge"), ("zero", "constant"), ("mirror", "reflect")])
def test_padding_to_a_multiple_fills_in_each_way(fill, mode):
    image = RNG.random((1, 6, 5, 2), np.float32)
    expected = np.pad(image, ((0, 0), (0, 2), (0, 3), (0, 0)), mode)
    np.testing.assert_array_equal(PadToMultiple(4, fill=fill)(image), expected)
    with pytest.raises(ValueError, match="`fill` must be one of mirror, edge, zero"):
        PadToMultiple(4, fill="wrap")


class TestRationalResize:
    @pytest.mark.parametrize("scale", [2, 3, 4])
    def test_bilinear_enlargement_is_pillows(self, scale):
        plane = RNG.random((7, 9)).astype(np.float32)
        size = (9 * scale, 7 * scale)
        expected = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
        received = np.asarray(unknown_size(RationalResize(scale), 1)(plane[None, :, :, None]))[0, :, :, 0]
        np.testing.assert_allclose(received, expected, atol=1e-6)

    @pytest.mark.parametrize(("ratio", "kernel"), [((1, 2), "cubic"), ((3, 4), "linear"), ((2, 1), "linear")])
    def test_follows_a_ramp(self, ratio, kernel):
        """Away from the border; the cubic kernel is exact halfway between pixels."""
        numerator, denominator = ratio
        ramp = np.broadcast_to(np.arange(24, dtype=np.float32)[None, :, None, None], (1, 24, 16, 1))
        resized = np.asarray(RationalResize(numerator, denominator, kernel)(ramp))
        assert resized.shape == (1, 24 * numerator // denominator, 16 * numerator // denominator, 1)
        places = (np.arange(resized.shape[1]) + 0.5) * denominator / numerator - 0.5
        np.testing.assert_allclose(resized[0, 4:-4, 3, 0], places[4:-4], atol=1e-5)

    def test_repeats_the_border(self):
        image = RNG.random((1, 8, 8, 1), np.float32)
        padded = np.pad(image, ((0, 0), (4, 4), (4, 4), (0, 0)), "edge")
        layer = RationalResize(3, 4, "cubic")
        np.testing.assert_allclose(layer(image), np.asarray(layer(padded))[:, 3:-3, 3:-3], atol=1e-6)

    @pytest.mark.parametrize(("ratio", "kernel"), [((1, 2), "cubic"), ((3, 4), "cubic"), ((2, 1), "linear")])
    def test_tells_how_far_it_looks(self, ratio, kernel):
        layer = RationalResize(*ratio, kernel)
        image = RNG.random((1, 24, 24, 1), np.float32)
        window, changed = layer.receptive_field(), np.array(layer(image))
        nudged = image.copy()
        nudged[:, 12] += 1
        rows = np.nonzero(np.abs(changed - np.asarray(layer(nudged))).max((0, 2, 3)) > 1e-7)[0]
        reached = [row for row in range(changed.shape[1]) if -window.before <= 12 - window.stride * row <= window.after]
        assert set(rows) <= set(reached) and len(reached) <= len(rows) + 2


class TestParametricReLU:
    @pytest.mark.parametrize(("slopes", "steep"), [((0.25, 0.0), False), ((1.0, -0.5), False), ((2.0, 0.5), True)])
    def test_is_kerass(self, slopes, steep):
        layer, kerass = ParametricReLU(steep=steep), keras.layers.PReLU(shared_axes=[1, 2])
        image = RNG.standard_normal((2, 3, 4, 2)).astype(np.float32)
        for each in (layer, kerass):
            each.build(image.shape)
            each.set_weights([np.reshape(slopes, each.weights[0].shape)])
        np.testing.assert_allclose(layer(image), kerass(image), atol=1e-6)

    def test_trains_the_slope(self):
        layer = ParametricReLU()
        layer.build((None, 3))
        with tf.GradientTape() as tape:
            loss = keras.ops.sum(layer(tf.constant([[-2.0, -1.0, 3.0]])))
        np.testing.assert_allclose(tape.gradient(loss, layer.weights[0].value), [-2.0, -1.0, 0.0], atol=1e-6)


def test_a_constant_channel_and_clipping():
    image = RNG.standard_normal((1, 2, 3, 2)).astype(np.float32)
    with_channel = np.asarray(ConstantChannel(0.25)(image))
    np.testing.assert_array_equal(with_channel[..., :2], image)
    np.testing.assert_array_equal(with_channel[..., 2], 0.25)
    np.testing.assert_allclose(ClipToUnitRange()(image), np.clip(image, 0, 1), atol=1e-7)


def test_layers_survive_saving_and_are_local(tmp_path):
    image = keras.Input((None, None, 3))
    x = ConstantChannel(0.1)(PadToMultiple(4, fill="edge")(image))
    x = keras.layers.Conv2D(3, 5)(ReflectPad(2)(x))
    x = RationalResize(3, 4, "cubic")(ParametricReLU()(x))
    model = keras.Model(image, Provenance({"License": "MIT"})(ClipToUnitRange()(x)))
    model.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    pixels = RNG.random((1, 8, 12, 3), np.float32)
    np.testing.assert_array_equal(model(pixels), loaded(pixels))
    assert provenance_of(loaded) == {"License": "MIT"}


def test_a_network_that_reflects_tiles_exactly():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(3, 7)(ReflectPad(3)(image))
    receptive_field = receptive_field_of(keras.Model(image, x))
    assert (receptive_field.scale, receptive_field.multiple) == (1, 1)
    assert 3 <= receptive_field.halo_px <= 4
