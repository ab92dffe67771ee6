import math

import pytest

from tfgan_app.callbacks.checkpointing import Checkpointing
from tfgan_app.callbacks.guards import HealthMonitor, NonFiniteError, NonFiniteGuard
from tfgan_app.callbacks.metrics_file import read_metrics
from tfgan_app.callbacks.scalars import ScalarLog


def test_a_step_that_is_not_finite_leaves_no_trace(tmp_path, tiny_model):
    tiny_model.nonfinite_at = 3
    saved = []
    callbacks = [NonFiniteGuard(), ScalarLog(tmp_path, 1, 4), Checkpointing(1, saved.append)]
    with pytest.raises(NonFiniteError, match="step 3") as raised:
        tiny_model.run(callbacks, steps=6)
    assert raised.value.step == 3
    assert saved == [1, 2]
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 2]


def test_training_goes_on_after_a_rollback_with_the_same_callbacks(tmp_path, tiny_model):
    tiny_model.nonfinite_at = 3
    callbacks = [NonFiniteGuard(), ScalarLog(tmp_path, 1, 4)]
    with pytest.raises(NonFiniteError):
        tiny_model.run(callbacks, steps=4)
    tiny_model.nonfinite_at = None
    assert tiny_model.run(callbacks, steps=4, initial_step=1) == 4
    assert [row["step"] for row in read_metrics(tmp_path)] == [1, 2, 3, 4]


@pytest.mark.parametrize(("count", "raises"), [(0, False), (1, True), (math.nan, True), (None, False)])
def test_the_count_decides(tiny_model, count, raises):
    guard = NonFiniteGuard()
    guard.set_model(tiny_model)
    guard.on_train_begin()
    logs = {} if count is None else {"nonfinite": count}
    if raises:
        with pytest.raises(NonFiniteError):
            guard.on_train_batch_end(0, logs)
    else:
        guard.on_train_batch_end(0, logs)


def watch(model, accuracies):
    said = []
    monitor = HealthMonitor(lambda *event: said.append(event), window_steps=20)
    monitor.set_model(model)
    monitor.on_train_begin()
    for batch, (real, fake) in enumerate(accuracies):
        monitor.on_train_batch_end(batch, {"real_accuracy": real, "fake_accuracy": fake})
    return said


def test_a_discriminator_that_has_won_is_said_once(tiny_model):
    said = watch(tiny_model, [(1.0, 0.99)] * 400)
    assert len(said) == 1
    step, kind, message = said[0]
    assert 40 < step < 120
    assert kind == "warning"
    assert "discriminator has won" in message
    assert "optimizer.discriminator_learning_rate" in message


def test_a_fair_discriminator_and_a_short_streak_are_not_warned_of(tiny_model):
    assert watch(tiny_model, [(0.9, 0.9)] * 400) == []
    assert watch(tiny_model, ([(1.0, 1.0)] * 15 + [(0.6, 0.6)] * 15) * 20) == []
    assert watch(tiny_model, [(1.0, 0.5)] * 400) == []


def test_an_output_that_ignores_its_input_is_said_once(tiny_model):
    said = []
    monitor = HealthMonitor(lambda *event: said.append(event))
    monitor.set_model(tiny_model)
    monitor.on_train_begin()
    monitor.on_validation(100, {"psnr": 20.0})
    monitor.on_validation(200, {"output_variation": 0.5})
    monitor.on_validation(300, {"output_variation": 0.01})
    monitor.on_validation(400, {"output_variation": 0.01})
    assert [(step, kind) for step, kind, _ in said] == [(300, "warning")]
    assert "ignores its input" in said[0][2]


def test_logs_without_accuracies_are_tolerated(tiny_model):
    assert tiny_model.run([HealthMonitor(), NonFiniteGuard()], steps=2) == 2


def test_a_collapsed_generator_is_said_once(tiny_model):
    said = []
    monitor = HealthMonitor(lambda *event: said.append(event), window_steps=20)
    monitor.set_model(tiny_model)
    monitor.on_train_begin()
    for batch in range(200):
        monitor.on_train_batch_end(batch, {"diversity": 0.9 if batch < 50 else 0.05})
    assert len(said) == 1
    step, kind, message = said[0]
    assert 60 < step < 90
    assert kind == "warning"
    assert "generator has collapsed" in message
    assert "task.r1_weight" in message


def test_data_left_out_is_said_once_and_not_at_the_start(tiny_model):
    said = []
    monitor = HealthMonitor(lambda *event: said.append(event), window_steps=100)
    monitor.set_model(tiny_model)
    monitor.on_train_begin()
    for step, coverage in ((50, 0.01), (150, 0.5), (250, 0.02), (350, 0.02)):
        monitor.on_validation(step, {"coverage": coverage, "floor_coverage": 0.9})
    assert [step for step, _, _ in said] == [250]
    assert "2.0%" in said[0][2]
