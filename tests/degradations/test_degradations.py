"""Contract of every degradation in the table."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.degradations import DEGRADATIONS, Compose

EVERY = pytest.mark.parametrize("name", sorted(DEGRADATIONS))
SCALES = {"downscale": 4}


def images(batch=3, height=24, width=20):
    """Smooth colors with an edge, in [0, 1]."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    phases = np.arange(batch)[:, None, None, None] + np.arange(3)
    inputs = 0.5 + 0.4 * np.sin(5.0 * x[..., None] + 7.0 * y[..., None] + phases)
    inputs[:, height // 2 :, : width // 3] = 0.9
    return tf.constant(inputs, tf.float32)


def draws_for(degradation, batch=3, seed=0):
    return tf.random.stateless_uniform((batch, degradation.draws_per_example), (seed, 1))


def differ(actual, expected):
    """The share of values that are not the same, up to float32: JPEG turns tiny differences into steps."""
    return np.mean(np.abs(np.asarray(actual) - np.asarray(expected)) > 1e-5)


@EVERY
def test_eager_and_tf_data_agree(name):
    degradation = DEGRADATIONS[name]()
    inputs, draws = images(), draws_for(degradation)
    eager = degradation(inputs, draws)
    assert eager.dtype == tf.float32
    assert differ(degradation(inputs, draws), eager) == 0
    examples = tf.data.Dataset.from_tensor_slices((inputs, draws)).batch(3)
    mapped = examples.map(degradation)
    assert mapped.element_spec.shape.as_list() == [None, *eager.shape[1:]]
    assert differ(next(iter(mapped)), eager) < 0.01


@EVERY
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (17, 33)])
def test_any_size_does_that_the_scale_allows(name, size):
    degradation = DEGRADATIONS[name]()
    out = degradation(images(2, *size), draws_for(degradation, 2))
    scale = SCALES.get(name, 1)
    assert out.shape == (2, -(-size[0] // scale), -(-size[1] // scale), 3)
    assert np.isfinite(out).all()


@EVERY
def test_eager_and_a_graph_for_all_sizes_agree(name):
    degradation = DEGRADATIONS[name]()
    inputs, draws = images(), draws_for(degradation)
    specs = tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([None, degradation.draws_per_example])
    out = tf.function(degradation, input_signature=specs, autograph=False)(inputs, draws)
    assert differ(out, degradation(inputs, draws)) < 0.01


@EVERY
def test_an_example_depends_on_its_own_draws_alone(name):
    degradation = DEGRADATIONS[name]()
    inputs, draws = images(), draws_for(degradation)
    out = degradation(inputs, draws)
    # The first example is kept: it decides what "real" shares within a batch.
    others = tf.concat([draws[:2], 1.0 - draws[2:]], axis=0)
    changed = degradation(inputs, others)
    assert differ(changed[:2], out[:2]) < 0.01
    assert differ(degradation(inputs[:2], draws[:2]), out[:2]) < 0.01
    if degradation.draws_per_example:
        assert differ(changed[2], out[2]) > 0.3


@EVERY
def test_gradient_reaches_the_images(name):
    degradation = DEGRADATIONS[name]()
    inputs, draws = images(), draws_for(degradation)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(degradation(inputs, draws) ** 2)
    gradient = tape.gradient(loss, inputs).numpy()
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).max(axis=(1, 2, 3)) > 0.01).all()


@EVERY
def test_mean_colors_are_kept(name):
    degradation = DEGRADATIONS[name]()
    inputs = images(8, 32, 32)
    out = degradation(inputs, draws_for(degradation, 8))
    shift = np.mean(out, axis=(1, 2)) - np.mean(inputs, axis=(1, 2))
    if name == "colorize":
        shift = shift @ [0.299, 0.587, 0.114]
    # Random: noise, in mean and where it is clipped, and the coarse steps of strong JPEG.
    assert np.abs(shift).mean() < (0.03 if name in ("denoise", "jpeg", "real") else 0.01)


def test_sequence_gives_each_its_own_draws_and_ends_in_8_bits():
    first, second = DEGRADATIONS["blur"](), DEGRADATIONS["denoise"](sigma_255=(50, 50), clean=0)
    both = Compose([first, second])
    inputs, draws = images(), draws_for(both)
    assert both.draws_per_example == first.draws_per_example + second.draws_per_example
    unrounded = second(first(inputs, draws[:, :4]), draws[:, 4:]).numpy()
    assert unrounded.min() < 0
    assert unrounded.max() > 1
    np.testing.assert_array_equal(Compose([first, second], finish=None)(inputs, draws), unrounded)
    expected = np.round(np.clip(unrounded, 0, 1) * 255) / 255
    np.testing.assert_allclose(both(inputs, draws), expected, atol=1e-6)


def test_sequence_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        Compose([])


def test_gray_is_luma_in_all_channels():
    inputs = tf.constant([[[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.2, 0.4, 0.6]]]])
    gray = DEGRADATIONS["colorize"]()(inputs, tf.zeros((1, 0)))
    expected = np.repeat([[0.299], [0.587], [0.0598 + 0.2348 + 0.0684]], 3, axis=1)
    np.testing.assert_allclose(gray[0, 0], expected, atol=1e-6)
