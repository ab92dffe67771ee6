"""Masks: shapes against distances, and covered shares."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from tfgan_app.degradations import MASK_DRAWS, MASKS, random_masks
from tfgan_app.degradations.masks import fill_spans, stroke_spans

EVERY = pytest.mark.parametrize("kind", sorted(MASKS))


def masks(kind, count=200, height=64, width=64, seed=0):
    draws = tf.random.stateless_uniform((count, MASK_DRAWS), (seed, 1))
    return random_masks(draws, height=height, width=width, kind=kind)


@EVERY
def test_masks_are_0_and_1_and_repeat(kind):
    drawn = masks(kind, 8, 40, 56)
    assert drawn.shape == (8, 40, 56, 1)
    assert drawn.dtype == tf.float32
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_array_equal(masks(kind, 8, 40, 56), drawn)
    assert np.abs(drawn[0] - drawn[1]).max() == 1
    np.testing.assert_array_equal(masks(kind, 3, 40, 56)[2:], masks(kind, 3, 40, 56).numpy()[2:])


@EVERY
def test_graph_and_tf_data_agree_with_eager(kind):
    draws = tf.random.stateless_uniform((5, MASK_DRAWS), (0, 2))
    eager = random_masks(draws, height=33, width=20, kind=kind)
    specs = [tf.TensorSpec([None, MASK_DRAWS]), tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int32)]
    graph = tf.function(lambda d, h, w: random_masks(d, height=h, width=w, kind=kind), input_signature=specs)
    np.testing.assert_array_equal(graph(draws, 33, 20), eager)
    dataset = tf.data.Dataset.from_tensor_slices(draws).batch(5)
    dataset = dataset.map(lambda d: random_masks(d, height=33, width=20, kind=kind))
    np.testing.assert_array_equal(next(iter(dataset)), eager)


@EVERY
def test_an_example_depends_on_its_own_draws_alone(kind):
    draws = tf.random.stateless_uniform((4, MASK_DRAWS), (0, 3))
    drawn = random_masks(draws, height=32, width=48, kind=kind)
    np.testing.assert_array_equal(random_masks(draws[2:3], height=32, width=48, kind=kind), drawn[2:3])


@pytest.mark.parametrize(
    ("kind", "mean", "over_half"),
    [("thin", 0.29, 0.02), ("medium", 0.30, 0.09), ("thick", 0.45, 0.43), ("boxes", 0.25, 0.01)],
)
def test_masks_cover_as_much_as_documented(kind, mean, over_half):
    coverage = masks(kind, 600, 48, 48).numpy().mean(axis=(1, 2, 3))
    assert coverage.mean() == pytest.approx(mean, abs=0.03)
    assert np.mean(coverage > 0.5) == pytest.approx(over_half, abs=0.06)
    assert coverage.min() > 0


def test_thin_holes_are_thinner_than_thick_ones():
    def widest(kind):
        padded = np.pad(masks(kind, 100).numpy()[..., 0], ((0, 0), (1, 1), (1, 1)))
        return np.mean([scipy.ndimage.distance_transform_edt(mask).max() for mask in padded])

    assert widest("thin") < widest("medium") < widest("thick")


def test_boxes_keep_their_margin_and_have_straight_sides():
    drawn = masks("boxes", 100, 256, 300).numpy()[..., 0]
    assert not drawn[:, :9].any()
    assert not drawn[:, -9:].any()
    assert not drawn[:, :, :9].any()
    extents = np.stack([drawn.any(axis=1).sum(axis=1), drawn.any(axis=2).sum(axis=1)], axis=1)
    # A single box fills its rows and columns.
    single = extents[drawn.sum(axis=(1, 2)) == extents.prod(axis=1)]
    assert len(single) > 10
    assert single.min() >= 29
    assert single.max() <= 151


def distances(starts, ends, height, width):
    """From the middle of each pixel to each segment, `[n, height, width]`."""
    y, x = np.mgrid[:height, :width] + 0.5
    points = np.stack([x, y], axis=-1)
    result = []
    for start, end in zip(starts, ends, strict=True):
        step = end - start
        along = np.clip((points - start) @ step / max(step @ step, 1e-9), 0, 1)
        result.append(np.linalg.norm(points - start - along[..., None] * step, axis=-1))
    return np.stack(result)


def test_strokes_are_the_pixels_within_their_radius():
    rng = np.random.default_rng(0)
    starts, ends = rng.uniform(-5, 45, (2, 60, 2)).astype(np.float32)
    # Upright, level, and no length at all.
    ends[0, 0], ends[1, 1], ends[2] = starts[0, 0], starts[1, 1], starts[2]
    starts[3] = ends[3] = 10.5
    radii = rng.uniform(0.5, 12, 60).astype(np.float32)
    rows = tf.range(30, dtype=tf.float32) + 0.5
    left, right = stroke_spans(rows, starts=tf.constant(starts), ends=tf.constant(ends), radii=tf.constant(radii))
    filled = fill_spans(tf.range(60), left, right, shape=(60, 30, 40)).numpy()[..., 0]
    distance = distances(starts, ends, 30, 40) - radii[:, None, None]
    clear = np.abs(distance) > 1e-3
    np.testing.assert_array_equal(filled[clear], (distance < 0)[clear])


def test_spans_of_one_example_are_united():
    left, right = tf.constant([[0.0], [2.0], [4.6], [9.0]]), tf.constant([[3.0], [4.0], [5.4], [2.0]])
    filled = fill_spans(tf.constant([0, 0, 0, 1]), left, right, shape=(2, 1, 6))
    np.testing.assert_array_equal(filled[..., 0], [[[1, 1, 1, 1, 0, 0]], [[0] * 6]])


def test_unknown_kinds_are_named():
    with pytest.raises(ValueError, match="thin, medium, thick, boxes.*'wide'"):
        masks("wide")
