"""Names become objects when they are looked up, and a file outside the package adds a row of every kind."""

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file
from small_photos import image_arguments, write_photos

from tfgan_app import cli, registry

TABLES = {name: table for name, table in vars(registry).items() if isinstance(table, registry.Table)}

OUTSIDE = """
import dataclasses
import keras
import numpy as np
from keras import ops

from tfgan_app.export import Exporter
from tfgan_app.export.formats import KERAS
from tfgan_app.importers import Architecture, Built, Filler
from tfgan_app.losses import AdversarialLoss
from tfgan_app.registry import Metric


def build_plain(*, scale=1, channels=3, width=4, name="generator"):
    image = keras.Input((None, None, channels), name="image")
    x = keras.layers.Conv2D(width, 3, padding="same", activation="relu")(image)
    x = keras.layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros")(x)
    x = keras.layers.Add()([image, x])
    return keras.Model(image, keras.layers.UpSampling2D(scale)(x) if scale > 1 else x, name=name)


def pixel_error(target, output):
    return ops.mean(ops.abs(ops.cast(target, "float32") - ops.cast(output, "float32")) ** 1.5)


GAME = AdversarialLoss(
    lambda fake, real=None: -ops.mean(ops.cast(fake, "float32")),
    lambda real, fake, label=1.0: ops.mean(ops.cast(fake, "float32") - ops.cast(real, "float32")),
    threshold=None,
)


class Darker:
    draws_per_example = 1

    def __call__(self, images, draws):
        return images * (0.5 + 0.5 * draws[:, :1, None, None])


SHARPNESS = Metric(
    "Sharpness lost", False, "levels", 2, function=lambda target, output: float(np.std(target) - np.std(output))
)

BACKUP = dataclasses.replace(KERAS, destination=lambda folder, request: folder / f"{request.name}.backup.keras")
NOT_A_FORMAT = 3


def build_toy(weights, options):
    channels = weights.kernel("toy.weight")[0]
    image = keras.Input((None, None, 3), name="image")
    filler = Filler(keras.Model(image, keras.layers.Conv2D(channels, 1, name="toy")(image)), weights)
    filler.convolution("toy", "toy")
    filler.finish()
    return Built(filler.network, "one convolution")


TOY = Architecture("a toy", lambda weights: "toy.weight" in weights, build_toy)
FORGETFUL = dataclasses.replace(TOY, build=lambda weights, options: None)
FAULTY = dataclasses.replace(TOY, detect=lambda weights: {}["toy"])
"""


@pytest.mark.parametrize("name", TABLES)
def test_every_row_can_be_imported(name):
    for row, found in TABLES[name].items():
        assert found is not None, row


def test_listing_names_imports_nothing_heavy():
    code = (
        "import sys; from tfgan_app import registry; "
        "assert 'compact' in registry.UPSCALERS and len(list(registry.EXPORTERS)) >= 4; "
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["my_module:build", "a.b.c:NAME"])
def test_a_name_with_a_colon_is_a_users_own(name):
    assert registry.is_own(name)


@pytest.mark.parametrize("name", ["build", ":build", "my_module:", "C:\\\\models", "a b:c", "https://x"])
def test_other_names_are_not(name):
    assert not registry.is_own(name)


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder with a user's module, which is the current one."""
    (tmp_path / "outside.py").write_text(OUTSIDE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    metrics = dict(registry.METRICS)
    yield tmp_path
    registry.METRICS.clear()
    registry.METRICS.update(metrics)
    sys.modules.pop("outside", None)


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def test_a_module_outside_brings_network_losses_degradation_metric_and_format(outside):
    data = write_photos(outside / "photos")
    settings = {
        "task.stage": "gan",
        "task.degradation": "outside:Darker",
        "task.generator": "outside:build_plain",
        "task.pixel_loss": "outside:pixel_error",
        "task.adversarial_loss": "outside:GAME",
        "task.perceptual_weight": 0.0,
        "task.metrics": "outside:SHARPNESS",
        "training.best_metric": "outside:SHARPNESS",
    }
    assert app(*image_arguments("restore", outside / "run", data, steps=4, settings=settings)) == 0
    report = (outside / "run" / "report.html").read_text()
    assert "Sharpness lost" in report and "levels" in report
    assert "val_sharpness" in (outside / "run" / "metrics.csv").read_text().splitlines()[0]

    assert app("evaluate", "--run", outside / "run", "--json", outside / "figures.json") == 0
    assert "sharpness" in json.loads((outside / "figures.json").read_text())["metrics"]
    options = ("--format", "outside:BACKUP", "--output", outside / "exported", "--name", "mine")
    assert app("export", "--run", outside / "run", *options) == 0
    assert (outside / "exported" / "mine.backup.keras").is_file()


@pytest.fixture
def toy(outside):
    """Weights of the user's own architecture, which makes negatives."""
    tensors = {"toy.weight": -np.eye(3, dtype=np.float32)[:, :, None, None], "toy.bias": np.ones(3, np.float32)}
    save_file(tensors, outside / "toy.safetensors")
    return outside / "toy.safetensors"


def test_a_module_outside_brings_an_architecture_to_import(outside, toy, capsys):
    arguments = ("import", "--weights", toy, "--output", outside / "toy.keras", "--no-tflite")
    assert app(*arguments, "--architecture", "outside:TOY") == 0
    assert "a toy, one convolution" in capsys.readouterr().out
    image = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
    Image.fromarray(image).save(outside / "image.png")
    predict = ("predict", "--model", outside / "toy.keras", "--input", outside / "image.png")
    assert app(*predict, "--output", outside / "negative.png") == 0
    np.testing.assert_array_equal(np.asarray(Image.open(outside / "negative.png")), 255 - image)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("toys", "must be one of esrgan, srvgg"),
        ("outside:nothing", "Cannot import 'outside:nothing': module 'outside' has no attribute"),
        ("outside:GAME", "must be a tfgan_app.importers.Architecture. Received: AdversarialLoss"),
        ("outside:FORGETFUL", "must build a tfgan_app.importers.Built"),
        ("outside:FAULTY", "'outside:FAULTY' failed with KeyError: 'toy'"),
    ],
)
def test_an_architecture_that_cannot_be_used_is_named(outside, toy, architecture, message, capsys):
    arguments = [
        "tfgan_app",
        "import",
        "--weights",
        toy,
        "--output",
        outside / "toy.keras",
        "--architecture",
        architecture,
    ]
    with contextlib.suppress(SystemExit):
        assert cli.run(cli.parse(list(map(str, arguments)))) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert message in line
    assert not (outside / "toy.keras").exists()


def test_a_resumed_run_may_be_given_another_metric(outside):
    data = write_photos(outside / "photos")
    assert app(*image_arguments("restore", outside / "run", data, steps=2, settings={})) == 0
    more = ("--steps", 4, "--set", "task.metrics=outside:SHARPNESS", "--set", "training.best_metric=outside:SHARPNESS")
    assert app("train", "--run-dir", outside / "run", "--resume", *more) == 0
    best = json.loads((outside / "run" / "run.json").read_text())["best"]
    assert best["metric"] == "sharpness" and best["step"] > 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("task.generator=nowhere:build", "Cannot import 'nowhere:build': No module named 'nowhere'"),
        ("task.generator=outside:nothing", "Cannot import 'outside:nothing': module 'outside' has no attribute"),
        ("task.generator=unknown", "`task.generator` must be 'auto' or 'nafnet'"),
        ("task.metrics=outside:GAME", "must be a tfgan_app.registry.Metric"),
    ],
)
def test_what_cannot_be_used_is_named_before_training(outside, setting, message, capsys):
    data = write_photos(outside / "photos")
    arguments = image_arguments("restore", outside / "run", data, steps=2, settings={})
    assert app(*arguments, "--set", setting) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert message in line
    assert not (outside / "run" / "metrics.csv").exists()


def test_an_object_of_another_kind_is_no_format(outside):
    from tfgan_app.export import find_exporter

    with pytest.raises(ValueError, match=r"must be a tfgan_app\.export\.Exporter"):
        find_exporter("outside:NOT_A_FORMAT")


def test_an_own_metric_is_measured_on_float_batches_too(outside):
    from tfgan_app.metrics.own import batched, own_metrics

    measure = batched(own_metrics(("outside:SHARPNESS",))["sharpness"])
    flat, contrast = np.zeros((2, 4, 4, 3), np.float32), np.zeros((2, 4, 4, 3), np.float32)
    contrast[1, :2] = 1.0
    np.testing.assert_allclose(measure(contrast, flat), [0.0, 127.5], atol=0.01)
