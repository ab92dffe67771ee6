"""`tfgan_app export --part discriminator`, as a user runs it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from lanes import first_quick
from small_images import CAPTIONED, TINY_GENERATE, generate_arguments, write_captioned, write_class_folders
from small_run import train_arguments, write_pairs

import tfgan_app as tfgan
from tfgan_app import cli
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.commands.run_study import load_discriminator
from tfgan_app.export.discriminator import export_discriminator_model
from tfgan_app.networks import IMAGE_DISCRIMINATORS
from tfgan_app.networks.discriminator_features import build_discriminator_inference_model
from tfgan_app.tasks.augment.discriminator_scorer import DiscriminatorScorer


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("classes"))


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return tfgan.train("generate", data=data, steps=2, run_dir=folder, set=TINY_GENERATE)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1), np.uint8)


def own_outputs(run, images):
    """Features and logits of the run's discriminator itself, of images and no labels."""
    directory = RunDirectory.existing(str(run.path))
    config, task_class = directory.read_config()
    discriminator = load_discriminator(directory, task_class(config, report=lambda line: None))
    signed = images.astype(np.float32) / 127.5 - 1.0
    model = build_discriminator_inference_model(discriminator)
    return model(images.astype(np.float32) / 255.0)["features"], discriminator(signed, training=False)


def test_a_saved_model_works_without_the_package(run, images, tmp_path, capsys):
    flags = ("--part", "discriminator", "--output", tmp_path)
    assert app("export", "--run", run.path, "--format", "saved_model", *flags) == 0
    assert "Exported the discriminator of" in (printed := capsys.readouterr().out) and "16 seeds" in printed
    assert "discriminator/1" in (tmp_path / "manifest.json").read_text()
    layer = keras.layers.TFSMLayer(tmp_path / "discriminator" / "1", call_endpoint="serving_default")
    received = layer(images.astype(np.float32) / 255.0)
    features, scores = own_outputs(run, images)
    np.testing.assert_allclose(received["features"], features, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(received["scores"], scores, rtol=1e-4, atol=1e-5)


def test_a_tflite_and_a_keras_file_from_python(run, images, tmp_path):
    features, scores = own_outputs(run, images)
    file = run.export("tflite", part="discriminator", output=tmp_path, name="mine")
    runner = Interpreter(model_content=file.read_bytes()).get_signature_runner("serving_default")
    received = runner(images=images[:1].astype(np.float32) / 255.0)
    np.testing.assert_allclose(received["features"], features[:1], rtol=1e-4, atol=1e-5)
    file = run.export("keras", part="discriminator", output=tmp_path, name="mine")
    received = keras.models.load_model(file)(images.astype(np.float32) / 255.0)
    np.testing.assert_allclose(received["scores"], scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("format", ["saved_model", "tflite", "keras"])
@pytest.mark.parametrize("family", first_quick(IMAGE_DISCRIMINATORS))
def test_every_family_passes_the_gate(tmp_path, images, family, format, classes):
    discriminator = IMAGE_DISCRIMINATORS[family](size_px=16, channels=1, classes=classes, width=4)
    model = build_discriminator_inference_model(discriminator)
    units = images.astype(np.float32) / 255.0
    labels = [[np.array([label], np.int32)] if classes else [] for label in range(3)]
    samples = [[unit[None], *label] for unit, label in zip(units, labels, strict=True)]
    result = export_discriminator_model(model, samples, format=format, output_dir=tmp_path, name="d")
    assert result.parity.batches == 3 and result.parity.max_error < 1e-4 and result.path.exists()
    inputs = [units[:1], np.array([1], np.int32)] if classes else units[:1]
    outputs = model(inputs, training=False)
    scorer = DiscriminatorScorer(discriminator) if classes else None
    if scorer:
        np.testing.assert_allclose(outputs["features"], scorer.features(images[:1]), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            outputs["scores"][:, 0], scorer.scores(images[:1], np.array([1])), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--format", "web"], "must be one of saved_model, tflite, keras. Received: web"),
        (["--format", "tflite", "--quantize", "int8"], "`--quantize` is not supported for discriminators"),
        (["--format", "tflite", "--tile", "32"], "`--tile` is not supported for discriminators. Leave it out."),
        (["--format", "keras", "--truncation", "0.7"], "`--truncation` is not supported for discriminators."),
        (["--format", "keras", "--runtime", "npm"], "`--runtime` is not supported for discriminators."),
        (["--format", "tflite", "--delegates"], "`--delegates` is not supported for discriminators."),
        (["--format", "keras", "--checkpoint", "best"], "`--checkpoint best` has no discriminator"),
        (["--format", "keras", "--name", "../x"], "`name` must be a plain file name"),
    ],
)
def test_wrong_uses_are_one_line(run, tmp_path, capsys, flags, message):
    assert app("export", "--run", run.path, "--part", "discriminator", "--output", tmp_path / "out", *flags) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.large
def test_runs_of_other_tasks_and_of_texts_are_refused(tmp_path, capsys):
    write_pairs(tmp_path / "pairs")
    write_captioned(tmp_path / "captions")
    assert app(*train_arguments(tmp_path / "pix2pix", tmp_path / "pairs", steps=2)) == 0
    captioned = generate_arguments(tmp_path / "text", tmp_path / "captions", steps=2, settings=CAPTIONED)
    assert app(*captioned) == 0
    capsys.readouterr()
    for name, message in (("pix2pix", "Received: a run of translate"), ("text", "is for runs without text")):
        flags = ("--part", "discriminator", "--format", "keras", "--output", tmp_path / "out")
        assert app("export", "--run", tmp_path / name, *flags) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_models_without_a_training_state_are_refused(run, tmp_path, capsys):
    flags = ("--part", "discriminator", "--format", "keras", "--output", tmp_path / "out")
    assert app("export", "--run", "upscale_x2", *flags) == 2
    assert "`--part discriminator` needs a run directory. Received: 'upscale_x2'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
