"""PatchNCE against values computed by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.losses import patch_nce_loss


def test_two_places_told_apart_and_not():
    axes = np.eye(2, dtype=np.float32)[None]
    assert float(patch_nce_loss(axes, axes, temperature=1.0)) == pytest.approx(math.log(1 + math.exp(-1)))
    assert float(patch_nce_loss(axes, axes)) == pytest.approx(math.log(1 + math.exp(-1 / 0.07)), abs=1e-6)
    swapped = axes[:, ::-1]
    assert float(patch_nce_loss(axes, swapped, temperature=1.0)) == pytest.approx(math.log(1 + math.exp(1)))


def test_features_that_tell_nothing_cost_the_logarithm_of_the_number_of_places():
    alike = np.full((3, 5, 4), 0.5, np.float32)
    assert float(patch_nce_loss(alike, alike)) == pytest.approx(math.log(5), rel=1e-5)


def test_negatives_are_of_the_same_image_alone():
    axes = np.eye(4, dtype=np.float32)
    apart, together = np.stack([axes[:2], axes[2:]]), np.stack([axes[:2], axes[:2]])
    both = [float(patch_nce_loss(x, x, temperature=1.0)) for x in (apart, together)]
    assert both[0] == pytest.approx(both[1])


def test_no_gradient_passes_through_the_keys():
    queries, keys = (tf.random.stateless_normal([1, 3, 4], [seed, 0]) for seed in (0, 1))
    with tf.GradientTape() as tape:
        tape.watch([queries, keys])
        loss = patch_nce_loss(queries, keys)
    gradients = tape.gradient(loss, [queries, keys])
    assert gradients[1] is None
    assert float(tf.norm(gradients[0])) > 0
