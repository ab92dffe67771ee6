"""Every architecture of `generate` takes captions: trains, resumes, saves, and exports with its tokenizer."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from small_images import CAPTIONED, TINY_GENERATE, write_captioned

from tfgan_app import config as configs
from tfgan_app.commands.building import build_trainer
from tfgan_app.export import export_model
from tfgan_app.inference import load_predictor
from tfgan_app.losses import ADVERSARIAL_LOSSES
from tfgan_app.networks import IMAGE_DISCRIMINATORS, NOISE_GENERATORS
from tfgan_app.tasks.generate.config import GenerateConfig
from tfgan_app.tasks.generate.task import GenerateTask
from tfgan_app.training.checkpoints import Checkpoints, state_variables
from tfgan_app.training.discriminator_loss import mismatched

WIDTH = {"mlp": 16, "dcgan": 4, "resnet": 4, "r3gan": 8}
PROMPTS = ["a red box", "a blue bar"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_captioned(tmp_path_factory.mktemp("captions"))


def build(data, **settings):
    values = {**TINY_GENERATE, **CAPTIONED, "data.source": str(data), "training.steps": 8, **settings}
    config = configs.replace_values(configs.default_config("generate", GenerateConfig), values)
    task = GenerateTask(config, report=lambda line: None)
    return task, build_trainer(task, config, strategy=tf.distribute.get_strategy())


def train(task, trainer, steps=2):
    dataset = task.build_dataset(start_step=int(trainer.step.numpy()), seed=0)
    return trainer.fit(dataset, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0).history


WITHOUT_TEXT = ("stylegan2",)
"""Their labels pass through a mapping network."""

ARCHITECTURES = [each for each in NOISE_GENERATORS if each in IMAGE_DISCRIMINATORS and each not in WITHOUT_TEXT]


@pytest.mark.parametrize("name", WITHOUT_TEXT)
def test_an_architecture_without_text_is_refused_by_one_line(folder, name):
    with pytest.raises(ValueError, match=r"one `OneHot` layer. 'generator' has 0: set another `task.architecture`"):
        build(folder, **{"task.architecture": name})


@pytest.mark.parametrize("name", first_quick(ARCHITECTURES))
def test_architecture_trains_resumes_and_exports(folder, tmp_path, name):
    settings = {
        "task.architecture": name,
        "task.generator_width": WIDTH.get(name, 8),
        "task.discriminator_width": WIDTH.get(name, 8),
        "task.r1_weight": 0.1,
    }
    task, trainer = build(folder, **settings)
    history = train(task, trainer)
    assert history["nonfinite"] == [0.0] and np.isfinite(history["mismatched_logits"][0])
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(trainer)
    again, resumed = build(folder, **settings)
    checkpoints.restore(resumed, on_damaged=pytest.fail)
    for each_task, each in ((task, trainer), (again, resumed)):
        train(each_task, each)
    expected = {key: np.asarray(v.value) for key, v in state_variables(trainer).items()}
    for key, variable in state_variables(resumed).items():
        np.testing.assert_array_equal(np.asarray(variable.value), expected[key], err_msg=key)
    model = task.inference_model(trainer.averaged)
    model.save(tmp_path / "text.keras")
    images = load_predictor(tmp_path / "text.keras").with_prompts(PROMPTS)([3, 3], [0, 1])
    assert images.shape == (2, 16, 16, 3)
    path = export_model(model, format="saved_model", output_dir=tmp_path / "out", name="text").path
    exported = load_predictor(path).with_prompts(PROMPTS)([3, 3], [0, 1])
    np.testing.assert_allclose(exported.astype(int), images.astype(int), atol=1)


@pytest.mark.large
@pytest.mark.parametrize("quantize", ["none", "float16", "dynamic"])
def test_a_file_for_phones_takes_token_ids(folder, tmp_path, quantize):
    task, trainer = build(folder, **{"task.architecture": "dcgan", "task.generator_width": 8, "training.steps": 60})
    train(task, trainer, steps=60)  # At the start the text hardly changes the image, and integers lose it.
    model = task.inference_model(trainer.averaged)
    path = export_model(model, format="tflite", output_dir=tmp_path, name="text", quantize=quantize).path
    sampler = load_predictor(path)
    assert sampler.info.prompt_tokens == 6
    model.save(tmp_path / "text.keras")
    expected = load_predictor(tmp_path / "text.keras").with_prompts(PROMPTS)([3, 3], [0, 1])
    limit = {"none": 1, "float16": 3, "dynamic": 12}[quantize]
    drawn = sampler.with_prompts(PROMPTS)([3, 3], [0, 1])
    np.testing.assert_allclose(drawn.astype(int), expected.astype(int), atol=limit)


def test_the_text_changes_the_image_and_its_gradient_reaches_the_encoders(folder):
    task, trainer = build(folder, **{"task.architecture": "mlp"})
    before = [np.asarray(v.value) for v in trainer.networks.generators["generator"].get_layer("text_encoder").weights]
    other = [
        np.asarray(v.value) for v in trainer.networks.discriminators["discriminator"].get_layer("text_encoder").weights
    ]
    train(task, trainer)
    for side, name, old in (("generators", "generator", before), ("discriminators", "discriminator", other)):
        now = getattr(trainer.networks, side)[name].get_layer("text_encoder").weights
        changed = [bool((np.asarray(v.value) != w).any()) for v, w in zip(now, old, strict=True)]
        assert all(changed), (side, changed)
    model = task.inference_model(trainer.averaged)
    latents = tf.random.stateless_normal([1, 8], [1, 2])
    texts = tf.constant(task.data.tokens[:2])
    drawn = [np.asarray(model([latents, texts[index : index + 1]], training=False)) for index in (0, 1)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-3


@pytest.mark.parametrize("loss", first_quick([each for each in ADVERSARIAL_LOSSES if each != "wasserstein"]))
def test_losses_take_the_mismatched_term(folder, loss):
    task, trainer = build(folder, **{"task.adversarial_loss": loss, "task.mismatch_weight": 2.0})
    history = train(task, trainer)
    assert np.isfinite(history["discriminator_loss"]).all()


def test_each_image_gets_the_next_different_text():
    texts = tf.constant([[1, 0], [1, 0], [2, 0], [3, 0], [3, 0]])
    np.testing.assert_array_equal(mismatched(texts)[:, 0], [2, 2, 3, 1, 1])
    np.testing.assert_array_equal(mismatched(texts[:2]), texts[:2])


def test_the_serving_signature_takes_text(folder, tmp_path):
    task, trainer = build(folder)
    model = task.inference_model(trainer.averaged)
    path = export_model(model, format="saved_model", output_dir=tmp_path, name="text").path
    served = tf.saved_model.load(str(path)).signatures
    files = served["serving_default"](seeds=tf.constant([3, 3], tf.int64), prompts=tf.constant(PROMPTS))["output_bytes"]
    images = np.stack([tf.io.decode_png(each).numpy() for each in files])
    model.save(tmp_path / "text.keras")
    expected = load_predictor(tmp_path / "text.keras").with_prompts(PROMPTS)([3, 3], [0, 1])
    np.testing.assert_allclose(images.astype(int), expected.astype(int), atol=1)
    np.testing.assert_array_equal(
        served["tokenize"](prompts=tf.constant(list(task.data.captions)))["tokens"], task.data.tokens
    )


def test_two_conditions_are_refused(folder):
    with pytest.raises(ValueError, match=r"`task.captions` and `task.conditional` are two conditions"):
        build(folder, **{"task.conditional": True})
