"""Optimizers: the fused kernel is Adam, and rates follow their schedules."""

import keras
import numpy as np
import pytest

from tfgan_app.training.optimizers import FINAL_RATE, FusedAdam, LearningRate, build_optimizer, current_rates


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


@pytest.mark.parametrize("options", [{}, {"accumulate_steps": 4}, {"updates_per_step": 5}])
def test_a_schedule_spans_the_steps_however_often_the_optimizer_is_applied_in_each(options):
    """Keras counts gradients: each of those that are accumulated, and each of a discriminator's in one step."""
    optimizer = build_optimizer(learning_rate=1.0, schedule="linear", schedule_steps=8, warmup_steps=1, **options)
    variable = keras.Variable(np.ones(3, np.float32))
    optimizer.build([variable])
    rates = []
    for _ in range(9):
        rates.append(float(optimizer.learning_rate))
        for _ in range(options.get("updates_per_step", 1)):
            optimizer.apply([keras.ops.ones(3)])
    warm_up = 1 / (1 + options.get("updates_per_step", 1))
    falling = [FINAL_RATE + (1 - FINAL_RATE) * share for share in (1, 0.75, 0.5, 0.25, 0)]
    np.testing.assert_allclose(rates, [warm_up, 1, 1, 1, *falling], atol=1e-6)


def test_a_schedule_may_begin_later():
    early, late = (
        LearningRate(1.0, schedule="cosine", warmup_updates=3, updates=100, begin=begin) for begin in (0, 40)
    )
    assert [float(late(step)) for step in (40, 60, 200)] == [float(early(step)) for step in (0, 20, 160)]
    assert float(late(10)) == float(early(0))


def test_current_rates_are_those_of_the_next_update():
    optimizer = build_optimizer(learning_rate=1e-3, muon_learning_rate=0.02, schedule_steps=10, warmup_steps=1)
    assert current_rates(optimizer) == pytest.approx({"learning_rate": 5e-4, "muon_learning_rate": 0.01})
    scaled = build_optimizer(learning_rate=1e-3, schedule_steps=10, scale_loss=True)
    assert current_rates(scaled) == pytest.approx({"learning_rate": 1e-3})


def test_unknown_schedule_lists_the_valid_ones():
    with pytest.raises(ValueError, match="constant, linear, cosine"):
        build_optimizer(learning_rate=1.0, schedule_steps=10, schedule="step")
