"""`tfgan_app predict` as a user runs it."""

from __future__ import annotations

import argparse

import keras
import numpy as np
import pytest
import tifffile
from PIL import Image
from tiny_generator import build_tiny_generator, expected_image

from tfgan_app import cli
from tfgan_app.commands import predict
from tfgan_app.export import export_model
from tfgan_app.image_io.loading import read_rgb, write_image


@pytest.fixture(scope="module")
def negative(tmp_path_factory):
    """A model file whose outputs are known: 1 - input, at any size."""
    inputs = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(3, 1)
    model = keras.Model(inputs, convolution(inputs))
    convolution.set_weights([-np.eye(3, dtype=np.float32)[None, None], np.ones(3, np.float32)])
    path = tmp_path_factory.mktemp("model") / "negative.keras"
    model.save(path)
    return path


def arguments(model, **changes):
    """The flags of a command line that names a model, an input and an output, some of them changed."""
    parsed = cli.parse(["tfgan_app", "predict", "--model", str(model), "--input", "in", "--output", "out"])
    return argparse.Namespace(**{**vars(parsed), "input": None, "output": None, "classes": [], **changes})


def test_a_folder_with_a_corrupt_file(negative, tmp_path, capsys):
    image = np.random.default_rng(0).integers(0, 256, (5, 3, 3), np.uint8)
    write_image(tmp_path / "in" / "sub" / "ä.png", image)
    (tmp_path / "in" / "corrupt.jpg").write_bytes(b"?")
    args = arguments(negative, input=str(tmp_path / "in"), output=str(tmp_path / "out"))
    assert predict.run(args) == 1
    np.testing.assert_array_equal(read_rgb(tmp_path / "out" / "sub" / "ä.png"), 255 - image)
    printed = capsys.readouterr()
    assert "1 written to" in printed.out and "1 failed" in printed.out
    assert printed.err.count("corrupt.jpg") == 1 and printed.err.count("\n") == 1
    (tmp_path / "in" / "corrupt.jpg").unlink()
    assert predict.run(args) == 0


def test_floats_above_1_are_no_reason_for_a_black_image(negative, tmp_path, capsys):
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (48, 1, 3))
    for name, wrong in (("over", 1.02), ("nan", np.nan)):
        values = ramp.copy()
        values[0, 0] = wrong
        tifffile.imwrite(tmp_path / f"{name}.tif", values, photometric="rgb", metadata=None)
        args = arguments(negative, input=str(tmp_path / f"{name}.tif"), output=str(tmp_path / "out.tif"))
        assert predict.run(args) == 0
        assert "were read as 0 to 1 and rounded to 16 bits" in capsys.readouterr().err
        np.testing.assert_allclose(tifffile.imread(tmp_path / "out.tif")[1:] / 65535, 1 - ramp[1:], atol=1e-3)


def test_no_program_is_called_for_what_is_named_like_a_photo(negative, tmp_path, capsys, ghostscript):
    image = np.random.default_rng(0).integers(0, 256, (5, 3, 3), np.uint8)
    write_image(tmp_path / "in" / "a.png", image)
    Image.fromarray(image).save(tmp_path / "in" / "drawing.jpg", "EPS")
    args = arguments(negative, input=str(tmp_path / "in"), output=str(tmp_path / "out"))
    assert predict.run(args) == 1
    assert "drawing.jpg': its image format is not supported: it looks like EPS" in capsys.readouterr().err
    args.mask, args.output = str(tmp_path / "in" / "drawing.jpg"), str(tmp_path / "masked")
    assert predict.run(args) == 1
    assert capsys.readouterr().err.count("it looks like EPS") == 2
    assert not ghostscript.exists()


def test_the_input_range_is_settled_by_hand(negative, tmp_path, capsys):
    values = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
    tifffile.imwrite(tmp_path / "in.tif", values, photometric="minisblack", metadata=None)
    command = ["predict", "--model", negative, "--input", tmp_path / "in.tif", "--output", tmp_path / "out.tif"]
    assert cli.run(cli.parse(["tfgan_app", *map(str, command), "--input-range=-1,1"])) == 0
    assert "were read as -1 to 1" in capsys.readouterr().err
    np.testing.assert_allclose(tifffile.imread(tmp_path / "out.tif") / 65535, 0.5 - values / 2, atol=1e-3)


@pytest.mark.parametrize("wrong", ["1,0", "5", "1,1", "0,1,2", "a,b", "0,inf", "nan,1"])
def test_a_wrong_input_range_is_a_usage_error(wrong, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.parse(["tfgan_app", "predict", "--model", "m", "--output", "o", f"--input-range={wrong}"])
    assert stopped.value.code == 2
    assert "must be LOW,HIGH, the lower number first, as in 0,4095" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": None}, "`--input` must name"),
        ({"count": 3}, "`--count` is not supported for this model"),
        ({"seed": 0}, "`--seed` is not supported for this model. Received: 0. Leave it out"),
        ({"classes": ["a", "b"]}, "`--class` is not supported for this model. Received: a, b. Leave it out"),
        ({"truncation": 0.5}, "`--truncation` is not supported for this model"),
        ({"input": "missing"}, "There is none at 'missing'"),
    ],
)
def test_flags_that_do_not_apply(negative, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        predict.run(arguments(negative, **{"input": str(tmp_path), "output": str(tmp_path / "out"), **changes}))


@pytest.fixture(scope="module")
def generators(tmp_path_factory):
    """Exports of a model without classes and of one with them, and where they came from."""
    folder = tmp_path_factory.mktemp("generators")
    models = {"plain": build_tiny_generator(channels=3), "classes": build_tiny_generator(class_names=("bag", "a/b"))}
    for name, model in models.items():
        export_model(model, format="keras", output_dir=folder, name=name)
        export_model(model, format="saved_model", output_dir=folder, name=name)
    return folder


def run_cli(*arguments):
    return cli.run(cli.parse(["tfgan_app", "predict", *map(str, arguments)]))


@pytest.mark.parametrize("model", ["classes.keras", "classes"])
def test_images_are_drawn_and_drawn_again(generators, tmp_path, capsys, model):
    drawing = ["--model", generators / model, "--output"]
    assert run_cli(*drawing, tmp_path / "all", "--count", 3, "--seed", 41) == 0
    assert f"6 written to {tmp_path / 'all'}\n" == capsys.readouterr().out
    names = {path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*.png")}
    assert names == {f"{folder}/seed-{seed:07d}.png" for folder in ("bag", "a_b") for seed in (41, 42, 43)}
    assert run_cli(*drawing, tmp_path / "one.png", "--count", 1, "--seed", 42, "--class", "A/B") == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "all" / "a_b" / "seed-0000042.png").read_bytes()
    with Image.open(tmp_path / "one.png") as image:
        assert image.mode == "L"
        np.testing.assert_allclose(np.asarray(image, int), expected_image(42, label=1)[..., 0], atol=1)


def test_defaults_and_truncation(generators, tmp_path):
    drawing = ["--model", generators / "plain", "--output"]
    assert run_cli(*drawing, tmp_path / "out", "--truncation", 0.5) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"seed-{seed:07d}.png" for seed in range(16)]
    images = np.stack([read_rgb(tmp_path / "out" / name) for name in names])
    assert 64 <= images.min() < 70 and 185 < images.max() <= 191  # Latents in [-0.5, 0.5].


def test_an_image_that_cannot_be_written_is_named(generators, tmp_path, capsys):
    (tmp_path / "seed-0000001.png").mkdir()
    assert run_cli("--model", generators / "plain", "--output", tmp_path, "--count", 3) == 1
    printed = capsys.readouterr()
    assert printed.out == f"2 written to {tmp_path}, 1 failed\n"
    assert printed.err.count("seed-0000001.png") == 1 and printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("model", "flags", "message"),
    [
        ("plain", ["--input", "x.png"], "`--input` is not supported for this model. Received: x.png. Leave it out."),
        ("plain", ["--tile", "64"], "`--tile` is not supported for this model. Received: 64. Leave it out."),
        ("plain", ["--class", "bag"], "The model has no classes. Received: bag"),
        ("classes", ["--class", "bag", "--class", "bug"], "There is no class 'bug'. The model's classes are: bag, a/b"),
        ("plain", ["--seed", str(2**63)], "Seeds must be at most 9223372036854775807."),
    ],
)
def test_wrong_flags_for_a_generator_are_one_line(generators, tmp_path, capsys, model, flags, message):
    assert run_cli("--model", generators / model, "--output", tmp_path / "out", *flags) == 2
    line = capsys.readouterr().err
    assert message in line and line.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_image_that_was_blended_from_tiles_says_so(tmp_path, capsys):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.GroupNormalization(-1)(inputs))
    model.save(tmp_path / "whole.keras")
    write_image(tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (300, 40, 3), np.uint8))
    arguments = ("--model", tmp_path / "whole.keras", "--input", tmp_path / "a.png", "--output", tmp_path / "b.png")
    assert run_cli(*arguments) == 0
    assert capsys.readouterr().err == ""
    assert run_cli(*arguments, "--tile", 64) == 0
    assert f"note: '{tmp_path / 'a.png'}': the model sees whole images" in capsys.readouterr().err


def test_an_animated_image_is_a_video(negative, tmp_path, capsys):
    frames = [Image.fromarray(np.full((20, 24, 3), 40 * k, np.uint8)) for k in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[50, 100, 50, 200], loop=0)
    arguments = ("--model", negative, "--input", tmp_path / "a.gif", "--output", tmp_path / "b.gif")
    assert run_cli(*arguments) == 0
    assert capsys.readouterr().out == f"4 frames written to {tmp_path / 'b.gif'}\n"
    with Image.open(tmp_path / "b.gif") as image:
        assert image.n_frames == 4
        image.seek(1)
        assert image.info["duration"] == 100
        assert abs(int(np.asarray(image.convert("RGB")).mean()) - 215) <= 2
    assert run_cli(*arguments, "--quality", 80) == 2
    assert "`--quality` is not supported for this model" in capsys.readouterr().err
