"""StyleGAN2 from training to exports: exact resume with all its state, truncation, mixing, and path lengths."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_images import TINY_GENERATE, write_class_folders

from tfgan_app import config as configs
from tfgan_app.commands.building import build_trainer
from tfgan_app.export import export_model
from tfgan_app.inference.loading import load_predictor, predictor_of
from tfgan_app.layers import set_truncation, truncation_of
from tfgan_app.networks.stylegan2 import build_stylegan2_generator, style_networks
from tfgan_app.tasks.generate.config import GenerateConfig
from tfgan_app.tasks.generate.styles import draw_mixed
from tfgan_app.tasks.generate.task import GenerateTask
from tfgan_app.training.checkpoints import Checkpoints, state_variables
from tfgan_app.training.path_length import MEAN

SETTINGS = {
    "training.steps": 8,
    "task.architecture": "stylegan2",
    "task.generator_width": 4,
    "task.discriminator_width": 4,
    "task.r1_weight": 0.1,
    "task.penalty_every_steps": 2,
    "task.path_length_weight": 2.0,
    "task.path_length_every_steps": 2,
    "task.conditional": True,
}
SEEDS = list(range(6))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("data"))


def build(data, **settings):
    values = {**TINY_GENERATE, "data.source": str(data), **SETTINGS, **settings}
    config = configs.replace_values(configs.default_config("generate", GenerateConfig), values)
    task = GenerateTask(config, report=lambda line: None)
    return task, build_trainer(task, config, strategy=tf.distribute.get_strategy())


def train(task, trainer, steps):
    dataset = task.build_dataset(start_step=int(trainer.step.numpy()), seed=0)
    return trainer.fit(dataset, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0).history


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A run of four steps, with a checkpoint after three, between two path-length steps."""
    task, trainer = build(data)
    folder = tmp_path_factory.mktemp("checkpoints")
    history = train(task, trainer, 3)
    Checkpoints(folder).save(trainer)
    train(task, trainer, 2)
    return task, trainer, folder, history


@pytest.mark.large
def test_resumed_training_is_the_same_bit_for_bit(data, trained):
    _, trainer, folder, history = trained
    assert history["nonfinite"] == [0.0]
    assert history["path_length_penalty"][0] > 0 and history[MEAN][0] > 0
    task, resumed = build(data)
    Checkpoints(folder).restore(resumed, on_damaged=pytest.fail)
    assert any(MEAN in variable.path and float(variable) > 0 for variable in resumed.state_variables)
    train(task, resumed, 2)
    expected, received = (
        {name: np.asarray(v.value) for name, v in state_variables(each).items()} for each in (trainer, resumed)
    )
    for key, value in expected.items():
        np.testing.assert_array_equal(value, received[key], err_msg=key)


@pytest.mark.large
def test_mean_of_w_is_tracked_and_averaged(trained):
    _, trainer, _, _ = trained
    for networks in (trainer.networks, trainer.averaged):
        truncation = style_networks(networks.generators["generator"]).truncation
        assert np.abs(np.asarray(truncation.mean)).max() > 0
        assert float(truncation.psi) == 1.0


@pytest.mark.large
def test_exports_draw_the_same_truncated_images(trained, tmp_path):
    task, trainer, _, _ = trained
    model = task.inference_model(trainer.averaged)
    labels = [0, 1] * 3
    sampler = predictor_of(model, "model.keras")
    full, half = sampler(SEEDS, labels), sampler(SEEDS, labels, truncation=0.5)
    assert not np.array_equal(full, half)
    np.testing.assert_array_equal(sampler(SEEDS, labels), full)
    for format, psi, expected in (("saved_model", 1.0, full), ("tflite", 0.5, half)):
        set_truncation(model, psi)
        result = export_model(model, format=format, output_dir=tmp_path, name=f"x_{format}")
        assert result.parity.max_error < 1e-4
        exported = load_predictor(result.path)
        assert exported.info.style_truncation == psi
        np.testing.assert_allclose(exported(SEEDS, labels).astype(int), expected.astype(int), atol=1)
        with pytest.raises(ValueError, match="export with `--truncation 0.2`"):
            exported(SEEDS, labels, truncation=0.2)


@pytest.fixture
def generator():
    keras.utils.set_random_seed(0)
    model = build_stylegan2_generator(size_px=32, channels=1, latent_dim=8, width=4, mixing=1.0)
    for _ in range(3):  # The mean of w is that of latents seen in training.
        model(tf.random.stateless_normal([64, 8], [0, 0]), training=True)
    return model


LATENTS = np.random.default_rng(1).standard_normal((12, 8)).astype(np.float32)


def test_truncation_moves_images_to_that_of_the_mean(generator):
    parts = style_networks(generator)
    mean_image = parts.images(tf.convert_to_tensor(parts.truncation.mean)[None])
    distances = []
    for psi in (1.0, 0.5, 0.0):
        set_truncation(generator, psi)
        assert truncation_of(generator) == psi
        distances.append(float(tf.reduce_mean(tf.abs(generator(LATENTS) - mean_image))))
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(ValueError, match="`psi` of at least 0"):
        set_truncation(generator, -0.5)


def test_w_and_images_of_it_are_those_of_the_generator(generator):
    parts = style_networks(generator)
    np.testing.assert_allclose(parts.images(parts.w(LATENTS)), generator(LATENTS), atol=1e-5)
    assert style_networks(keras.Sequential([keras.layers.Dense(1)])) is None


def test_noise_is_one_image_in_inference_and_fresh_in_training(generator):
    for layer in style_networks(generator).synthesis.layers:
        if layer.name.startswith("noise_"):
            layer.strength.assign(1.0)
    np.testing.assert_array_equal(generator(LATENTS), generator(LATENTS))
    first, second = (generator(LATENTS, training=True) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_mixed_styles_are_the_first_up_to_a_layer_and_then_the_second(generator):
    mixing = style_networks(generator).mixing
    first, second = tf.zeros([200, 8]), tf.ones([200, 8])
    share = np.asarray(mixing(first, second, training=True))[:, :, 0]
    assert set(np.unique(share)) == {0.0, 1.0}
    assert (np.diff(share, axis=1) >= 0).all()
    assert not share[:, 0].any() and share[:, -1].all()
    assert len(np.unique(share.sum(axis=1))) == mixing.count - 1
    np.testing.assert_array_equal(mixing(first, second, training=False), np.zeros([200, mixing.count, 8]))
    assert draw_mixed(generator, tf.constant(LATENTS), None).shape == (12, 32, 32, 1)


def test_path_lengths_need_styles(data):
    with pytest.raises(ValueError, match=r"`task.path_length_weight` needs a generator with styles"):
        build(data, **{"task.architecture": "dcgan", "task.conditional": False})
