"""Color conversions as a user runs them: predicted, exported and not trained."""

import numpy as np
import pytest
from lanes import first_quick
from PIL import Image

from tfgan_app import cli
from tfgan_app.commands import export_source
from tfgan_app.image_io import read_image
from tfgan_app.inference import load_predictor
from tfgan_app.layers import CONVERSIONS, ColorConversion


def run(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def convert(name, source, target):
    assert run("predict", "--model", f"color:{name}", "--input", source, "--output", target) == 0


@pytest.fixture
def image(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    return pixels


def test_predict_there_and_back(image, tmp_path):
    convert("rgb_to_ycbcr", tmp_path / "in.png", tmp_path / "y.png")
    convert("ycbcr_to_rgb", tmp_path / "y.png", tmp_path / "r.png")
    stored = np.asarray(Image.open(tmp_path / "y.png"))
    assert np.abs(stored.astype(int) - np.asarray(Image.fromarray(image).convert("YCbCr"))).max() <= 1
    assert np.abs(np.asarray(Image.open(tmp_path / "r.png")).astype(int) - image).max() <= 1


def test_16_bits_stay_16_bits(tmp_path):
    gray = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(gray).save(tmp_path / "in.png")
    convert("rgb_to_lab", tmp_path / "in.png", tmp_path / "lab.tiff")
    lab = read_image(tmp_path / "lab.tiff").pixels
    assert lab.dtype == np.uint16 and lab.shape == (16, 16, 3)
    expected = np.asarray(ColorConversion("rgb_to_lab")(np.repeat(gray[..., None], 3, -1) / np.float32(65535)))
    np.testing.assert_array_equal(lab, np.rint(expected * 65535))


def test_tiles_are_exact(image):
    for name in CONVERSIONS[:8:3] + CONVERSIONS[-8:]:
        predictor = load_predictor(f"color:{name}")
        assert predictor.local
        np.testing.assert_array_equal(predictor.image(image, tile_px=4), predictor(image[None])[0])


@pytest.mark.parametrize(
    ("name", "format"), first_quick([("lab_to_rgb", "keras"), ("rgb_to_lab", "saved_model"), ("hsv_to_rgb", "tflite")])
)
def test_exports_predict_the_same(name, format, image, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export_source, "photographs", lambda channels: {"train": [], "val": [image]})
    assert run("export", "--run", f"color:{name}", "--format", format, "--output", tmp_path / "out") == 0
    assert "bundled photographs" in capsys.readouterr().out
    path = tmp_path / "out" / (name if format == "saved_model" else f"{name}.{format}")
    expected = load_predictor(f"color:{name}").image(image)
    exported = load_predictor(path)
    assert exported.local and exported.info.makes_color
    assert np.abs(exported.image(image).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("predict", "--model", "color:rgb_to_cmyk", "--input", "a", "--output", "b"),
            "one of rgb_to_yuv, yuv",
        ),
        (("export", "--run", "color:rgb", "--format", "keras"), "one of rgb_to_yuv, yuv"),
        (("train", "--task", "translate", "--set", "task.method=color"), "predict --model color:rgb_to_lab"),
        (("train", "--task", "translate", "--set", "task.method=color", "--dry-run"), "need no training"),
    ],
)
def test_what_there_is_not_is_said_in_one_line(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())
