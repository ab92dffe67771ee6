"""Every task starts from trained networks: those of a run, of a file, of a shipped model; others are refused."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from small_images import TINY_GENERATE, write_class_folders
from small_photos import TINY_IMAGES, TINY_UPSCALE, write_photos
from small_run import TINY, write_pairs
from small_unpaired import TINY_UNPAIRED, write_unpaired
from tiny_style import build_tiny_encoder

from tfgan_app import config as configs
from tfgan_app.commands.building import build_trainer
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.shipped import shipped_model_path
from tfgan_app.tasks import TASKS, load_task
from tfgan_app.tasks.translate import METHODS, style
from tfgan_app.training.checkpoints import Checkpoints

CYCLE = {**TINY_UNPAIRED, "task.method": "cyclegan"}
GAN = {"task.stage": "gan"}
CASES = {
    "generate": ("generate", TINY_GENERATE),
    "augment": ("augment", TINY_GENERATE | {"task.conditional": True}),
    "paired": ("translate", TINY),
    "cyclegan": ("translate", CYCLE),
    "cut": ("translate", {**TINY_UNPAIRED, "task.method": "cut", "task.nce_patches": 8, "task.nce_dim": 8}),
    "fastcut": ("translate", {**TINY_UNPAIRED, "task.method": "fastcut", "task.nce_patches": 8, "task.nce_dim": 8}),
    "style": ("translate", {"task.method": "style", "task.decoder_width": 2, "data.image_size": 16}),
    "upscale": ("upscale", TINY_UPSCALE | GAN),
    "restore": ("restore", TINY_IMAGES | GAN | {"task.degradation": ("jpeg",)}),
}
WIDER = {
    "generate": {"task.generator_width": 8},
    "augment": {"task.generator_width": 8},
    "style": {"task.decoder_width": 4},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    pairs, unpaired = write_pairs(root / "pairs"), write_unpaired(root / "unpaired")
    classes, photos = write_class_folders(root / "classes"), write_photos(root / "photos")
    return {
        "generate": classes,
        "augment": classes,
        "paired": pairs,
        "cyclegan": unpaired,
        "cut": unpaired,
        "fastcut": unpaired,
        "style": photos,
        "upscale": photos,
        "restore": photos,
    }


@pytest.fixture(autouse=True)
def _tiny_encoder(monkeypatch):
    monkeypatch.setattr(style, "build_style_encoder", build_tiny_encoder)


def build(folders, case, **settings):
    """A task, its trainer and its messages."""
    name, values = CASES[case]
    values = {**values, "training.precision": "float32", "training.batch_size": 2, **settings}
    values["data.source"] = str(folders[case])
    task_class, lines = load_task(name), []
    config = configs.replace_values(configs.default_config(name, task_class.config_class), values)
    task = task_class(config, report=lines.append)
    return task, build_trainer(task, config, strategy=tf.distribute.get_strategy()), lines


def write_run(folders, case, path, **settings):
    """Writes a run with distinct weights; returns its trainer."""
    task, trainer, _ = build(folders, case, **settings)
    rng = np.random.default_rng(3)
    for models in (trainer.networks.generators, trainer.networks.discriminators):
        for model in models.values():
            for variable in model.trainable_variables:
                variable.assign(variable + rng.normal(0.0, 0.1, variable.shape))
    trainer.reset_average()
    run = RunDirectory(path)
    run.write_config(task.config)
    Checkpoints(run.checkpoints).save(trainer)
    models = {"last": task.inference_model(trainer.averaged)}
    models |= {f"last-{name}": model for name, model in task.auxiliary_models(trainer.averaged).items()}
    for name, model in models.items():
        model.save(run.checkpoints / f"{name}.keras")
    return trainer


def all_models(networks):
    return {**networks.generators, **networks.discriminators}


def assert_taken(networks, origin, names=None):
    """All weights are those of another training's networks, or those of some alone are."""
    for name, model in all_models(networks).items():
        same = all(np.array_equal(*pair) for pair in zip(model.get_weights(), origin[name].get_weights(), strict=True))
        assert same == (names is None or name in names), name


def test_all_tasks_and_methods_are_tried():
    assert {name for name, _ in CASES.values()} == set(TASKS)
    assert {case for case, (name, _) in CASES.items() if name == "translate"} == set(METHODS) - {"color"}


@pytest.mark.parametrize("case", first_quick(CASES))
def test_a_training_starts_from_a_run_with_all_its_networks(folders, tmp_path, case):
    origin = write_run(folders, case, tmp_path / "run")
    task, trainer, lines = build(folders, case, **{"task.init_from": str(tmp_path / "run")})
    task.start(trainer.networks)
    assert_taken(trainer.networks, all_models(origin.networks))
    assert lines[-1] == f"starts from '{tmp_path / 'run'}': {', '.join(all_models(origin.networks))}"


@pytest.mark.parametrize("case", first_quick(CASES))
def test_a_training_starts_from_a_file_with_its_generators(folders, tmp_path, case):
    origin = write_run(folders, case, tmp_path / "run")
    folder = shutil.copytree(tmp_path / "run" / "checkpoints", tmp_path / "elsewhere")
    task, trainer, lines = build(folders, case, **{"task.init_from": str(folder / "last.keras")})
    task.start(trainer.networks)
    generators = [name for name in trainer.networks.generators if name != "patch_features"]
    assert_taken(trainer.networks, all_models(origin.networks), generators)
    for name in all_models(trainer.networks).keys() - set(generators):
        assert any(line.startswith(f"{name} starts fresh: ") for line in lines), name


@pytest.mark.parametrize("case", first_quick(CASES))
def test_other_networks_are_refused_with_names_and_shapes(folders, tmp_path, case):
    write_run(folders, case, tmp_path / "run")
    wider = WIDER.get(case, {"task.generator_width": 8})
    task, trainer, _ = build(folders, case, **{"task.init_from": str(tmp_path / "run"), **wider})
    with pytest.raises(ValueError, match=r"`task.init_from` must be .* \[[\d, ]+\] there, \[[\d, ]+\] here") as refused:
        task.start(trainer.networks)
    assert str(tmp_path / "run") in str(refused.value) and "/kernel [" in str(refused.value)


def test_a_discriminator_that_does_not_fit_starts_fresh(folders, tmp_path):
    origin = write_run(folders, "paired", tmp_path / "run")
    settings = {"task.init_from": str(tmp_path / "run"), "task.discriminator_width": 8}
    task, trainer, lines = build(folders, "paired", **settings)
    task.start(trainer.networks)
    assert_taken(trainer.networks, origin.networks.generators | trainer.networks.discriminators)
    assert lines[0].startswith("discriminator starts fresh: that of ") and "] there, [" in lines[0]


@pytest.mark.large
def test_one_method_starts_from_another(folders, tmp_path):
    origin = write_run(folders, "paired", tmp_path / "run", **{"task.generator_depth": 2})
    task, trainer, lines = build(folders, "cyclegan", **{"task.init_from": str(tmp_path / "run")})
    task.start(trainer.networks)
    mine, theirs = trainer.networks.generators["generator"], origin.networks.generators["generator"]
    for pair in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(*pair)
    assert any(line.startswith("inverse starts fresh") for line in lines)


@pytest.mark.large
def test_a_cyclegan_of_the_other_direction_gives_its_networks_crosswise(folders, tmp_path):
    origin = all_models(write_run(folders, "cyclegan", tmp_path / "run", **{"task.direction": "b2a"}).networks)
    task, trainer, lines = build(folders, "cyclegan", **{"task.init_from": str(tmp_path / "run")})
    task.start(trainer.networks)
    names = {"generator": "inverse", "discriminator": "inverse_discriminator"}
    crossed = {mine: origin[theirs] for pair in names.items() for mine, theirs in (pair, pair[::-1])}
    assert_taken(trainer.networks, crossed)
    assert "was trained the other way (b2a)" in lines[0]


@pytest.mark.parametrize(
    "name", first_quick(["upscale_x4", "upscale_x4_gan", "upscale_x4_small", "upscale_x2", "restore"])
)
def test_shipped_models_are_started_from_by_name(folders, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    case = name.partition("_")[0]
    settings = {"task.init_from": name, "task.generator_width": None, "task.generator_blocks": None}
    if case == "upscale":
        settings |= {"task.scale": int(name[9]), "task.generator_activation": "relu" if name == "upscale_x2" else None}
        settings["task.generator_size"] = "small" if name.endswith("_small") else None
    else:
        del settings["task.generator_blocks"]
        settings["task.degradation"] = ("denoise", "jpeg")
    task, trainer, lines = build(folders, case, **settings)
    assert configs.replace_values(task.config, {}).task.init_from == name
    task.start(trainer.networks)
    assert lines[-1] == f"starts from '{name}': generator"


def test_a_shipped_name_stays_a_name_in_the_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task_class = load_task("upscale")
    for text, expected in (
        ("upscale_x4", "upscale_x4"),
        ("runs/x4", str(tmp_path / "runs" / "x4")),
        ("x4.keras", str(tmp_path / "x4.keras")),
    ):
        overrides = [f"task.init_from={text}"]
        config = configs.resolve_config("upscale", task_class.config_class, overrides=overrides)
        assert config.task.init_from == expected
    (tmp_path / "upscale_x4" / "checkpoints").mkdir(parents=True)  # A run of that name is meant before.
    config = configs.resolve_config("upscale", task_class.config_class, overrides=["task.init_from=upscale_x4"])
    assert config.task.init_from == str(tmp_path / "upscale_x4")


NO_ORIGINS = {
    "upscale_x3": "there is no run and no file 'upscale_x3', and there is no shipped model 'upscale_x3'. Shipped",
    "{tmp}/nowhere": "There is none at '",
    "{tmp}": "a folder that is not a run.",
    "{shipped}/upscale_x4": "a folder that is not a run. Take '",
    "{shipped}/upscale_x4.tflite": "must be a run or a .keras file",
    "{tmp}/junk.keras": "Cannot load the Keras model",
    "{tmp}/empty": "The run has no model",
    "restore": "must be ",
}


@pytest.mark.parametrize("case", ["paired", "upscale", "style"])
def test_what_cannot_be_started_from_is_said_in_one_line(folders, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "junk.keras").write_bytes(b"PK no archive")
    (tmp_path / "empty" / "checkpoints").mkdir(parents=True)
    places = {"tmp": tmp_path, "shipped": Path(shipped_model_path("upscale_x4")).parent}
    task, trainer, _ = build(folders, case)
    for source, message in NO_ORIGINS.items():
        task.config = configs.replace_values(task.config, {"task.init_from": source.format(**places)})
        with pytest.raises(ValueError, match=re.escape(message)) as refused:
            task.start(trainer.networks)
        assert "\n" not in str(refused.value)


def test_other_activations_are_refused_though_shapes_fit(folders, tmp_path):
    write_run(folders, "upscale", tmp_path / "run")
    settings = {"task.init_from": str(tmp_path / "run"), "task.generator_activation": "relu"}
    task, trainer, _ = build(folders, "upscale", **settings)
    with pytest.raises(ValueError, match="with leaky_relu, where this generator has relu; set task.generator_act"):
        task.start(trainer.networks)
