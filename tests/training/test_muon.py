"""Muon: its variables and its updates."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.training.fused_adam import FusedAdam
from tfgan_app.training.muon import Muon, orthogonalized
from tfgan_app.training.optimizers import build_optimizer

SHAPES = {
    "first": (3, 3, 16, 16),
    "square": (3, 3, 16, 16),
    "wide": (3, 3, 16, 48),
    "narrow": (3, 3, 8, 8),
    "bias": (16,),
    "last": (3, 3, 16, 16),
}


def random_variables(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def stepped(optimizer, steps=3):
    """The variables after a few steps along fixed gradients."""
    variables = {name: keras.Variable(value, name=name) for name, value in random_variables(0).items()}
    optimizer.build(list(variables.values()))
    for step in range(steps):
        optimizer.apply([tf.constant(g) for g in random_variables(step + 1).values()], list(variables.values()))
    return {name: variable.numpy() for name, variable in variables.items()}


@pytest.mark.parametrize("shape", [(16, 144), (32, 32), (8, 100)])
def test_orthogonalized_keeps_the_singular_vectors_and_evens_the_values(shape):
    matrix = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    found = orthogonalized(tf.constant(matrix)).numpy()
    values = np.linalg.svd(found, compute_uv=False)
    assert values.min() > 0.6 and values.max() < 1.3
    alignment = np.diag(u.T @ found @ v.T)
    np.testing.assert_allclose(np.sort(alignment), np.sort(values), atol=0.02)


def test_a_step_moves_a_square_kernel_by_its_rate_along_the_orthogonalized_gradient():
    before, gradient = random_variables(0)["square"], random_variables(1)["square"]
    after = stepped(Muon(0.01, kernel_rate=2.0), steps=1)["square"]
    change = (before - after).reshape(-1, 16).T
    np.testing.assert_allclose(np.linalg.svd(change, compute_uv=False) / 0.02, 1.0, atol=0.35)
    u, _, v = np.linalg.svd(gradient.reshape(-1, 16).T, full_matrices=False)
    assert np.sum(change * (u @ v)) / (np.linalg.norm(change) * np.linalg.norm(u @ v)) > 0.97


def test_momentum_looks_ahead():
    first, second = (random_variables(step)["square"] for step in (1, 2))
    options = {"kernel_rate": 1.0, "momentum": 0.5}
    one, two = (stepped(Muon(0.01, **options), steps=steps)["square"] for steps in (1, 2))
    momentum = 0.5 * first + second
    expected = orthogonalized(tf.constant((second + 0.5 * momentum).reshape(-1, 16).T)).numpy().T.reshape(first.shape)
    np.testing.assert_allclose(one - two, 0.01 * expected, atol=1e-6)


def test_everything_but_large_square_kernels_between_the_ends_takes_the_steps_of_adam():
    options = {"beta_1": 0.9, "beta_2": 0.99}
    muon, adam = stepped(Muon(0.01, kernel_rate=2.0, **options)), stepped(FusedAdam(0.01, **options))
    for name in ("first", "wide", "narrow", "bias", "last"):
        np.testing.assert_array_equal(muon[name], adam[name], err_msg=name)
    assert np.abs(muon["square"] - adam["square"]).max() > 1e-3


def test_the_schedule_moves_both_rates():
    options = {"schedule_steps": 100, "schedule": "cosine", "warmup_steps": 9}
    optimizer = build_optimizer(learning_rate=1e-3, muon_learning_rate=2e-2, **options)
    before, after = random_variables(0), stepped(optimizer, steps=1)
    change = (before["square"] - after["square"]).reshape(-1, 16)
    # The first of nine steps of warm-up takes a tenth of the rate.
    np.testing.assert_allclose(np.linalg.svd(change, compute_uv=False) / 2e-3, 1.0, atol=0.35)
    np.testing.assert_allclose(np.abs(before["bias"] - after["bias"]), 1e-4, rtol=1e-2)


def test_a_network_without_such_kernels_is_an_error():
    kernels = [keras.Variable(np.zeros((3, 3, 16, 8), np.float32)) for _ in range(3)]
    with pytest.raises(ValueError, match="`muon_learning_rate` needs a network with square convolution kernels"):
        Muon(0.01, kernel_rate=1.0).build(kernels)


def test_without_its_rate_all_is_adam():
    assert type(build_optimizer(learning_rate=1e-3, schedule_steps=10)) is FusedAdam
