"""What every row of GENERATORS and DISCRIMINATORS does, whatever its architecture."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick

from tfgan_app.networks import DISCRIMINATORS, GENERATORS
from tfgan_app.networks.patchgan import RECEPTIVE_FIELDS

SMALL = {"width": 8}


def small_generator(name, **options):
    if name == "unet":
        options.setdefault("depth", 4)
    return GENERATORS[name](**SMALL, **options)


@functools.cache
def generator(name):
    keras.utils.set_random_seed(0)
    return small_generator(name)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("size", first_quick([(1, 1), (17, 5), (32, 48)], count=2, unpack=False))
def test_generator_takes_any_size(name, size):
    image = np.random.default_rng(0).uniform(-1, 1, (2, *size, 3)).astype(np.float32)
    output = np.asarray(generator(name)(image))
    assert output.shape == image.shape
    assert output.dtype == np.float32
    assert np.isfinite(output).all()
    exported = tf.function(generator(name), input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(exported(image), output, atol=1e-5)


@pytest.mark.parametrize("name", GENERATORS)
def test_fresh_generator_draws_no_checkerboard_on_a_flat_image(name):
    """Beyond the reach of the border's zero padding, a flat image becomes a flat one."""
    model = generator(name)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and not np.asarray(layer.kernel).any():
            # Kernels that start at zero would hide what the layers before them draw.
            layer.kernel.assign(keras.random.normal(layer.kernel.shape, stddev=0.1, seed=0))
    for shade in (-0.7, 0.3):
        output = np.asarray(model(np.full((1, 352, 352, 3), shade, np.float32)))[0, 168:184, 168:184]
        assert np.ptp(output, axis=(0, 1)).max() < 1e-4 * np.abs(output).max()


@pytest.mark.parametrize("name", GENERATORS)
def test_generator_survives_saving(name, tmp_path):
    model = generator(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    image = np.random.default_rng(1).uniform(-1, 1, (1, 19, 33, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(model(image)), np.asarray(loaded(image)))


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("normalization", ["none", "instance", "batch"])
def test_generator_offers_each_normalization(name, normalization):
    model = small_generator(name, normalization=normalization)
    kinds = {type(layer).__name__ for layer in model.layers} & {"InstanceNormalization", "BatchNormalization"}
    expected = {"none": set(), "instance": {"InstanceNormalization"}, "batch": {"BatchNormalization"}}
    assert kinds == expected[normalization]


@pytest.mark.parametrize("policy", first_quick(["mixed_bfloat16", "mixed_float16"]))
@pytest.mark.parametrize("name", [*GENERATORS, *DISCRIMINATORS])
def test_network_computes_in_mixed_precision_and_ends_in_float32(name, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = small_generator(name) if name in GENERATORS else DISCRIMINATORS[name](**SMALL)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    image = np.zeros((1, 96, 96, 3), np.float32)
    output = model([image, image] if name in DISCRIMINATORS else image)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    hidden = {layer.compute_dtype for layer in model.layers if isinstance(layer, keras.layers.Conv2D)}
    assert hidden == {policy.removeprefix("mixed_")}


@pytest.mark.parametrize("field", RECEPTIVE_FIELDS)
def test_patchgan_logit_sees_exactly_its_receptive_field(field):
    """The gradient of one central logit is non-zero on a square of `field` pixels."""
    keras.utils.set_random_seed(0)
    model = DISCRIMINATORS[f"patchgan_{field}"](width=4)
    size = 448 if field > 100 else 160
    image = tf.Variable(np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        logits = model([image, image])
        logit = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    seen = np.abs(np.asarray(tape.gradient(logit, image))).sum((0, 3)) > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert rows[-1] - rows[0] + 1 == field
    assert columns[-1] - columns[0] + 1 == field


def test_spectral_norm_bounds_each_convolution():
    model = DISCRIMINATORS["patchgan_34"](width=8, spectral_norm=True)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    for _ in range(30):
        model([image, image], training=True)
    kernels = [layer.layer.kernel for layer in model.layers if isinstance(layer, keras.layers.SpectralNormalization)]
    assert len(kernels) == 4
    for kernel in kernels:
        matrix = np.asarray(kernel).reshape(-1, kernel.shape[-1])
        assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1.0, abs=0.1)


def test_unknown_receptive_field_lists_the_valid_ones():
    from tfgan_app.networks.patchgan import build_patchgan

    with pytest.raises(ValueError, match="16, 34, 70, 286"):
        build_patchgan(receptive_field=50)
