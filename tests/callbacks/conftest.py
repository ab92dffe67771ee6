"""A model that trains in milliseconds, for callbacks to be called by a real `fit`."""

import keras
import numpy as np
import pytest


class TinyModel(keras.Model):
    """One weight; its logs are the running means that the trainer of the package gives."""

    def __init__(self, nonfinite_at: int | None = None):
        super().__init__()
        self.loss_mean = keras.metrics.Mean(name="generator_loss")
        self.initial_step = 0
        self.steps_run = 0
        self.nonfinite_at = nonfinite_at
        self.at_step = {}

    @property
    def metrics(self):
        return [self.loss_mean]

    def train_step(self, data):
        self.steps_run += 1
        step = self.initial_step + self.steps_run
        self.at_step.get(step, lambda: None)()
        self.loss_mean.update_state(float(step))
        # Shape [1], as the trainer gives it for the sake of several workers.
        return {
            "generator_loss": np.reshape(self.loss_mean.result(), [1]),
            "nonfinite": np.array([float(step == self.nonfinite_at)]),
        }

    def run(self, callbacks, *, steps, initial_step=0):
        """Trains to step `steps` and returns the steps done."""
        self.initial_step, self.steps_run = initial_step, 0
        self.compile(run_eagerly=True)
        data = np.zeros([steps - initial_step, 1], np.float32)
        self.fit(data, batch_size=1, callbacks=callbacks, verbose=0)
        return initial_step + self.steps_run


@pytest.fixture
def tiny_model():
    return TinyModel()
