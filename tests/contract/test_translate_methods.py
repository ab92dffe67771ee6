"""Every unpaired method of `translate` builds, trains, resumes bit for bit, saves, reloads and exports."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from small_unpaired import TINY_UNPAIRED, write_unpaired

from tfgan_app import config as configs
from tfgan_app.commands.building import build_trainer
from tfgan_app.export import export_model
from tfgan_app.inference import load_keras_model
from tfgan_app.tasks.translate import METHODS, TRANSLATE
from tfgan_app.tasks.translate.config import UNPAIRED
from tfgan_app.training.checkpoints import Checkpoints, state_variables

OTHERS_TESTED_AT = {
    "paired": "tests/tasks/translate/test_paired.py",
    "style": "tests/tasks/translate/test_style.py",
    "color": "tests/commands/test_color.py",
}
OWN_SETTINGS = {
    "cyclegan": {"task.pool_size": 3},
    "cut": {"task.nce_patches": 8},
    "fastcut": {"task.nce_patches": 8},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_unpaired(tmp_path_factory.mktemp("sets"))


def build(data, method, **settings):
    values = {**TINY_UNPAIRED, **OWN_SETTINGS[method], "data.source": str(data), "training.steps": 8}
    values |= {"task.method": method, **settings}
    config = configs.replace_values(configs.default_config("translate", TRANSLATE.config_class), values)
    task = TRANSLATE(config, report=lambda line: None)
    return task, build_trainer(task, config, strategy=tf.distribute.get_strategy())


def train(task, trainer, steps=2):
    start = int(trainer.step.numpy())
    dataset = task.build_dataset(start_step=start, seed=0)
    return trainer.fit(dataset, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0).history


def state(trainer):
    return {name: np.asarray(v.value) for name, v in state_variables(trainer).items()}


def test_every_row_is_tested_here_or_where_it_is_said():
    assert set(OWN_SETTINGS) == set(UNPAIRED)
    assert {*OWN_SETTINGS, *OTHERS_TESTED_AT} == set(METHODS)
    root = Path(__file__).parents[2]
    for method, file in OTHERS_TESTED_AT.items():
        assert method in (root / file).read_text(), file


@pytest.mark.parametrize("method", first_quick(UNPAIRED))
def test_method_trains_resumes_and_exports(data, tmp_path, method):
    task, trainer = build(data, method)
    fresh = state(trainer)
    assert train(task, trainer)["nonfinite"] == [0.0]
    trained = state(trainer)
    for network in trainer.networks.generators | trainer.networks.discriminators:
        mine = [name for name in trained if name.split("/")[1] == network and not name.startswith("average")]
        assert any((trained[name] != fresh[name]).any() for name in mine), network
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(trainer)
    train(task, trainer, steps=1)
    gone_on = state(trainer)
    assert checkpoints.restore(trainer, on_damaged=pytest.fail) == 2
    train(task, trainer, steps=1)
    for key, value in state(trainer).items():
        np.testing.assert_array_equal(value, gone_on[key], err_msg=key)
    model = task.inference_model(trainer.averaged)
    model.save(tmp_path / "model.keras")
    image = np.random.default_rng(0).random((1, 13, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(load_keras_model(tmp_path / "model.keras")(image), model(image), atol=1e-6)
    assert export_model(model, format="saved_model", output_dir=tmp_path / "out", name="x").parity.max_error < 1e-4


@pytest.mark.parametrize("method", UNPAIRED)
@pytest.mark.large
def test_method_trains_in_mixed_precision(data, method):
    assert train(*build(data, method, **{"training.precision": "mixed_bfloat16"}), steps=1)["nonfinite"] == [0.0]


@pytest.mark.parametrize("generator", ["unet", "resnet_6"])
@pytest.mark.large
def test_other_generators_have_features_to_train_with(data, generator):
    settings = {"task.generator": generator, "task.generator_depth": 4 if generator == "unet" else None}
    assert train(*build(data, "fastcut", **settings), steps=1)["nonfinite"] == [0.0]
