"""Optimizers: the fused kernel is Adam, and rates follow their schedules."""

import keras
import numpy as np
import pytest

from tfgan_app.training.optimizers import FINAL_RATE, FusedAdam, LearningRate, build_optimizer


@pytest.mark.parametrize("options", [{}, {"global_clipnorm": 0.1}, {"gradient_accumulation_steps": 2}])
def test_fused_adam_is_keras_adam(options):
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 4), (5,))]
    results = []
    for kind in (keras.optimizers.Adam, FusedAdam):
        rng = np.random.default_rng(1)
        variables = [keras.Variable(value) for value in start]
        optimizer = kind(1e-2, beta_1=0.5, beta_2=0.99, **options)
        optimizer.build(variables)
        for _ in range(6):
            optimizer.apply([keras.ops.convert_to_tensor(rng.normal(size=v.shape).astype(np.float32)) for v in start])
        results.append([np.asarray(v) for v in optimizer.variables] + [np.asarray(v) for v in variables])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [1, 1, 1, 1]), ("linear", [1, 1, 1, 0.51]), ("cosine", [1, 0.8565, 0.51, 0.1635])],
)
def test_schedules_go_their_course(schedule, expected):
    rate = LearningRate(2e-4, schedule=schedule, warmup_updates=0, updates=100)
    np.testing.assert_allclose([float(rate(step)) / 2e-4 for step in (0, 25, 50, 75)], expected, atol=1e-4)


def test_the_rate_stays_at_its_end_for_more_steps():
    rate = LearningRate(1.0, schedule="cosine", warmup_updates=0, updates=100)
    assert float(rate(100)) == float(rate(1000)) == pytest.approx(FINAL_RATE)


def test_warm_up_rises_to_the_peak():
    rate = LearningRate(1.0, schedule="constant", warmup_updates=9, updates=100)
    np.testing.assert_allclose([float(rate(step)) for step in (0, 4, 9, 50)], [0.1, 0.5, 1.0, 1.0], atol=1e-6)


def test_accumulation_stretches_the_schedule_over_all_steps():
    settings = {"schedule": "linear", "schedule_steps": 400, "warmup_steps": 10, "accumulate_steps": 4}
    optimizer = build_optimizer(learning_rate=1.0, **settings)
    assert optimizer._learning_rate.updates == 100
    assert optimizer._learning_rate.warmup_updates == 3


def test_unknown_schedule_lists_the_valid_ones():
    with pytest.raises(ValueError, match="constant, linear, cosine"):
        build_optimizer(learning_rate=1.0, schedule_steps=10, schedule="step")
