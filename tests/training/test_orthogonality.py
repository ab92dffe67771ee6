"""Orthogonal regularization against its definition."""

import keras
import numpy as np
import pytest

from tfgan_app.training.orthogonality import orthogonal_regularizer, orthogonality
from tfgan_app.training.task import Networks


def test_filters_at_right_angles_cost_nothing_at_any_length():
    assert float(orthogonality([np.diag([1.0, 5.0, 0.1]).astype(np.float32)])) == pytest.approx(0.0, abs=1e-6)


def test_other_filters_cost_their_squared_products():
    kernel = np.random.default_rng(0).standard_normal((3, 3, 2, 4)).astype(np.float32)
    matrix = kernel.reshape(-1, 4)
    products = matrix.T @ matrix
    expected = np.square(products * (1 - np.eye(4))).sum()
    assert float(orthogonality([kernel, kernel])) == pytest.approx(2 * expected, rel=1e-4)


def test_embeddings_and_biases_are_left_out():
    inputs = keras.Input((3,))
    x = keras.layers.Dense(4, name="class_embedding")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="dense")(x))
    regularizer = orthogonal_regularizer(weight=1e-4)
    value, state = regularizer.penalty(Networks({"generator": model}, {}), {}, None, {})
    assert state == {}
    assert float(value) == pytest.approx(float(orthogonality([model.get_layer("dense").kernel])), rel=1e-5)
