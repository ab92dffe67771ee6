"""The U-Net discriminator of Real-ESRGAN."""

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

from tfgan_app.networks.unet_discriminator import build_unet_discriminator


def test_it_is_as_large_as_the_published_network():
    """Real-ESRGAN's UNetDiscriminatorSN has 4 376 897 weights."""
    model = build_unet_discriminator()
    assert sum(variable.value.shape.num_elements() for variable in model.trainable_variables) == 4_376_897
    wrapped = [layer for layer in model.layers if isinstance(layer, keras.layers.SpectralNormalization)]
    assert len(wrapped) == 8


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (19, 34)])
def test_it_gives_a_logit_for_each_pixel_of_a_picture_of_any_size(size):
    model = build_unet_discriminator(width=4)
    picture = random_picture(2, *size, 3)
    logits = model(picture)
    assert logits.shape == (2, *size, 1)
    np.testing.assert_allclose(with_unknown_size(model)(picture), logits, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_it_computes_in_mixed_precision_with_float32_weights_and_logits(policy):
    model = in_precision(policy, build_unet_discriminator, width=4)
    assert {variable.dtype for variable in model.variables} == {"float32"}
    assert model(random_picture(1, 17, 8, 3)).dtype == "float32"


@pytest.mark.parametrize("size", [(16, 24), (11, 9)])
def test_a_gradient_penalty_reaches_its_weights_rightly(size):
    """Against the penalty's numerical derivative: some operations take their second derivative for zero."""
    keras.utils.set_random_seed(0)
    model = without_kinks(build_unet_discriminator(width=4, spectral_norm=False))
    pictures = random_picture(2, *size, 3)
    gradients = penalty_gradients(model, pictures)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if variable.name == "kernel":
            direction = np.asarray(gradient) / np.linalg.norm(gradient)
            slope = slope_of_penalty(model, pictures, variable=variable, direction=direction)
            assert slope == pytest.approx(np.linalg.norm(gradient), rel=0.01)


def test_a_gradient_penalty_reaches_its_weights_through_spectral_norm():
    model = build_unet_discriminator(width=4, spectral_norm=True)
    gradients = penalty_gradients(model, random_picture(2, 16, 24, 3))
    reached = [variable.name for variable, it in zip(model.trainable_variables, gradients, strict=True) if np.any(it)]
    assert reached.count("kernel") == 10


@pytest.mark.parametrize("size", [(16, 24), (11, 9)])
def test_every_weight_gets_a_gradient(size):
    model = build_unet_discriminator(width=4)
    assert weights_without_gradient(model, random_picture(2, *size, 3)) == []


def test_spectral_norm_bounds_the_wrapped_kernels():
    model = build_unet_discriminator(width=4)
    picture = random_picture(1, 16, 16, 3)
    for _ in range(30):
        model(picture, training=True)
    for layer in model.layers:
        if isinstance(layer, keras.layers.SpectralNormalization):
            matrix = np.asarray(layer.layer.kernel).reshape(-1, layer.layer.kernel.shape[-1])
            assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1.0, abs=0.1)


def test_it_survives_saving(tmp_path):
    model = build_unet_discriminator(width=4)
    picture = random_picture(1, 9, 16, 3)
    np.testing.assert_array_equal(saved_and_loaded(model, tmp_path)(picture), model(picture))
