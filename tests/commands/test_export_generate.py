"""`tfgan_app export` and `predict` of runs of the task `generate`, as a user runs them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from lanes import first_quick

from tfgan_app import cli, config
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.inference import load_predictor
from tfgan_app.networks import NOISE_GENERATORS
from tfgan_app.tasks.generate import builders
from tfgan_app.tasks.generate.config import GenerateConfig

CLASS_NAMES = ("bag", "T-shirt/top")


def write_run(folder, *, class_names=(), **settings):
    """A run directory as training leaves it, whose data set is gone."""
    task = GenerateConfig(latent_dim=8, generator_width=4, conditional=bool(class_names), **settings)
    values = {"data.source": str(folder / "moved away"), "data.image_size": 32}
    run_config = config.replace_values(config.default_config("generate", GenerateConfig), values)
    directory = RunDirectory(folder)
    directory.write_config(dataclasses.replace(run_config, task=task))
    build = NOISE_GENERATORS[task.architecture]
    generator = build(size_px=32, channels=1, latent_dim=8, width=4, classes=len(class_names))
    model = builders.build_inference_model(generator, task, class_names=class_names)
    directory.checkpoints.mkdir()
    model.save(directory.checkpoints / "last.keras")
    return folder


def run_cli(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.mark.parametrize("architecture", first_quick(NOISE_GENERATORS))
def test_a_run_with_classes_becomes_a_model_that_draws(tmp_path, capsys, architecture):
    run_dir = write_run(tmp_path / "run", class_names=CLASS_NAMES, architecture=architecture)
    assert run_cli("export", "--run", run_dir, "--format", "saved_model", "--output", tmp_path / "out") == 0
    printed = capsys.readouterr()
    version = tmp_path / "out" / "generate" / "1"
    assert f"to {version}\n" in printed.out and "on the images of 16 seeds, in [0, 1]" in printed.out
    assert f"Next: tfgan_app predict --model {version} --output OUTPUT --count 16 --seed 0 --class NAME" in printed.out
    assert printed.err == ""  # The data set is not even looked for.
    flags = ("--output", tmp_path / "bag.png", "--seed", 7, "--class", "BAG")
    assert run_cli("predict", "--model", tmp_path / "out" / "generate", *flags) == 0
    expected = load_predictor(run_dir)([7], [0])[0]
    np.testing.assert_allclose(read_rgb(tmp_path / "bag.png").astype(int), np.repeat(expected, 3, -1), atol=1)


@pytest.mark.parametrize("format", first_quick(["saved_model", "keras"]))
def test_a_run_with_codes_and_without_classes(tmp_path, capsys, format):
    run_dir = write_run(tmp_path / "run", categorical_codes=3, continuous_codes=2)
    flags = ("--output", tmp_path / "out", "--name", "mine")
    assert run_cli("export", "--run", run_dir, "--format", format, *flags) == 0
    printed = capsys.readouterr().out
    path = tmp_path / "out" / ("mine/1" if format == "saved_model" else f"mine.{format}")
    assert printed.endswith(f"Next: tfgan_app predict --model {path} --output OUTPUT --count 16 --seed 0\n")
    seeds = list(range(4))
    run, exported = load_predictor(run_dir)(seeds), load_predictor(path)(seeds)
    assert run.shape == (4, 32, 32, 1)
    np.testing.assert_allclose(exported.astype(int), run, atol=1)


def test_a_run_with_classes_becomes_a_file_for_phones(tmp_path):
    run_dir = write_run(tmp_path / "run", class_names=CLASS_NAMES)
    flags = ("--format", "tflite", "--output", tmp_path / "out", "--name", "mine")
    assert run_cli("export", "--run", run_dir, *flags) == 0
    exported = load_predictor(tmp_path / "out" / "mine.tflite")
    assert exported.class_names == CLASS_NAMES
    np.testing.assert_allclose(exported([7], [1]).astype(int), load_predictor(run_dir)([7], [1]), atol=1)


def test_operations_that_phones_do_not_have_are_named(tmp_path, capsys):
    """Codes are read off the bits of the latents."""
    run_dir = write_run(tmp_path / "run", categorical_codes=3)
    flags = ("--format", "tflite", "--output", tmp_path / "out")
    assert run_cli("export", "--run", run_dir, *flags) == 2
    assert "operations that LiteRT lacks: BitwiseAnd " in capsys.readouterr().err
