"""What every row of NOISE_GENERATORS and IMAGE_DISCRIMINATORS does, whatever its architecture."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick

from tfgan_app.networks import IMAGE_DISCRIMINATORS, NOISE_GENERATORS

CLASSES = 3
LATENTS = np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)
LABELS = np.arange(8, dtype=np.int32) % CLASSES


def wake(model):
    """Gives the weights that start at zero a value, so that they cannot hide what others do."""
    for seed, variable in enumerate(model.trainable_variables):
        if not np.asarray(variable).any():
            variable.assign(keras.random.normal(variable.shape, stddev=0.1, seed=seed))
    return model


@functools.cache
def generator(name, size_px=32, channels=3, classes=0):
    keras.utils.set_random_seed(0)
    return wake(NOISE_GENERATORS[name](size_px=size_px, channels=channels, latent_dim=16, width=8, classes=classes))


@functools.cache
def discriminator(name, size_px=32, channels=3, **options):
    keras.utils.set_random_seed(0)
    return wake(IMAGE_DISCRIMINATORS[name](size_px=size_px, channels=channels, width=8, **options))


def images(size_px=32, channels=3, batch=8):
    return np.random.default_rng(1).uniform(-1, 1, (batch, size_px, size_px, channels)).astype(np.float32)


@pytest.mark.parametrize(("size_px", "channels"), [(28, 1), (32, 3), (64, 3), (128, 3)])
@pytest.mark.parametrize("name", NOISE_GENERATORS)
def test_generator_turns_each_latent_vector_into_another_image(name, size_px, channels):
    fakes = np.asarray(generator(name, size_px, channels)(LATENTS, training=True))
    assert fakes.shape == (8, size_px, size_px, channels)
    assert fakes.dtype == np.float32
    assert np.isfinite(fakes).all()
    assert fakes.std(axis=0).mean() > 0.01


@pytest.mark.parametrize("name", NOISE_GENERATORS)
def test_fresh_generator_paints_neither_gray_nor_saturated_images(name):
    keras.utils.set_random_seed(0)
    latents = np.random.default_rng(0).standard_normal((32, 128)).astype(np.float32)
    fakes = np.asarray(NOISE_GENERATORS[name](size_px=32)(latents, training=True))
    assert 0.1 < fakes.std() < 0.8
    assert np.mean(np.abs(fakes) > 0.98) < 0.15


@pytest.mark.parametrize("name", NOISE_GENERATORS)
def test_label_changes_the_image(name):
    model = generator(name, classes=CLASSES)
    latents = LATENTS[[0, 0, 0, 0, 0]]
    fakes = np.asarray(model([latents, np.int32([0, 1, 1, -1, CLASSES])]))
    assert np.abs(fakes[0] - fakes[1]).max() > 0.01
    np.testing.assert_allclose(fakes[1], fakes[2], atol=1e-5)
    # Labels that are no class: finite, and one like the other.
    assert np.isfinite(fakes).all()
    np.testing.assert_allclose(fakes[3], fakes[4], atol=1e-5)


@pytest.mark.parametrize(("size_px", "channels"), [(28, 1), (32, 3), (64, 3), (128, 3)])
@pytest.mark.parametrize("name", IMAGE_DISCRIMINATORS)
def test_discriminator_gives_one_logit_for_each_image(name, size_px, channels):
    logits = np.asarray(discriminator(name, size_px, channels)(images(size_px, channels)))
    assert logits.shape == (8, 1)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    assert logits.std() > 0


@pytest.mark.parametrize("name", IMAGE_DISCRIMINATORS)
def test_logit_depends_on_the_label(name):
    same = images()[[0, 0, 0, 0]]
    logits = np.asarray(discriminator(name, classes=CLASSES)([np.int32([0, 1, -1, CLASSES]), same]))
    assert abs(logits[0] - logits[1]) > 1e-5
    assert np.isfinite(logits).all()
    assert logits[2] == pytest.approx(logits[3], abs=1e-6)


@pytest.mark.parametrize("classes", first_quick([0, CLASSES]))
@pytest.mark.parametrize("name", IMAGE_DISCRIMINATORS)
def test_codes_are_read_off_the_image_and_not_off_the_label(name, classes):
    model = discriminator(name, classes=classes, codes=5)
    logits, codes = model([LABELS, images()] if classes else images())
    assert logits.shape == (8, 1)
    assert codes.shape == (8, 5)
    assert codes.dtype == tf.float32
    assert (np.asarray(codes).std(axis=0) > 0).all()
    if classes and name != "mlp":  # There the label is an input like the pixels.
        np.testing.assert_allclose(model([LABELS[::-1], images()])[1], codes, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NOISE_GENERATORS if name != "mlp"])
def test_28_pixels_are_the_center_of_the_grid_of_32(name):
    small, large = generator(name, 28), generator(name, 32)
    fakes = np.asarray(large(LATENTS))
    previous = small.get_weights()
    small.set_weights(large.get_weights())
    np.testing.assert_allclose(small(LATENTS), fakes[:, 2:30, 2:30], atol=1e-6)
    small.set_weights(previous)

    small, large = discriminator(name, 28), discriminator(name, 32)
    previous = small.get_weights()
    small.set_weights(large.get_weights())
    mirrored = np.pad(images(28), ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    np.testing.assert_allclose(small(images(28)), large(mirrored), atol=1e-5)
    small.set_weights(previous)


@pytest.mark.parametrize("name", ["resnet", "r3gan"])
def test_fresh_generator_draws_no_checkerboard(name):
    """Neighboring columns, rows and diagonals do not alternate beyond what images without a grid do."""
    keras.utils.set_random_seed(0)
    latents = np.random.default_rng(0).standard_normal((32, 128)).astype(np.float32)
    model = wake(NOISE_GENERATORS[name](size_px=32, width=16))
    inner = np.asarray(model(latents, training=True))[:, 4:28, 4:28]
    sign = (-1.0) ** np.arange(24)
    for pattern in (sign[None, :], sign[:, None], sign[:, None] * sign[None, :]):
        alternating = (inner * pattern[None, :, :, None]).mean(axis=(1, 2))
        assert np.abs(alternating).mean() < 0.05 * inner.std()


def test_transposed_convolutions_cover_all_pixels_equally_often():
    model = NOISE_GENERATORS["dcgan"](size_px=64, width=4)
    kinds = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert len(kinds) == 4
    for layer in kinds:
        assert layer.kernel_size[0] % layer.strides[0] == 0


@pytest.mark.parametrize("name", NOISE_GENERATORS)
def test_generator_survives_saving(name, tmp_path):
    model = generator(name, classes=CLASSES)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    inputs = [LATENTS, LABELS]
    np.testing.assert_array_equal(np.asarray(model(inputs)), np.asarray(loaded(inputs)))


@pytest.mark.parametrize("spectral_norm", first_quick([False, True]))
@pytest.mark.parametrize("name", IMAGE_DISCRIMINATORS)
def test_discriminator_survives_saving(name, spectral_norm, tmp_path):
    model = discriminator(name, size_px=28, classes=CLASSES, codes=2, spectral_norm=spectral_norm)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    inputs = [LABELS, images(28)]
    for expected, received in zip(model(inputs), loaded(inputs), strict=True):
        np.testing.assert_array_equal(np.asarray(expected), np.asarray(received))


@pytest.mark.parametrize("policy", first_quick(["mixed_bfloat16", "mixed_float16"]))
@pytest.mark.parametrize("name", NOISE_GENERATORS)
def test_networks_compute_in_mixed_precision_and_end_in_float32(name, policy):
    keras.config.set_dtype_policy(policy)
    models = [
        NOISE_GENERATORS[name](size_px=28, latent_dim=16, width=8, classes=CLASSES),
        *(
            IMAGE_DISCRIMINATORS[name](size_px=28, width=8, classes=CLASSES, codes=2, spectral_norm=spectral_norm)
            for spectral_norm in (False, True)
        ),
    ]
    keras.config.set_dtype_policy("float32")
    labels = tf.constant(LABELS)
    fakes = models[0]([LATENTS, LABELS], training=True)
    outputs = [fakes, *(output for model in models[1:] for output in model([labels, fakes], training=True))]
    for output in outputs:
        assert output.dtype == tf.float32
        assert np.isfinite(output).all()
    for model in models:
        assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
        inner = model._flatten_layers(include_self=False)
        weighted = [layer for layer in inner if isinstance(layer, keras.layers.Dense | keras.layers.Conv2D)]
        assert {layer.compute_dtype for layer in weighted} == {policy.removeprefix("mixed_")}


def gradient_penalty_gradients(model, images, labels=None):
    """The gradients of the squared gradient norm of the logits, as in R1."""
    images = tf.constant(images)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(images)
            logits = tf.reduce_sum(model(images if labels is None else [tf.constant(labels), images], training=True))
        penalty = tf.reduce_sum(tf.square(inner.gradient(logits, images)))
    return float(penalty), outer.gradient(penalty, model.trainable_variables)


@pytest.mark.parametrize("spectral_norm", first_quick([False, True]))
@pytest.mark.parametrize("classes", [0, CLASSES])
@pytest.mark.parametrize("name", IMAGE_DISCRIMINATORS)
def test_discriminator_can_be_differentiated_twice(name, classes, spectral_norm):
    model = discriminator(name, size_px=28, classes=classes, spectral_norm=spectral_norm)
    penalty, gradients = gradient_penalty_gradients(model, images(28), LABELS if classes else None)
    assert penalty > 0
    assert np.isfinite(penalty)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        if gradient is not None:
            assert np.isfinite(gradient).all(), variable.path
        if variable.name == "kernel" and not (name == "mlp" and "class_embedding" in variable.path):
            assert np.any(gradient), variable.path


@pytest.mark.parametrize("name", IMAGE_DISCRIMINATORS)
def test_gradient_of_the_penalty_is_right(name):
    """The penalty is quadratic in the last kernel, whose product with the gradient is then twice the penalty."""
    model = discriminator(name)
    penalty, gradients = gradient_penalty_gradients(model, images())
    position = [variable.path for variable in model.trainable_variables].index("to_logits/kernel")
    kernel, gradient = np.asarray(model.trainable_variables[position]), np.asarray(gradients[position])
    assert np.sum(kernel * gradient) == pytest.approx(2 * penalty, rel=1e-3)


def ungraded(model, inputs):
    """Names of the trainable variables that no output depends on; afterwards makes one step of descent."""
    with tf.GradientTape() as tape:
        outputs = tf.nest.flatten(model(inputs, training=True))
        weights = [np.random.default_rng(0).standard_normal(output.shape) for output in outputs]
        score = sum(tf.reduce_sum(output * weight) for output, weight in zip(outputs, weights, strict=True))
    gradients = tape.gradient(score, model.trainable_variables)
    names = [v.path for v, g in zip(model.trainable_variables, gradients, strict=True) if g is None or not np.any(g)]
    keras.optimizers.SGD(1e-3).apply(
        [g for g in gradients if g is not None],
        [v for v, g in zip(model.trainable_variables, gradients, strict=True) if g is not None],
    )
    return names


@pytest.mark.parametrize("name", NOISE_GENERATORS)
def test_every_weight_learns_from_the_second_step_on(name):
    """In the first step, weights before a layer that starts at zero have no gradient yet."""
    fresh = NOISE_GENERATORS[name](size_px=28, latent_dim=16, width=8, classes=CLASSES)
    ungraded(fresh, [LATENTS, LABELS])
    assert ungraded(fresh, [LATENTS, LABELS]) == []
    for spectral_norm in (False, True):
        fresh = IMAGE_DISCRIMINATORS[name](size_px=28, width=8, classes=CLASSES, codes=2, spectral_norm=spectral_norm)
        ungraded(fresh, [LABELS, images(28)])
        assert ungraded(fresh, [LABELS, images(28)]) == []


@pytest.mark.parametrize("name", IMAGE_DISCRIMINATORS)
def test_spectral_norm_bounds_each_kernel_without_rounding_it(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = IMAGE_DISCRIMINATORS[name](size_px=32, width=8, classes=CLASSES, codes=2, spectral_norm=True)
    keras.config.set_dtype_policy("float32")
    step = tf.function(lambda: model([LABELS, images()], training=True))
    for _ in range(30):
        step()
    wrapped = [layer.layer.kernel for layer in model.layers if isinstance(layer, keras.layers.SpectralNormalization)]
    assert len(wrapped) == sum(variable.name == "kernel" for variable in model.trainable_variables)
    for kernel in map(np.asarray, wrapped):
        norm = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
        assert norm == pytest.approx(1.0, abs=0.1)
        # Keras' layer in bfloat16 would write the kernel back with 8 bits.
        assert not np.array_equal(kernel, np.asarray(tf.cast(tf.cast(kernel, "bfloat16"), "float32")))


@pytest.mark.parametrize("normalization", ["none", "instance", "batch"])
def test_dcgan_discriminator_offers_each_normalization(normalization):
    model = IMAGE_DISCRIMINATORS["dcgan"](size_px=32, width=8, normalization=normalization)
    kinds = [type(layer).__name__ for layer in model.layers if "Normalization" in type(layer).__name__]
    expected = {"none": [], "instance": ["InstanceNormalization"] * 2, "batch": ["BatchNormalization"] * 2}
    assert kinds == expected[normalization]


def test_r3gan_offers_the_grouped_inverted_bottleneck_of_the_paper():
    model = NOISE_GENERATORS["r3gan"](size_px=32, width=16, max_width=32, expansion=2, group_width=16, blocks=2)
    grouped = [
        layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (3, 3)
    ]
    assert [tuple(layer.kernel.shape) for layer in grouped] == [(3, 3, 16, 64)] * 6 + [(3, 3, 16, 32)] * 2
    with pytest.raises(ValueError, match="multiple of `group_width`"):
        NOISE_GENERATORS["r3gan"](size_px=32, width=20, expansion=2, group_width=16)


@pytest.mark.parametrize("table", [NOISE_GENERATORS, IMAGE_DISCRIMINATORS], ids=["generators", "discriminators"])
def test_size_must_be_positive(table):
    for build in table.values():
        with pytest.raises(ValueError, match="size_px"):
            build(size_px=0)
