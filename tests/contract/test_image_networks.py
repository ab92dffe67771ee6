"""What every network between images, and every discriminator of such images, must do: a row buys these tests."""

import functools

import keras
import numpy as np
import pytest
from image_networks import (
    fill_zero_kernels,
    in_precision,
    peak_to_peak_of_flat_middle,
    penalty_gradients,
    random_image,
    saved_and_loaded,
    slope_of_penalty,
    weights_without_gradient,
    with_unknown_size,
    without_kinks,
)
from lanes import first_quick

from tfgan_app.layers.receptive_field import receptive_field_of
from tfgan_app.networks import CROP_DISCRIMINATORS, RESTORERS, UPSCALERS

SMALL = {
    "compact": {"width": 8, "blocks": 1},
    "nafnet": {"width": 8, "encoder_blocks": (1, 1), "middle_blocks": 1, "decoder_blocks": (1, 1)},
    "rrdb": {"width": 8, "blocks": 1, "growth": 4},
    "srresnet": {"width": 8, "blocks": 2},
    "unet": {"width": 4, "depth": 2, "blocks": 1},
}
ROWS = [(name, scale) for name in UPSCALERS for scale in (2, 3, 4, 8)] + [(name, 1) for name in RESTORERS]
every_network = pytest.mark.parametrize(("name", "scale"), ROWS)
every_discriminator = pytest.mark.parametrize("name", CROP_DISCRIMINATORS)
both_norms = pytest.mark.parametrize("spectral_norm", [False, True])


def build(name, scale):
    options = SMALL[name] | ({"scale": scale} if scale > 1 else {})
    return {**UPSCALERS, **RESTORERS}[name](**options)


@functools.cache
def network(name, scale):
    keras.utils.set_random_seed(0)
    return fill_zero_kernels(build(name, scale))


@every_network
@pytest.mark.parametrize("size", [(1, 1), (13, 4)])
def test_it_takes_any_size_whether_known_or_not(name, scale, size):
    image = random_image(2, *size, 3)
    output = network(name, scale)(image)
    assert output.shape == (2, scale * size[0], scale * size[1], 3)
    np.testing.assert_allclose(with_unknown_size(network(name, scale))(image), output, atol=1e-5)


@every_network
@pytest.mark.parametrize("policy", first_quick(["mixed_bfloat16", "mixed_float16"]))
def test_it_computes_in_mixed_precision_with_float32_weights_and_images(name, scale, policy):
    model = in_precision(policy, build, name=name, scale=scale)
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    output = model(random_image(1, 8, 5, 3))
    assert output.dtype == "float32"
    assert np.isfinite(output).all()


@every_network
def test_every_weight_gets_a_gradient(name, scale):
    assert weights_without_gradient(network(name, scale), random_image(2, 8, 8, 3)) == []


@every_network
def test_it_draws_no_checkerboard_on_a_flat_image(name, scale):
    # Fresh: filled kernels of sub-pixels would draw one at random.
    assert peak_to_peak_of_flat_middle(build(name, scale), size_px=64) < 1e-4


@every_network
def test_it_survives_saving(name, scale, tmp_path):
    image = random_image(1, 5, 8, 3)
    loaded = saved_and_loaded(network(name, scale), tmp_path)
    np.testing.assert_array_equal(loaded(image), network(name, scale)(image))


@every_network
def test_its_reach_is_known_so_that_it_can_run_on_tiles(name, scale):
    """What lies beyond it changes nothing, in height and width; what lies half as far does."""
    receptive_field = receptive_field_of(network(name, scale))
    assert receptive_field.scale == scale
    reach, multiple = receptive_field.halo_px, receptive_field.multiple
    seen = -(-(reach + 1) // multiple) * multiple
    for axes in [(0, 1, 2, 3), (0, 2, 1, 3)]:
        images = np.repeat(random_image(1, 9, 3 * seen, 3), 2, axis=0)
        images[1, :, seen + reach :] *= -1.0
        outputs = np.asarray(network(name, scale)(images.transpose(axes))).transpose(axes)
        difference = np.abs(outputs[0] - outputs[1]).max(axis=(0, 2))
        assert difference[: scale * seen].max() < 1e-6
        assert difference[scale * (seen + reach // 2) : scale * (seen + reach)].max() > 1e-4


def discriminator(name, *, spectral_norm=True):
    keras.utils.set_random_seed(0)
    return CROP_DISCRIMINATORS[name](width=4, spectral_norm=spectral_norm)


@every_discriminator
@pytest.mark.parametrize("size", [(1, 1), (32, 32), (19, 34)])
def test_discriminator_judges_images_of_any_size_known_or_not(name, size):
    model = discriminator(name)
    image = random_image(2, *size, 3)
    logits = model(image)
    assert logits.shape in {(2, 1), (2, *size, 1)}
    np.testing.assert_allclose(with_unknown_size(model)(image), logits, atol=1e-5)


@every_discriminator
@both_norms
@pytest.mark.parametrize("policy", first_quick(["mixed_bfloat16", "mixed_float16"]))
def test_discriminator_computes_in_mixed_precision_with_float32_weights_and_logits(name, policy, spectral_norm):
    model = in_precision(policy, discriminator, name=name, spectral_norm=spectral_norm)
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model(random_image(1, 40, 33, 3)).dtype == "float32"


@every_discriminator
@pytest.mark.parametrize("size", first_quick([(16, 24), (11, 9)], unpack=False))
def test_a_gradient_penalty_reaches_the_weights_rightly(name, size):
    """Against the penalty's numerical derivative: some operations take their second derivative for zero."""
    model = without_kinks(discriminator(name, spectral_norm=False))
    images = random_image(2, *size, 3)
    gradients = penalty_gradients(model, images)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if variable.name == "kernel":
            direction = np.asarray(gradient) / np.linalg.norm(gradient)
            slope = slope_of_penalty(model, images, variable=variable, direction=direction)
            assert slope == pytest.approx(np.linalg.norm(gradient), rel=0.01)


@every_discriminator
def test_a_gradient_penalty_reaches_every_kernel_through_spectral_norm(name):
    model = discriminator(name)
    gradients = penalty_gradients(model, random_image(2, 16, 24, 3))
    pairs = zip(model.trainable_variables, gradients, strict=True)
    assert [variable.path for variable, it in pairs if variable.name == "kernel" and not np.any(it)] == []


@every_discriminator
@both_norms
@pytest.mark.parametrize("size", first_quick([(16, 24), (33, 40)], unpack=False))
def test_every_weight_of_a_discriminator_gets_a_gradient(name, spectral_norm, size):
    model = discriminator(name, spectral_norm=spectral_norm)
    assert weights_without_gradient(model, random_image(2, *size, 3)) == []


@every_discriminator
def test_discriminator_survives_saving(name, tmp_path):
    model = discriminator(name)
    image = random_image(1, 9, 16, 3)
    np.testing.assert_array_equal(saved_and_loaded(model, tmp_path)(image), model(image))
