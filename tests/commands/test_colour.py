"""Colour conversions as a user runs them: predicted, exported and not trained."""

import numpy as np
import pytest
from lanes import first_quick
from PIL import Image

from tfgan_app import cli
from tfgan_app.commands import export
from tfgan_app.inference import load_predictor
from tfgan_app.layers import CONVERSIONS, ColourConversion
from tfgan_app.picture_files import read_picture


def run(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def convert(name, source, target):
    assert run("predict", "--model", f"colour:{name}", "--input", source, "--output", target) == 0


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    return pixels


def test_predict_there_and_back(picture, tmp_path):
    convert("rgb_to_ycbcr", tmp_path / "in.png", tmp_path / "y.png")
    convert("ycbcr_to_rgb", tmp_path / "y.png", tmp_path / "r.png")
    stored = np.asarray(Image.open(tmp_path / "y.png"))
    assert np.abs(stored.astype(int) - np.asarray(Image.fromarray(picture).convert("YCbCr"))).max() <= 1
    assert np.abs(np.asarray(Image.open(tmp_path / "r.png")).astype(int) - picture).max() <= 1


def test_16_bits_stay_16_bits(tmp_path):
    gray = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(gray).save(tmp_path / "in.png")
    convert("rgb_to_lab", tmp_path / "in.png", tmp_path / "lab.tiff")
    lab = read_picture(tmp_path / "lab.tiff").pixels
    assert lab.dtype == np.uint16 and lab.shape == (16, 16, 3)
    expected = np.asarray(ColourConversion("rgb_to_lab")(np.repeat(gray[..., None], 3, -1) / np.float32(65535)))
    np.testing.assert_array_equal(lab, np.rint(expected * 65535))


def test_tiles_are_exact(picture):
    for name in CONVERSIONS[:8:3] + CONVERSIONS[-8:]:
        predictor = load_predictor(f"colour:{name}")
        assert predictor.local
        np.testing.assert_array_equal(predictor.picture(picture, tile_px=4), predictor(picture[None])[0])


@pytest.mark.parametrize(
    ("name", "format"), first_quick([("lab_to_rgb", "keras"), ("rgb_to_lab", "saved_model"), ("hsv_to_rgb", "tflite")])
)
def test_exports_predict_the_same(name, format, picture, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export, "photographs", lambda channels: {"train": [], "val": [picture]})
    assert run("export", "--run", f"colour:{name}", "--format", format, "--output", tmp_path / "out") == 0
    assert "bundled photographs" in capsys.readouterr().out
    path = tmp_path / "out" / (name if format == "saved_model" else f"{name}.{format}")
    expected = load_predictor(f"colour:{name}").picture(picture)
    exported = load_predictor(path)
    assert exported.local and exported.info.makes_color
    assert np.abs(exported.picture(picture).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("predict", "--model", "colour:rgb_to_cmyk", "--input", "a", "--output", "b"),
            "one of rgb_to_yuv, yuv",
        ),
        (("export", "--run", "colour:rgb", "--format", "keras"), "one of rgb_to_yuv, yuv"),
        (("train", "--task", "translate", "--set", "task.method=colour"), "predict --model colour:rgb_to_lab"),
        (("train", "--task", "translate", "--set", "task.method=colour", "--dry-run"), "need no training"),
    ],
)
def test_what_there_is_not_is_said_in_one_line(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())
