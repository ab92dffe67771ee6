"""The discriminator of SRGAN."""

import keras
import numpy as np
import pytest
from picture_networks import (
    in_precision,
    penalty_gradients,
    random_picture,
    saved_and_loaded,
    slope_of_penalty,
    weights_without_gradient,
    with_unknown_size,
    without_kinks,
)

from tfgan_app.networks.sr_discriminator import build_vgg_discriminator


def test_its_convolutions_are_the_papers_and_its_dense_layers_see_means():
    convolutions = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    expected = sum(9 * a * b + b for a, b in convolutions) + (512 * 1024 + 1024) + (1024 + 1)
    assert build_vgg_discriminator().count_params() == expected
    normalized = build_vgg_discriminator(normalization="batch")
    assert normalized.count_params() == expected + 4 * sum(b for _, b in convolutions[1:])


@pytest.mark.parametrize("size", [(1, 1), (32, 32), (45, 96)])
def test_it_gives_one_logit_for_a_picture_of_any_size(size):
    model = build_vgg_discriminator(width=4)
    picture = random_picture(2, *size, 3)
    logits = model(picture)
    assert logits.shape == (2, 1)
    np.testing.assert_allclose(with_unknown_size(model)(picture), logits, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("spectral_norm", [False, True])
def test_it_computes_in_mixed_precision_with_float32_weights_and_logits(policy, spectral_norm):
    model = in_precision(policy, build_vgg_discriminator, width=4, spectral_norm=spectral_norm)
    assert {variable.dtype for variable in model.variables} == {"float32"}
    assert model(random_picture(1, 40, 33, 3)).dtype == "float32"


@pytest.mark.parametrize("size", [(16, 24), (11, 9)])
def test_a_gradient_penalty_reaches_its_weights_rightly(size):
    """Against the penalty's numerical derivative: some operations take their second derivative for zero."""
    keras.utils.set_random_seed(0)
    model = without_kinks(build_vgg_discriminator(width=4, spectral_norm=False))
    pictures = random_picture(2, *size, 3)
    gradients = penalty_gradients(model, pictures)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if variable.name == "kernel":
            direction = np.asarray(gradient) / np.linalg.norm(gradient)
            slope = slope_of_penalty(model, pictures, variable=variable, direction=direction)
            assert slope == pytest.approx(np.linalg.norm(gradient), rel=0.01)


def test_a_gradient_penalty_reaches_its_weights_through_spectral_norm():
    model = build_vgg_discriminator(width=4, spectral_norm=True)
    gradients = penalty_gradients(model, random_picture(2, 16, 24, 3))
    reached = [variable.name for variable, it in zip(model.trainable_variables, gradients, strict=True) if np.any(it)]
    assert reached.count("kernel") == 10


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_every_weight_gets_a_gradient(spectral_norm):
    keras.utils.set_random_seed(0)
    model = build_vgg_discriminator(width=8, spectral_norm=spectral_norm)
    assert weights_without_gradient(model, random_picture(2, 33, 40, 3)) == []


def test_spectral_norm_wraps_every_layer_with_weights():
    model = build_vgg_discriminator(width=4, spectral_norm=True)
    with_weights = [layer for layer in model.layers if layer.trainable_variables]
    assert len(with_weights) == 10
    assert {type(layer) for layer in with_weights} == {keras.layers.SpectralNormalization}


def test_it_survives_saving(tmp_path):
    model = build_vgg_discriminator(width=4, spectral_norm=True)
    picture = random_picture(1, 35, 32, 3)
    np.testing.assert_array_equal(saved_and_loaded(model, tmp_path)(picture), model(picture))
