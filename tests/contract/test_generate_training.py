"""Every architecture, loss, penalty and augmentation of `generate` builds, trains, saves, resumes and exports."""

import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from small_images import TINY_GENERATE, write_class_folders

from tfgan_app import config as configs
from tfgan_app.augmentation import DISCRIMINATOR_AUGMENTATIONS
from tfgan_app.commands.building import build_trainer
from tfgan_app.export import export_model
from tfgan_app.losses import ADVERSARIAL_LOSSES, GRADIENT_PENALTIES
from tfgan_app.networks import IMAGE_DISCRIMINATORS, NOISE_GENERATORS
from tfgan_app.tasks.generate.config import GenerateConfig
from tfgan_app.tasks.generate.sampling import draw_latents, sample
from tfgan_app.tasks.generate.task import GenerateTask
from tfgan_app.training.checkpoints import Checkpoints, state_variables

SMALL_WIDTH = {"mlp": 16, "dcgan": 4, "resnet": 4, "r3gan": 8, "stylegan2": 8, "biggan": 8}
ALL_PENALTIES = {f"task.{name}_weight": 0.1 for name in GRADIENT_PENALTIES}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    gray = write_class_folders(tmp_path_factory.mktemp("gray"))
    color = write_class_folders(tmp_path_factory.mktemp("color"), colors=True)
    return {1: gray, 3: color}


def build(data, **settings):
    values = {**TINY_GENERATE, "data.source": str(data), "training.steps": 8, **settings}
    config = configs.replace_values(configs.default_config("generate", GenerateConfig), values)
    task = GenerateTask(config, report=lambda line: None)
    return task, build_trainer(task, config, strategy=tf.distribute.get_strategy())


def train(task, trainer, steps=2):
    start = int(trainer.step.numpy())
    dataset = task.build_dataset(start_step=start, seed=0)
    return trainer.fit(dataset, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0).history


def state(trainer):
    return {name: np.asarray(v.value) for name, v in state_variables(trainer).items()}


def architecture(name):
    return {
        "task.architecture": name,
        "task.generator_width": SMALL_WIDTH[name],
        "task.discriminator_width": SMALL_WIDTH[name],
    }


@pytest.mark.parametrize(
    ("precision", "conditional"), first_quick([("float32", False), ("mixed_bfloat16", True), ("mixed_float16", False)])
)
@pytest.mark.parametrize("name", first_quick(NOISE_GENERATORS))
def test_architecture_trains_resumes_and_exports(folders, tmp_path, name, precision, conditional):
    settings = {
        **architecture(name),
        "training.precision": precision,
        "task.conditional": conditional,
        "task.r1_weight": 0.1,
    }
    task, trainer = build(folders[3 if conditional else 1], **settings)
    assert train(task, trainer)["nonfinite"] == [0.0]
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(trainer)
    again, resumed = build(folders[3 if conditional else 1], **settings)
    checkpoints.restore(resumed, on_damaged=pytest.fail)
    for each_task, each in ((task, trainer), (again, resumed)):
        train(each_task, each)
    for key, value in state(trainer).items():
        np.testing.assert_array_equal(value, state(resumed)[key], err_msg=key)
    model = task.inference_model(trainer.averaged)
    labels = np.array([0, 1], np.int32) if conditional else None
    images = sample(model, draw_latents(model, 2), labels)
    assert images.shape == (2, 16, 16, 3 if conditional else 1)
    assert export_model(model, format="saved_model", output_dir=tmp_path / "out", name="x").parity.max_error < 1e-4


def test_both_tables_have_the_same_rows():
    assert NOISE_GENERATORS.keys() == IMAGE_DISCRIMINATORS.keys() == SMALL_WIDTH.keys()


@pytest.mark.parametrize("generator", first_quick(NOISE_GENERATORS))
def test_networks_of_different_families_train_together(folders, generator):
    other = "r3gan" if generator != "r3gan" else "dcgan"
    settings = {
        **architecture(generator),
        "task.discriminator": other,
        "task.discriminator_width": SMALL_WIDTH[other],
    }
    assert train(*build(folders[1], **settings))["nonfinite"] == [0.0]


LOSSES_AND_FAMILIES = [("mlp", loss) for loss in ADVERSARIAL_LOSSES] + [
    (name, "relativistic") for name in NOISE_GENERATORS if name != "mlp"
]


@pytest.mark.parametrize(("name", "loss"), first_quick(LOSSES_AND_FAMILIES))
def test_every_loss_trains_with_all_penalties_and_spectral_norm(folders, name, loss):
    settings = {
        **architecture(name),
        **ALL_PENALTIES,
        "task.adversarial_loss": loss,
        "task.penalty_every_steps": 2,
        "task.spectral_norm": True,
        "training.discriminator_steps": 2,
    }
    history = train(*build(folders[1], **settings))
    assert history["nonfinite"] == [0.0]
    assert history["penalty"][0] > 0


@pytest.mark.parametrize("augmentation", first_quick(DISCRIMINATOR_AUGMENTATIONS))
@pytest.mark.parametrize(("channels", "transformed"), first_quick([(1, 0.0), (3, 1.0)]))
def test_every_augmentation_trains_with_a_penalty_through_it(folders, channels, transformed, augmentation):
    settings = {
        **architecture("dcgan"),
        "task.augmentation": augmentation,
        "task.augment_probability": 0.9,
        "task.transformed_real_weight": transformed,
        "task.r1_weight": 0.1,
    }
    history = train(*build(folders[channels], **settings))
    assert history["nonfinite"] == [0.0]
    assert history["penalty"][0] > 0


@pytest.mark.parametrize(
    ("name", "conditional"),
    first_quick([("mlp", True), *((name, False) for name in NOISE_GENERATORS if name != "mlp")]),
)
def test_infogan_trains_its_head(folders, name, conditional):
    settings = {
        **architecture(name),
        "task.categorical_codes": 3,
        "task.continuous_codes": 2,
        "task.conditional": conditional,
    }
    task, trainer = build(folders[1], **settings)
    history = train(task, trainer)
    assert history["nonfinite"] == [0.0]
    assert np.isfinite(history["code_loss"][0])
    head = trainer.networks.discriminators["discriminator"].outputs[1]
    assert head.shape == (None, 3 + 2)
