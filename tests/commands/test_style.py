"""`--style` as a user gives it."""

import numpy as np
import pytest
from PIL import Image
from tiny_style import build_tiny_style_model

from tfgan_app import cli
from tfgan_app.commands import export_source
from tfgan_app.image_io.loading import read_rgb


def run(command, **flags):
    settings = flags.pop("settings", ())
    values = [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    return cli.run(cli.parse(["tfgan_app", command, *values, *(f"--set={each}" for each in settings)]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("style")
    build_tiny_style_model().save(folder / "model.keras")
    rng = np.random.default_rng(0)
    for name, size in (("in/a", (20, 33)), ("in/b", (9, 7)), ("style", (30, 14))):
        (folder / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(90, 160, (*size, 3), np.uint8)).save(folder / f"{name}.png")
    return folder


def predict(folder, **changes):
    flags = {"model": folder / "model.keras", "input": folder / "in", "style": folder / "style.png"}
    flags |= {"output": folder / "out"} | changes
    return run("predict", **{name: value for name, value in flags.items() if value is not None})


def test_a_folder_in_the_style_of_an_image(folder):
    assert predict(folder) == 0
    assert predict(folder, output=folder / "weak", settings=["strength=0.2"]) == 0
    assert predict(folder, output=folder / "kept", settings=["keep_colors=true"]) == 0
    images = {name: read_rgb(folder / name / "a.png").astype(int) for name in ("in", "out", "weak", "kept")}
    assert all(image.shape == (20, 33, 3) for image in images.values())
    assert np.abs(images["out"] - images["weak"]).max() > 2
    chroma = {
        name: np.asarray(Image.fromarray(pixels.astype(np.uint8)).convert("YCbCr"))[..., 1:].astype(int)
        for name, pixels in images.items()
    }
    assert np.abs(chroma["kept"] - chroma["in"]).max() <= 1 < np.abs(chroma["out"] - chroma["in"]).max()
    assert (folder / "out" / "b.png").is_file()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"style": None}, "`--style` must name the style image. Received none."),
        ({"style": "missing.png"}, "missing.png"),
        ({"model": "color:rgb_to_hsv"}, "`--style` is not supported for this model. Received: "),
        ({"model": "color:rgb_to_hsv", "style": None, "settings": ["strength=0.5"]}, "are for style models"),
        ({"settings": ["strength=1.5"]}, "`strength` must be"),
        ({"settings": ["ensemble=true"]}, "`ensemble` is for image models. Received a style model"),
    ],
)
def test_what_does_not_apply_is_said_in_one_line(folder, tmp_path, changes, said, capsys):
    assert predict(folder, **{"output": tmp_path / "out", **changes}) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "out").exists()


def test_export_says_what_comes_next(folder, tmp_path, capsys, monkeypatch):
    image = read_rgb(folder / "in" / "a.png")
    monkeypatch.setattr(export_source, "photographs", lambda channels: {"train": [], "val": [image]})
    assert run("export", run=folder / "model.keras", format="keras", output=tmp_path) == 0
    assert "--input IMAGES --style IMAGE --output OUTPUT" in capsys.readouterr().out
    assert run("export", run=folder / "model.keras", format="tflite", output=tmp_path) == 2
    error = capsys.readouterr().err
    assert "The format tflite takes one image" in error and error.count("\n") == 1
