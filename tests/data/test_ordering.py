from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.data.ordering import random_below, shuffled_indices


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100, 1500])
def test_every_epoch_is_another_permutation(count):
    order = shuffled_indices(tf.range(3 * count, dtype=tf.int64), count=count, seed=5).numpy().reshape(3, count)
    assert all(sorted(epoch) == list(range(count)) for epoch in order)
    if count >= 7:
        assert not (order[0] == order[1]).all()


def test_order_equals_index_shuffle_and_depends_on_the_seed():
    count, seed = 11, -3
    positions = tf.range(50, dtype=tf.int64)
    order = shuffled_indices(positions, count=count, seed=seed).numpy()
    for position in range(50):
        key = tf.constant([seed % 2**63, position // count], tf.int64)
        expected = tf.random.experimental.index_shuffle(
            tf.constant(position % count, tf.int64), key, tf.constant(count - 1, tf.int64)
        )
        assert order[position] == expected
    assert (order != shuffled_indices(positions, count=count, seed=4).numpy()).any()


def test_draws_are_uniform_and_independent_of_the_batch():
    positions = tf.range(20_000, dtype=tf.int64)
    limits = tf.fill([20_000], tf.constant(10, tf.int64))
    draws = [
        random_below(limits, positions=positions, seed=seed, stream=stream).numpy()
        for seed, stream in [(0, 0), (0, 1), (1, 0), (-1, 0)]
    ]
    for draw in draws:
        np.testing.assert_allclose(np.bincount(draw, minlength=10) / 20_000, 0.1, atol=0.01)
        assert abs(np.corrcoef(draw[:-1], draw[1:])[0, 1]) < 0.03
    correlations = np.corrcoef(draws)[~np.eye(4, dtype=bool)]
    assert np.abs(correlations).max() < 0.03
    alone = random_below(tf.constant([10], tf.int64), positions=positions[77:78], seed=0, stream=0)
    assert alone[0] == draws[0][77]


def test_a_limit_of_one_leaves_no_choice():
    positions = tf.range(9, dtype=tf.int64)
    assert not random_below(tf.ones([9], tf.int64), positions=positions, seed=0, stream=0).numpy().any()
