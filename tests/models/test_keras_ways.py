"""Keras usage: optimizers by name, callbacks, data of any kind, precision, users' own networks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_models import BUILDERS, SIZE_PX, images, tiny_discriminator, tiny_generator, tiny_pix2pix

from tfgan_app import models
from tfgan_app.callbacks import ImageGrid
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.losses import ADVERSARIAL_LOSSES, AdversarialLoss

X, Y = images(8), images(8, seed=1)


def fit(gan, *data, **options):
    """Losses of a short training, without a compiled graph."""
    if not gan.compiled:
        gan.compile("adam", "adam", run_eagerly=True)
    return gan.fit(*(data or (X, Y)), **{"batch_size": 4, "verbose": 0, **options}).history


def all_finite(history):
    """Whether all is; a gradient that float16 cannot hold is left out by the loss scale, and no fault."""
    return all(np.isfinite(values).all() for name, values in history.items() if "gradient_norm" not in name)


OPTIMIZERS = {
    "names": lambda: ("adam", "rmsprop"),
    "instances": lambda: (keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.SGD(1e-3, momentum=0.9)),
    "configurations": lambda: ({"class_name": "Adam", "config": {"learning_rate": 1e-3}}, "sgd"),
    "a schedule": lambda: (keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 10)), "adam"),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_train_both_networks(name):
    gan = tiny_pix2pix()
    before = [model.trainable_variables[0].numpy() for model in (gan.generator, gan.discriminator)]
    gan.compile(*OPTIMIZERS[name](), run_eagerly=True)
    assert all_finite(fit(gan))
    after = [model.trainable_variables[0].numpy() for model in (gan.generator, gan.discriminator)]
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_data_as_arrays_data_sets_and_dictionaries_is_the_same():
    pairs = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    named = pairs.map(lambda x, y: {"input": x, "target": y})
    found = []
    for data in ((X, Y), (pairs,), (named,)):
        keras.utils.set_random_seed(0)
        found.append(fit(tiny_pix2pix(), *data, shuffle=False))
    for history in found[1:]:
        for name, values in found[0].items():
            assert history[name] == pytest.approx(values, rel=1e-4, abs=1e-5), name


def test_the_last_batch_may_be_smaller_and_images_of_any_size():
    gan = tiny_pix2pix()
    assert all_finite(fit(gan, X[:5], Y[:5], batch_size=4))
    assert all_finite(fit(gan, images(2, size_px=17), images(2, size_px=17)))
    assert gan.predict(images(1, size_px=31), verbose=0).shape == (1, 31, 31, 3)


def test_callbacks_of_keras_stop_keep_the_best_and_log(tmp_path):
    gan = tiny_pix2pix()
    gan.compile("adam", "adam")
    stop = keras.callbacks.EarlyStopping(monitor="val_l1", patience=0, min_delta=10.0, mode="min")
    keep = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="val_psnr", mode="max", save_best_only=True, verbose=0
    )
    board = keras.callbacks.TensorBoard(tmp_path / "logs", histogram_freq=1)
    rows = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = fit(gan, validation_data=(X, Y), epochs=5, callbacks=[stop, keep, board, rows])
    assert len(history["val_l1"]) == 2
    best = keras.models.load_model(tmp_path / "best.keras")
    assert best.evaluate(X, Y, verbose=0, return_dict=True)["psnr"] == pytest.approx(max(history["val_psnr"]), rel=1e-4)
    assert {path.parent.name for path in (tmp_path / "logs").rglob("events*")} == {"train", "validation"}
    assert "val_psnr" in (tmp_path / "log.csv").read_text().splitlines()[0]


def test_weights_alone_are_saved_and_loaded(tmp_path):
    gan, other = tiny_pix2pix(), tiny_pix2pix()
    fit(gan)
    gan.save_weights(tmp_path / "x.weights.h5")
    other.compile("adam", "adam")
    other.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(other.predict(X, verbose=0), gan.predict(X, verbose=0))


def test_summary_names_the_networks():
    lines = []
    BUILDERS["gan"]().summary(print_fn=lines.append)
    assert all(name in "\n".join(lines) for name in ("generator", "discriminator"))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("given", ["keyword", "policy"])
def test_mixed_precision_trains_and_predicts_in_float32(precision, given, tmp_path):
    if given == "policy":
        keras.config.set_dtype_policy(precision)
    gan = models.Pix2Pix(
        generator_width=4,
        generator_depth=1,
        discriminator="patchgan_16",
        discriminator_width=4,
        dtype=precision if given == "keyword" else None,
    )
    gan.compile("adam", "adam", run_eagerly=True)
    keras.config.set_dtype_policy("float32")
    wrapped = [
        isinstance(each, keras.optimizers.LossScaleOptimizer)
        for each in (gan.generator_optimizer, gan.discriminator_optimizer)
    ]
    assert wrapped == [precision == "mixed_float16"] * 2
    assert {layer.compute_dtype for layer in gan.generator.layers} >= {precision.removeprefix("mixed_")}
    assert {layer.compute_dtype for layer in gan.averaged_generator.layers} == {"float32"}
    assert all_finite(fit(gan, validation_data=(X, Y)))
    outputs = gan.predict(X, verbose=0)
    assert outputs.dtype == np.float32
    gan.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert loaded.dtype_policy.name == precision
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), outputs)


@pytest.mark.large
def test_two_mirrored_devices_train_evaluate_and_save(tmp_path):
    program = """
import sys
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from tiny_models import images, tiny_generator, tiny_discriminator
from tfgan_app import models
image_discriminator = lambda: keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 4, 2)])
with strategy.scope():
    gans = [
        models.Pix2Pix(generator=tiny_generator, discriminator=tiny_discriminator),
        models.CycleGAN(generator=tiny_generator, discriminator=image_discriminator, image_size=24, pool_size=3),
    ]
    for gan in gans:
        gan.compile("adam", "adam")
x, y = images(8), images(8, seed=1)
y[4:] = x[4:]
for gan in gans:
    history = gan.fit(x, y, batch_size=4, validation_data=(x, y), verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values()), history
gan = gans[0]
outputs = gan.predict(x, verbose=0, batch_size=4)
l1 = np.abs(outputs - y).mean() / 2
found = gan.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)["l1"]
assert abs(found - l1) < 1e-5, (found, l1)  # Of all replicas, not of the first.
gan.save(sys.argv[1])
assert np.abs(keras.models.load_model(sys.argv[1]).predict(x, verbose=0) - outputs).max() < 1e-5
"""
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root / "tests" / "support"), str(root)])
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "x.keras")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_network_of_ones_own_by_module_and_function(tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text(
        "import keras\n"
        "def build():\n"
        "    image = keras.Input((None, None, 3))\n"
        "    return keras.Model(image, keras.layers.Conv2D(3, 1, name='mine')(image))\n"
    )
    monkeypatch.chdir(tmp_path)
    gan = tiny_pix2pix(generator="my_networks:build")
    assert gan.generator.get_layer("mine") and gan.averaged_generator is not gan.generator
    assert all_finite(fit(gan))
    gan.save("x.keras")
    loaded = keras.models.load_model("x.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), gan.predict(X, verbose=0))


@pytest.mark.parametrize("kind", ["model", "callable"])
def test_networks_of_ones_own_are_saved_with_the_model(kind, tmp_path):
    own = {"generator": tiny_generator, "discriminator": tiny_discriminator}
    gan = models.Pix2Pix(**{name: build() if kind == "model" else build for name, build in own.items()})
    np.testing.assert_array_equal(gan.generator.get_weights()[0], gan.averaged_generator.get_weights()[0])
    assert all_finite(fit(gan))
    gan.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), gan.predict(X, verbose=0))
    np.testing.assert_array_equal(loaded.discriminator.get_weights()[0], gan.discriminator.get_weights()[0])
    assert all_finite(fit(loaded))


def test_the_two_generators_of_a_cycle_are_two_even_of_one_model():
    image_discriminator = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 4, 2)])
    gan = models.CycleGAN(generator=tiny_generator(), discriminator=image_discriminator, pool_size=0)
    assert not np.array_equal(gan.generator.get_weights()[0], gan.inverse.get_weights()[0])
    assert gan.discriminator is not gan.inverse_discriminator
    assert all_finite(fit(gan))


def test_cut_compares_patches_of_named_layers_of_a_generator_of_ones_own():
    image_discriminator = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 4, 2)])
    gan = models.CUT(generator=tiny_generator, discriminator=image_discriminator, nce_layers=("hidden",), nce_patches=4)
    assert all_finite(fit(gan))


def test_losses_of_ones_own(tmp_path):
    plain = ADVERSARIAL_LOSSES["least_squares"]
    scaled = AdversarialLoss(lambda fake, real=None: 7.0 * plain.generator(fake), plain.discriminator)
    found = []
    for loss in (plain, scaled):
        keras.utils.set_random_seed(0)
        found.append(fit(tiny_pix2pix(adversarial_loss=loss), epochs=1, batch_size=8)["adversarial"][0])
    assert found[1] == pytest.approx(7.0 * found[0], rel=1e-3)

    def squared(target, output):
        return keras.ops.mean(keras.ops.square(target - output))

    gan = models.SuperResolution(scale=2, generator=lambda: tiny_upscaler(), pixel_loss=squared)
    history = fit(gan, images(4, size_px=32), validation_data=images(4, size_px=32))
    assert {"squared", "val_squared"} <= set(history) and all_finite(history)
    with pytest.raises(ValueError, match="`pixel_loss` must be saved by name"):
        gan.save(tmp_path / "x.keras")


def tiny_upscaler():
    image = keras.Input((None, None, 3))
    return keras.Model(image, keras.layers.Conv2DTranspose(3, 4, 2, padding="same")(image))


@pytest.mark.parametrize("augmentation", ["diffaugment", "ada"])
def test_the_discriminator_of_a_gan_sees_augmented_images(augmentation):
    gan = models.GAN(
        image_size=16, generator="mlp", generator_width=8, discriminator_width=8, augmentation=augmentation
    )
    history = fit(gan, images(8, size_px=16), epochs=2)
    assert all_finite(history)
    assert ("augment_probability" in history) == (augmentation == "ada")


def test_several_discriminator_steps_share_a_batch():
    gan = tiny_pix2pix(discriminator_steps=2)
    assert all_finite(fit(gan))
    assert int(gan.discriminator_optimizer.iterations.numpy()) == 2 * int(gan.step.numpy()) == 4


def test_generated_images_belong_to_their_seeds():
    gan = models.GAN(image_size=16, channels=1, classes=3, generator="mlp", generator_width=8, latent_dim=8)
    several = gan.generate(3, seed=5, labels=[0, 1, 2])
    assert several.shape == (3, 16, 16, 1) and several.dtype == np.float32
    np.testing.assert_allclose(gan.generate(1, seed=6, labels=1)[0], several[1], atol=1e-5)
    assert np.abs(several[0] - several[1]).max() > 0


def test_grids_are_written_each_epoch_or_some_steps(tmp_path):
    gan = tiny_pix2pix()
    callbacks = [
        ImageGrid((X[:2], Y[:2]), tmp_path / "pairs"),
        ImageGrid(X[:3], tmp_path / "inputs", every=3),
    ]
    fit(gan, epochs=2, callbacks=callbacks)
    assert [path.name for path in sorted((tmp_path / "pairs").iterdir())] == ["epoch-0001.png", "epoch-0002.png"]
    assert [path.name for path in (tmp_path / "inputs").iterdir()] == ["step-0000003.png"]
    grid = read_rgb(tmp_path / "pairs" / "epoch-0002.png")
    assert grid.shape[1] == 3 * SIZE_PX + 4 * 2
    expected = np.rint(gan.predict(X[1:2], verbose=0)[0] * 127.5 + 127.5)
    assert np.abs(grid[-SIZE_PX - 2 : -2, SIZE_PX + 4 : 2 * SIZE_PX + 4].astype(float) - expected).max() <= 1


def test_keywords_have_the_defaults_and_names_of_the_configuration():
    from inspect import signature

    from tfgan_app.tasks.translate.config import PairedConfig

    parameters = signature(models.Pix2Pix).parameters
    assert parameters["l1_weight"].default == PairedConfig.l1_weight
    assert json.dumps(models.Pix2Pix(generator_width=4, generator_depth=1).get_config())


def test_importing_the_package_loads_no_tensorflow():
    program = "import sys, tfgan_app.models; assert 'Pix2Pix' in dir(tfgan_app.models); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
