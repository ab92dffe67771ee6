"""Parity limits: accepted and rejected differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.export.parity import LIMITS, ParityError, Sample, check_parity

NOISE = tf.constant(np.random.default_rng(0).random((1, 8, 8, 3), np.float32))


def chaotic(images):
    """Multiplies each rounding error of an input by more than a thousand."""
    return 0.5 + 0.5 * keras.ops.sin(images * 1e5)


def smooth(images):
    return images * 0.5


def rounded(model):
    """A model that rounds its inputs."""
    return lambda images: model(images * (1 + 2.0**-23))


def off(model):
    return lambda images: model(images) + 2e-4


@pytest.mark.parametrize(("model", "export"), [(smooth, rounded(smooth)), (chaotic, rounded(chaotic))])
def test_rounding_of_noise_passes(model, export):
    samples = iter([Sample(NOISE * 0.0), Sample(NOISE, noise=True)])
    assert check_parity(model, export, samples, limits=LIMITS["none"]).max_error <= 1e-4


@pytest.mark.parametrize(
    ("model", "export", "noise"),
    [(smooth, off(smooth), True), (chaotic, rounded(chaotic), False), (chaotic, lambda x: 1 - chaotic(x), True)],
)
def test_other_differences_do_not(model, export, noise):
    with pytest.raises(ParityError, match="differs from the model"):
        check_parity(model, export, iter([Sample(NOISE, noise=noise)]), limits=LIMITS["none"])
