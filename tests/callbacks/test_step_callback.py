import numpy as np
import pytest

from tfgan_app.callbacks.step_callback import StepCallback, checked_interval, float_logs


class Recorder(StepCallback):
    def __init__(self, every_steps):
        super().__init__()
        self.every_steps, self.seen, self.due = every_steps, [], []

    def on_step(self, logs):
        self.seen.append(self.step)
        if self.is_due(self.every_steps):
            self.due.append(self.step)


def test_steps_go_on_from_the_initial_step(tiny_model):
    recorder = Recorder(every_steps=2)
    tiny_model.run([recorder], steps=9, initial_step=4)
    assert recorder.seen == [5, 6, 7, 8, 9]
    assert recorder.due == [6, 8]


def test_a_block_of_steps_that_passes_a_multiple_is_due(tiny_model):
    recorder = Recorder(every_steps=5)
    recorder.set_model(tiny_model)
    recorder.on_train_begin()
    for last_batch in (3, 7, 8):  # Blocks of 4, 4 and 1 steps.
        recorder.on_train_batch_end(last_batch, None)
    assert recorder.seen == [4, 8, 9]
    assert recorder.due == [8]


def test_float_logs_takes_scalars_and_arrays_of_one_and_leaves_the_rest():
    logs = {"a": 1, "b": np.array([2.0], np.float32), "c": np.array([1.0, 3.0]), "d": "text", "e": None}
    assert float_logs(logs) == {"a": 1.0, "b": 2.0, "c": 2.0}


@pytest.mark.parametrize("steps", [0, -5, 2.5, None])
def test_an_interval_must_be_a_positive_whole_number(steps):
    with pytest.raises(ValueError, match=r"`every_steps` must be .* Received: every_steps="):
        checked_interval("every_steps", steps)
