"""Paired augmentation keeps pairs aligned to the pixel and is a function of its draws."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.augmentation.paired import DRAWS, PairedAugmentation

FULL = {"vertical_flip": True, "max_scale": 1.3, "max_rotation_degrees": 30.0}


def images(batch=4, load=36, channels=3):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (batch, load // 4, load // 4, channels), np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


def draws(batch=4, seed=0):
    return tf.random.stateless_uniform((batch, DRAWS), (seed, 1))


@pytest.mark.parametrize("options", [{}, FULL, {**FULL, "color_jitter": 0.3}], ids=["jitter", "warp", "color"])
def test_both_images_of_a_pair_get_the_same_treatment(options):
    augment = PairedAugmentation(size_px=32, **options)
    same = images()
    a, b = augment([same, same], draws())
    assert a.shape == (4, 32, 32, 3)
    assert a.dtype == tf.float32
    np.testing.assert_array_equal(a, b)
    assert np.abs(a).max() <= 1.0


def test_alignment_holds_for_a_target_that_marks_the_inputs_pixels():
    """The target is a pixel-wise function of the input; after augmentation it still is."""
    source = images()
    target = 255 - source
    a, b = PairedAugmentation(size_px=32, vertical_flip=True)([source, target], draws())
    np.testing.assert_allclose(a, -np.asarray(b), atol=1e-6)
    a, b = PairedAugmentation(size_px=32, **FULL)([source, target], draws())
    np.testing.assert_allclose(a, -np.asarray(b), atol=1e-4)


def test_crop_and_flip_move_whole_pixels():
    source = images()
    u = np.full((4, DRAWS), 0.9, np.float32)
    u[1, :2] = 0.0
    u[2, 2] = 0.1
    (out,) = PairedAugmentation(size_px=32, vertical_flip=True)([source], tf.constant(u))
    as_bytes = np.rint((np.asarray(out) + 1) * 127.5).astype(np.uint8)
    np.testing.assert_array_equal(as_bytes[0], source[0, 4:36, 4:36])
    np.testing.assert_array_equal(as_bytes[1], source[1, :32, :32])
    np.testing.assert_array_equal(as_bytes[2], source[2, 4:36, 4:36][:, ::-1])


def test_warping_by_nothing_is_the_plain_crop():
    source = images()
    u = np.full((4, DRAWS), 0.5, np.float32)
    (plain,) = PairedAugmentation(size_px=32)([source], tf.constant(u))
    (warped,) = PairedAugmentation(size_px=32, max_scale=1.5, max_rotation_degrees=90.0)([source], tf.constant(u))
    np.testing.assert_allclose(warped, plain, atol=1e-5)


def test_half_a_turn_turns_the_crop_upside_down():
    source = images()
    u = np.full((4, DRAWS), 0.5, np.float32)
    (plain,) = PairedAugmentation(size_px=32)([source], tf.constant(u))
    u[:, 5] = 1.0
    (turned,) = PairedAugmentation(size_px=32, max_rotation_degrees=180.0)([source], tf.constant(u))
    np.testing.assert_allclose(turned, np.asarray(plain)[:, ::-1, ::-1], atol=1e-3)


def test_same_draws_same_result_eager_compiled_and_in_tf_data():
    augment = PairedAugmentation(size_px=32, **FULL, color_jitter=0.2)
    source, u = tf.constant(images()), draws()
    eager = augment([source], u)[0]
    compiled = tf.function(lambda x, d: augment([x], d)[0])(source, u)
    dataset = tf.data.Dataset.from_tensors((source, u)).map(lambda x, d: augment([x], d)[0])
    np.testing.assert_allclose(eager, compiled, atol=1e-5)
    np.testing.assert_allclose(eager, next(iter(dataset)), atol=1e-5)
    assert np.abs(eager - augment([source], draws(seed=1))[0]).max() > 0.1


@pytest.mark.parametrize(
    ("option", "value"), [("max_scale", 0.5), ("max_rotation_degrees", 200.0), ("color_jitter", 1.0)]
)
def test_settings_out_of_range_are_named(option, value):
    with pytest.raises(ValueError, match=f"`{option}`"):
        PairedAugmentation(size_px=32, **{option: value})
