"""Images as numbers through the commands: 16 bits and floats, any channels, without rounding to 8 bits."""

import json

import keras
import numpy as np
import pytest
from small_photos import image_arguments

import tfgan_app as tfgan
from tfgan_app import cli
from tfgan_app.image_io.samples import SampleImage, read_samples, write_samples
from tfgan_app.inference import load_predictor
from tfgan_app.layers import DataWindow, FromUnitRange, ToUnitRange


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def write_numbers(folder, *, dtype, channels, suffix, low=1000, high=5000):
    """Waves over the whole range, four to train on and two held out."""
    y, x = np.mgrid[:52, :60]
    for index in range(6):
        waves = [np.sin(x / (4 + index + k)) * np.cos(y / (5 + k)) for k in range(channels)]
        pixels = (low + (np.stack(waves, -1) * 0.5 + 0.5) * (high - low)).astype(dtype)
        path = folder / ("train" if index < 4 else "val") / f"{index}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_samples(path, pixels, source=SampleImage(pixels, 8 * pixels.itemsize))
    return folder


def arguments(task, run, data, *, steps=4, **settings):
    return image_arguments(task, run, data, steps=steps, settings={"optimizer.muon_learning_rate": "none"} | settings)


@pytest.fixture(scope="module")
def gray(tmp_path_factory):
    return write_numbers(tmp_path_factory.mktemp("gray"), dtype="uint16", channels=1, suffix="tif")


@pytest.fixture(scope="module")
def upscaler(gray, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "gray"
    assert app(*arguments("upscale", run, gray, **{"data.channels": 1, "data.value_range": "0%,100%"})) == 0
    return run


def test_the_range_is_said_and_kept(gray, upscaler, tmp_path, capsys):
    low, high = 1000.0, 5000.0
    window = tfgan.load(upscaler).info.window
    assert window == pytest.approx((low, high), abs=100)
    config = json.loads((upscaler / "config.json").read_text())
    assert config["data"]["value_range"] == f"{window[0]!r},{window[1]!r}"
    assert config["training"]["best_metric"] == "psnr"
    extra = {"data.channels": 1, "data.value_range": "900,6000"}
    assert app(*arguments("upscale", tmp_path / "run", gray, steps=1, **extra)) == 0
    assert "images as numbers, channels: 1, 0 to 1 stand for 900 to 6000" in capsys.readouterr().err


def test_evaluate_measures_in_data_units(upscaler, tmp_path):
    assert app("evaluate", "--run", upscaler, "--json", tmp_path / "e.json") == 0
    metrics = json.loads((tmp_path / "e.json").read_text())["metrics"]
    low, high = tfgan.load(upscaler).info.window
    assert metrics["mae"] == pytest.approx(metrics["l1"] * (high - low), rel=1e-6)
    assert metrics["rmse"] >= metrics["mae"] > 0
    assert "psnr_y" not in metrics


def test_every_export_writes_what_the_run_writes(gray, upscaler, tmp_path):
    source = gray / "val" / "4.tif"
    assert app("predict", "--model", upscaler, "--input", source, "--output", tmp_path / "run.tif") == 0
    expected = read_samples(tmp_path / "run.tif").pixels
    assert (expected.dtype, expected.shape) == (np.uint16, (104, 120, 1))
    assert len(np.unique(expected)) > 256
    window = tfgan.load(upscaler).info.window
    for form, place in (("saved_model", "m"), ("tflite", "m.tflite"), ("keras", "m.keras")):
        assert app("export", "--run", upscaler, "--format", form, "--output", tmp_path, "--name", "m") == 0
        info = load_predictor(tmp_path / place).info
        assert (info.window, info.channels, info.output_channels) == (window, 1, 1)
        output = tmp_path / f"{form}.tif"
        assert app("predict", "--model", tmp_path / place, "--input", source, "--output", output) == 0
        assert np.abs(read_samples(output).pixels.astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(tfgan.load(upscaler).predict(read_samples(source).pixels), expected)
    np.testing.assert_array_equal(tfgan.load(upscaler).predict(source), expected)


@pytest.mark.parametrize("flags", [("--format", "web"), ("--format", "tflite", "--quantize", "int8")])
def test_exports_that_would_lose_numbers_are_refused(upscaler, tmp_path, flags, capsys):
    assert app("export", "--run", upscaler, *flags, "--output", tmp_path) == 2
    assert "numbers of more than 8 bits" in capsys.readouterr().err


def test_a_bad_file_is_named_and_the_others_are_written(gray, upscaler, tmp_path, capsys):
    folder = tmp_path / "in"
    write_numbers(folder, dtype="uint16", channels=2, suffix="tif")
    (folder / "a.tif").write_bytes((gray / "val" / "5.tif").read_bytes())
    (folder / "b.tif").write_bytes(b"II*\0")
    assert app("predict", "--model", upscaler, "--input", folder, "--output", tmp_path / "out") == 1
    assert [path.name for path in (tmp_path / "out").rglob("*.tif")] == ["a.tif"]
    errors = capsys.readouterr().err
    assert "b.tif" in errors
    assert "it has 2 channels" in errors


@pytest.mark.parametrize("flags", [("--output-format", "jpg"), ("--input-range", "0,4095"), ("--output-scale", "2")])
def test_flags_of_8_bit_images_are_refused(gray, upscaler, tmp_path, flags, capsys):
    assert app("predict", "--model", upscaler, "--input", gray, "--output", tmp_path / "out", *flags) == 2
    assert "images as numbers" in capsys.readouterr().err


@pytest.mark.large
def test_a_resumed_training_is_the_uninterrupted_one(gray, tmp_path):
    settings = {"data.channels": 1, "optimizer.schedule_steps": 6}
    assert app(*arguments("upscale", tmp_path / "whole", gray, steps=6, **settings)) == 0
    assert app(*arguments("upscale", tmp_path / "parts", gray, steps=3, **settings)) == 0
    assert app("train", "--run-dir", tmp_path / "parts", "--resume", "--steps", 6) == 0
    whole, parts = (keras.models.load_model(tmp_path / run / "checkpoints/last.keras") for run in ("whole", "parts"))
    for first, second in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("channels", "dtype", "suffix", "stage"),
    [
        (4, "int16", "tif", "psnr"),
        pytest.param(5, "float32", "npy", "psnr", marks=pytest.mark.large),
        pytest.param(2, "float32", "tif", "gan", marks=pytest.mark.large),
    ],
)
def test_restore_keeps_channels_and_types(tmp_path, channels, dtype, suffix, stage):
    data = write_numbers(tmp_path / "data", dtype=dtype, channels=channels, suffix=suffix, low=-900, high=100)
    settings = {"data.channels": channels, "task.degradation": "denoise", "task.stage": stage}
    settings |= {"task.generator": "unet"}
    if stage == "gan":
        settings |= {"data.image_size": 32, "task.perceptual_weight": 0}
    assert app(*arguments("restore", tmp_path / "run", data, steps=2, **settings)) == 0
    source, output = data / "val" / f"4.{suffix}", tmp_path / f"out.{suffix}"
    assert app("predict", "--model", tmp_path / "run", "--input", source, "--output", output) == 0
    image, result = (read_samples(path, channels=channels) for path in (source, output))
    assert (result.pixels.dtype, result.pixels.shape) == (image.pixels.dtype, image.pixels.shape)
    assert load_predictor(tmp_path / "run").info.kind == "images"


@pytest.mark.parametrize(
    ("dtype", "suffix", "channels"),
    [("uint16", "png", 1), ("uint16", "tif", 3), ("float32", "npy", 4), ("int16", "tif", 1)],
)
def test_an_identity_gives_the_file_back(tmp_path, dtype, suffix, channels):
    """Errors stay below one level of 16 bits."""
    low, high = (0.0, 65535.0) if dtype == "uint16" else (-1024.0, 3071.0)
    images = keras.Input((None, None, channels), name="images")
    x = ToUnitRange()(keras.layers.Activation("linear")(FromUnitRange()(images)))
    keras.Model(images, DataWindow(low, high)(x)).save(tmp_path / "m.keras")
    pixels = np.random.default_rng(0).uniform(low, high, (40, 50, channels)).astype(dtype)
    path, output = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    write_samples(path, pixels, source=SampleImage(pixels, 8 * pixels.itemsize))
    assert app("predict", "--model", tmp_path / "m.keras", "--input", path, "--output", output, "--tile", 16) == 0
    back = read_samples(output, channels=channels).pixels
    if np.dtype(dtype).kind == "f":
        assert np.abs(back - pixels).max() < (high - low) / 65535
    else:
        np.testing.assert_array_equal(back, pixels)


@pytest.mark.parametrize(
    ("task", "settings", "reason"),
    [
        ("upscale", {"data.value_range": "0,5"}, "set `data.channels` too"),
        ("upscale", {"data.channels": 1, "data.value_range": "5,1"}, "must be LOW,HIGH"),
        ("upscale", {"data.channels": 1, "task.degradation": "real"}, "must be bicubic"),
        ("upscale", {"data.channels": 1, "task.perceptual_weight": 1}, "Set task.perceptual_weight=0"),
        ("upscale", {"data.channels": 1, "data.input_range": "0,9"}, "use `data.value_range`"),
        ("upscale", {"data.channels": 2}, "training images of at least"),
        ("restore", {"data.channels": 1, "task.degradation": "denoise,jpeg"}, "must be of denoise, deblur"),
        ("restore", {"data.channels": 1, "task.degradation": "inpaint"}, "must be of denoise, deblur"),
    ],
)
def test_settings_that_need_8_bits_are_refused_before_the_first_step(gray, tmp_path, task, settings, reason, capsys):
    assert app(*arguments(task, tmp_path / "run", gray, **settings)) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("task", ["generate", "augment", "translate"])
def test_other_tasks_refuse_channels(gray, tmp_path, task, capsys):
    given = ("--task", task, "--data", gray, "--run-dir", tmp_path / "run", "--set", "data.channels=1")
    assert app("train", *given) == 2
    assert "`data.channels` reads images as numbers, for upscale and restore" in capsys.readouterr().err
