"""`tfgan_app predict` with the tools for latents, as a user runs it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image
from tiny_generator import build_tiny_generator, expected_image

import tfgan_app as tfgan
from tfgan_app import cli
from tfgan_app.image_io.loading import read_rgb, write_image
from tfgan_app.networks import NOISE_GENERATORS
from tfgan_app.tasks.generate.builders import build_inference_model
from tfgan_app.tasks.generate.config import GenerateConfig

NAMES = ("bag", "boot", "shirt")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    build_tiny_generator(channels=3).save(folder / "plain.keras")
    build_tiny_generator(class_names=NAMES).save(folder / "classes.keras")
    settings = GenerateConfig(architecture="biggan", latent_dim=8)
    generator = NOISE_GENERATORS["biggan"](size_px=8, channels=3, latent_dim=8, width=8)
    build_inference_model(generator, settings).save(folder / "biggan.keras")
    return folder


def predict(models, model, output, *flags):
    return cli.run(
        cli.parse(["tfgan_app", "predict", "--model", str(models / f"{model}.keras"), "--output", str(output), *flags])
    )


def test_a_strip_from_seed_to_seed(models, tmp_path, capsys):
    assert predict(models, "plain", tmp_path / "way.png", "--interpolate", "1,5,9", "--count", "4") == 0
    sheet = read_rgb(tmp_path / "way.png")
    assert sheet.shape == (2 * 6 + 2, 4 * 6 + 2, 3)
    np.testing.assert_allclose(sheet[2:6, 2:6].astype(int), expected_image(1, channels=3), atol=1)
    np.testing.assert_allclose(sheet[-6:-2, -6:-2].astype(int), expected_image(9, channels=3), atol=1)
    assert "1 written to" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".mp4"])
def test_frames_from_seed_to_seed(models, tmp_path, suffix, capsys):
    if suffix == ".mp4":
        pytest.importorskip("av")
    assert predict(models, "plain", tmp_path / f"way{suffix}", "--interpolate", "1,5", "--count", "6") == 0
    assert "6 frames written to" in capsys.readouterr().out
    if suffix == ".mp4":
        import av

        with av.open(str(tmp_path / "way.mp4")) as video:
            assert len(list(video.decode(video=0))) == 6
        return
    with Image.open(tmp_path / f"way{suffix}") as image:
        assert image.n_frames == 6 and image.size == (4, 4)
        assert image.info.get("loop") == 0


def test_a_truncation_sweep_and_class_sweep(models, tmp_path, capsys):
    assert (
        predict(models, "classes", tmp_path / "t.png", "--sweep", "truncation", "--class", "boot", "--count", "2") == 0
    )
    assert read_rgb(tmp_path / "t.png").shape == (2 * 6 + 2, 7 * 6 + 2, 3)
    # The tiny model's classes pass through no `OneHot`, so that nothing is between them.
    assert predict(models, "classes", tmp_path / "c.png", "--sweep", "classes") == 2
    assert "nothing between them" in capsys.readouterr().err


def test_a_projection_can_be_drawn_again_and_moved(models, tmp_path, capsys):
    target = np.random.default_rng(0).integers(40, 215, (4, 4, 3), np.uint8)
    write_image(tmp_path / "photo.png", target)
    flags = ("--project", str(tmp_path / "photo.png"), "--set", "project_steps=150", "--json", str(tmp_path / "r.json"))
    assert predict(models, "plain", tmp_path / "out.png", *flags) == 0
    assert "distance 0.0" in capsys.readouterr().out
    found = read_rgb(tmp_path / "out.png")
    assert np.abs(found.astype(int) - target).max() <= 2
    written = json.loads((tmp_path / "r.json").read_text())
    assert str(tmp_path / "out.npz") in json.dumps(written)
    latents = str(tmp_path / "out.npz")
    assert predict(models, "plain", tmp_path / "again.png", "--latents", latents) == 0
    np.testing.assert_array_equal(read_rgb(tmp_path / "again.png"), found)
    assert predict(models, "plain", tmp_path / "way.png", "--interpolate", f"{latents},3", "--count", "2") == 0
    np.testing.assert_array_equal(read_rgb(tmp_path / "way.png")[2:6, 2:6], found)


def test_a_grid_of_mixed_styles(models, tmp_path):
    flags = ("--mix", "1,2", "3,4,5", "--set", "mix_layer=1", "--truncation", "1")
    assert predict(models, "biggan", tmp_path / "mixed.png", *flags) == 0
    sheet = read_rgb(tmp_path / "mixed.png")
    assert sheet.shape == (3 * 10 + 2, 4 * 10 + 2, 3)
    images = tfgan.load(models / "biggan.keras").mix([1, 2], [3, 4, 5], layer=1, truncation=1.0)
    assert images.shape == (3, 4, 8, 8, 3)
    np.testing.assert_array_equal(sheet[-10:-2, -10:-2], images[2, 3])
    with pytest.raises(ValueError, match="at least one row and one column. Received"):
        tfgan.load(models / "biggan.keras").mix([1], [])


@pytest.mark.parametrize(
    ("model", "output", "flags", "message"),
    [
        ("classes", "o.png", ["--interpolate", "1,2"], r"`--interpolate` needs one `--class`, one of bag, boot, shirt"),
        ("classes", "o.png", ["--project", "p.png"], "`--project` needs one `--class`"),
        ("classes", "o.png", ["--sweep", "truncation", "--class", "bag", "--class", "boot"], "Received: bag, boot"),
        ("plain", "o.png", ["--sweep", "classes"], "needs a model with classes"),
        ("plain", "o.png", ["--sweep", "directions"], "no dense layer on its latents"),
        ("plain", "o.png", ["--interpolate", "1,x"], r"must be seeds, as in 1,5,9, or .npz files .* Received: 'x'"),
        ("plain", "o.png", ["--interpolate", "1"], "at least two seeds"),
        ("plain", "o.png", ["--interpolate", "1,99999999999999999999"], "must be seeds"),
        ("plain", "o.png", ["--interpolate", "1,2", "--count", "9999"], "at most 4096 images"),
        ("plain", "o.png", ["--interpolate", "1,2", "--seed", "3"], "`--seed` is not supported with `--interpolate`"),
        ("plain", "o.png", ["--project", "p.png", "--count", "2"], "`--count` is not supported with `--project`"),
        ("plain", "o.png", ["--project", "no.png"], "no.png"),
        ("plain", "o.png", ["--latents", "no.npz"], "Cannot read the latents 'no.npz'"),
        ("plain", "o", ["--interpolate", "1,2"], "must be an image file, such as .png or an animation"),
        ("plain", "o.gif", ["--project", "p.png"], "must be an image file, such as .png. Received: 'o.gif'"),
        ("plain", "o.png", ["--set", "project_steps=3"], "`project_steps` needs `--project IMAGE`"),
        ("plain", "o.png", ["--set", "directions=3"], "`directions` needs `--sweep directions`"),
        ("plain", "o.png", ["--project", "p.png", "--set", "feature_weights=w.npz"], "at least 16 px"),
        ("plain", "o.png", ["--interpolate", "1,2", "--class", "bag"], "no classes"),
        ("plain", "o.png", ["--mix", "1,2", "3"], "such as StyleGAN2 or BigGAN. This one has one input for all layers"),
        ("classes", "o.png", ["--mix", "1,2", "3"], "`--mix` needs one `--class`"),
        ("biggan", "o.png", ["--mix", "1,2", "x"], r"`--mix` must be seeds, as in 1,5,9, .* Received: 'x'"),
        ("biggan", "o.png", ["--mix", "1,2", "3", "--set", "mix_layer=9"], "must be from 1 to 3. Received: 9"),
        ("biggan", "o.png", ["--mix", "1,2", "3", "--count", "2"], "`--count` is not supported with `--mix`"),
        ("biggan", "o.gif", ["--mix", "1,2", "3"], "must be an image file, such as .png. Received: 'o.gif'"),
        ("plain", "o.png", ["--set", "mix_layer=3"], "`mix_layer` needs `--mix ROWS COLUMNS`"),
    ],
)
def test_wrong_uses_are_one_line(models, tmp_path, monkeypatch, capsys, model, output, flags, message):
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "p.png", np.zeros((4, 4, 3), np.uint8))
    assert predict(models, model, output, *flags) == 2
    printed = capsys.readouterr().err
    assert re.search(message, printed) and printed.count("\n") == 1
    assert not (tmp_path / output).exists()


def test_image_models_refuse_the_tools(tmp_path, capsys):
    flags = ["--model", "upscale_x2", "--output", str(tmp_path / "o.png"), "--interpolate", "1,2"]
    assert cli.run(cli.parse(["tfgan_app", "predict", *flags])) == 2
    assert "`--interpolate` is not supported for this model. Received: 1,2" in capsys.readouterr().err


def test_the_same_from_python(models, tmp_path):
    model = tfgan.load(models / "plain.keras")
    images = model.interpolate([1, 5], count=3)
    np.testing.assert_array_equal(images[0, 0], model.generate(1, seed=1)[0])
    found = model.project(model.generate(1, seed=400)[0], steps=100)
    found.point.save(tmp_path / "p.npz")
    np.testing.assert_array_equal(model.draw(tmp_path / "p.npz"), found.image)
    assert model.sweep_truncation((None, 0.5), count=3).shape == (3, 2, 4, 4, 3)
    moved = model.sweep_directions(found.point, directions=np.eye(2, 48, dtype=np.float32), count=3)
    np.testing.assert_array_equal(moved[1, 1], found.image)
    with pytest.raises(ValueError, match="needs a model with classes"):
        model.walk_classes()
    with pytest.raises(ValueError, match="`project` needs one `--class`|needs one"):
        tfgan.load(models / "classes.keras").project(found.image)
