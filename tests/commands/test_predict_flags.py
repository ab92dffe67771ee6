"""The steps around a model, as a user asks `predict` for them: sizes, chains, regions, textures, grain."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image, PngImagePlugin
from small_image_models import model_of
from small_videos import moving_images, read_video, write_video
from tiny_generator import build_tiny_generator

from tfgan_app import cli
from tfgan_app.layers import PixelShuffle

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Models whose results are known: `negative`, `twice` (nearest neighbors), and `strong`, a network."""
    folder = tmp_path_factory.mktemp("models")
    inputs = keras.Input((None, None, 3))
    built = {
        "negative": keras.Model(inputs, layers.Rescaling(-1.0, offset=1.0)(inputs)),
        "twice": keras.Model(inputs, PixelShuffle(2)(layers.Concatenate()([inputs] * 4))),
        "strong": model_of(scale=2),
        "filler": model_of(channels=4),
        "drawing": build_tiny_generator(channels=3),
    }
    for name, model in built.items():
        model.save(folder / f"{name}.keras")
    return {name: folder / f"{name}.keras" for name in built}


@pytest.fixture
def photos(tmp_path):
    """A folder of an image in a folder, a gray one of 16 bits, and a damaged file."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    Image.fromarray(PIXELS).save(folder / "sub" / "a.png")
    Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257).save(folder / "b.png")
    (folder / "bad.png").write_bytes(b"?")
    return folder


def predict(*arguments):
    return cli.run(cli.parse(["tfgan_app", "predict", *map(str, arguments)]))


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


SIZES = {
    "--output-scale=1.5": (60, 84),
    "--output-width=50": (36, 50),
    "--output-height=100": (100, 140),
    "--output-scale=0.1": (4, 6),
}


@pytest.mark.parametrize("flag", SIZES)
def test_any_size_of_a_folder_with_a_bad_file(models, photos, tmp_path, capsys, flag):
    assert predict("--model", models["twice"], "--input", photos, "--output", tmp_path / "out", flag) == 1
    for name in ("sub/a.png", "b.png"):
        assert pixels_of(tmp_path / "out" / name).shape[:2] == SIZES[flag]
    assert pixels_of(tmp_path / "out" / "b.png").dtype == np.uint16
    said = capsys.readouterr().err
    size = f"{SIZES[flag][1]} x {SIZES[flag][0]}"
    assert said.count(f"the model's 112 x 80 pixels were resized to {size} (bicubic, antialiased)") == 2
    assert said.count("bad.png") == 1


def test_a_size_that_the_model_gives_by_itself_is_not_resized(models, photos, tmp_path, capsys):
    options = ("--input", photos / "sub" / "a.png", "--output", tmp_path / "o.png", "--output-width", 112)
    assert predict("--model", models["twice"], *options) == 0
    np.testing.assert_array_equal(pixels_of(tmp_path / "o.png"), PIXELS.repeat(2, 0).repeat(2, 1))
    assert "resized" not in capsys.readouterr().err


def test_one_model_after_the_other(models, photos, tmp_path):
    chain = [flag for name in ("negative", "twice", "twice", "twice") for flag in ("--model", models[name])]
    assert predict(*chain, "--input", photos / "sub" / "a.png", "--output", tmp_path / "o.png", "--tile", 32) == 0
    np.testing.assert_array_equal(pixels_of(tmp_path / "o.png"), 255 - PIXELS.repeat(8, 0).repeat(8, 1))
    with Image.open(tmp_path / "o.png") as image:
        assert "negative.keras, then twice.keras, then twice.keras, then twice.keras" in image.text["Comment"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_comments_of_the_input_stay_beside_what_was_done(models, tmp_path, name):
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "by hand")
    Image.fromarray(PIXELS).save(tmp_path / "in.png", pnginfo=told)
    model, odd = tmp_path / "ü.keras", tmp_path / "Mu\udcf1oz.keras"  # The latter is no UTF-8.
    for path in (model, odd):
        path.write_bytes(models["negative"].read_bytes())
    flags = [
        "--model",
        model,
        "--model",
        odd,
        "--model",
        odd,
        "--input",
        tmp_path / "in.png",
        "--output",
        tmp_path / name,
        "--output-scale",
        "2",
    ]
    assert predict(*flags) == 0
    data = (tmp_path / name).read_bytes()
    assert b"by hand" in data and b"oz.keras; the model's 56 x 40 pixels were resized to 112 x 80" in data
    assert "ü.keras, then Mu".encode() in data


def test_textures_and_regions_and_grain_of_a_folder(models, photos, tmp_path):
    mask = np.zeros((40, 56), np.uint8)
    mask[10:30, 10:40] = 255
    Image.fromarray(mask).save(tmp_path / "keep.png")
    flags = ["--model", models["negative"], "--input", photos, "--wrap", "--keep-mask", tmp_path / "keep.png"]
    flags += ["--set", "grain=0.05", "--set", "feather_px=4", "--seed", "3"]
    for out, tile in (("one", 32), ("two", 1000)):
        assert predict(*flags, "--output", tmp_path / out, "--tile", tile) == 1
    first, second = (pixels_of(tmp_path / out / "sub" / "a.png") for out in ("one", "two"))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[10:30, 10:40], PIXELS[10:30, 10:40])
    difference = first[:4].astype(float) - (255 - PIXELS[:4])
    assert 2 < difference.std() < 13 and abs(difference.mean()) < 1.5
    gray = pixels_of(tmp_path / "one" / "b.png")
    np.testing.assert_array_equal(gray[10:30, 10:40], PIXELS[10:30, 10:40, 0].astype(np.uint16) * 257)


def test_a_file_says_how_results_came_about(models, photos, tmp_path):
    Image.fromarray(np.zeros((40, 56), np.uint8)).save(tmp_path / "keep.png")
    flags = ["--model", models["negative"], "--model", models["twice"], "--input", photos, "--output", tmp_path / "out"]
    flags += ["--output-width", 64, "--keep-mask", tmp_path / "keep.png", "--set", "grain=0.01", "--seed", 5]
    assert predict(*flags, "--json", tmp_path / "facts.json") == 1
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert [model["name"] for model in facts["models"]] == ["negative.keras", "twice.keras"]
    assert [model["scale"] for model in facts["models"]] == [1, 2]
    assert facts["resize"] == {"scale": None, "width": 64, "height": None, "method": "bicubic, antialiased"}
    assert facts["grain"] == {"amount": 0.01, "seed": 5} and facts["wrap"] is False
    assert facts["keep_mask"] == {"path": str(tmp_path / "keep.png"), "feather_px": 8.0}
    assert len(facts["written"]) == 2 and facts["failed"] == [str(photos / "bad.png")] and facts["tfgan_app"]
    assert facts["command"].startswith("tfgan_app predict --model")


@pytest.mark.parametrize(("name", "size"), [("o.mp4", (34, 48)), ("o.gif", (35, 48)), ("o.webm", (34, 48))])
def test_a_video_takes_all_of_them(models, tmp_path, name, size):
    frames = moving_images(5, height=48, width=66)
    source = write_video(tmp_path / "in.mp4", frames)
    mask = np.zeros((48, 66), np.uint8)
    mask[:, :33] = 255
    Image.fromarray(mask).save(tmp_path / "keep.png")
    chain = ["--model", models["negative"], "--model", models["twice"], "--wrap", "--output-width", "48"]
    chain += ["--keep-mask", tmp_path / "keep.png", "--set", "grain=0.03", "--input", source]
    assert predict(*chain, "--output", tmp_path / name) == 0
    if name == "o.gif":
        with Image.open(tmp_path / name) as image:
            assert (image.height, image.width, image.n_frames) == (*size, 5)
        return
    result = read_video(tmp_path / name).frames
    assert len(result) == 5 and result[0].shape[:2] == size
    small = np.asarray(Image.fromarray(frames[2]).resize(size[::-1], Image.Resampling.BICUBIC), float)
    assert np.abs(result[2][:, :20] - small[:, :20]).mean() < 8  # Kept.
    # The right edge leads over to what is kept at the left one.
    assert np.abs(result[2][:, 33:40] - (255 - small[:, 33:40])).mean() < 12


def test_videos_in_a_folder_take_them_too(models, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    write_video(tmp_path / "in" / "a.mp4", moving_images(3, height=48, width=64))
    Image.fromarray(PIXELS).save(tmp_path / "in" / "b.png")
    Image.fromarray(np.zeros((48, 64), np.uint8)).save(tmp_path / "keep.png")
    flags = ["--model", models["twice"], "--input", tmp_path / "in", "--output", tmp_path / "out"]
    assert predict(*flags, "--output-scale", "0.5", "--keep-mask", tmp_path / "keep.png") == 1
    assert read_video(tmp_path / "out" / "a.mp4").frames[0].shape == (24, 32, 3)
    said = capsys.readouterr().err
    assert "It has 64 x 48 pixels, the image 56 x 40" in said and "128 x 96 pixels were resized to 32 x 24" in said


def test_grain_of_a_video_moves(models, tmp_path):
    images = [np.full((64, 64, 3), 126 + index, np.uint8) for index in range(3)]  # Equal ones would become one.
    Image.fromarray(images[0]).save(
        tmp_path / "in.webp",
        save_all=True,
        append_images=[Image.fromarray(each) for each in images[1:]],
        lossless=True,
    )
    flags = ["--model", models["negative"], "--input", tmp_path / "in.webp", "--set", "grain=0.05", "--quality", "100"]
    assert predict(*flags, "--output", tmp_path / "o.webp") == 0
    with Image.open(tmp_path / "o.webp") as image:
        frames = []
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB"), float))
    assert len(frames) == 3 and frames[0].std() > 8 and np.abs(frames[0] - frames[1]).std() > 8


def test_a_video_of_huge_frames_is_refused_before_anything_is_computed(models, tmp_path, capsys):
    source = write_video(tmp_path / "in.mp4", moving_images(2, height=48, width=64))
    flags = ["--model", models["negative"], "--input", source, "--output", tmp_path / "o.mp4"]
    assert predict(*flags, "--output-width", "100000") == 2
    assert "its frames would become 100000 x 75000 pixels" in capsys.readouterr().err
    assert not (tmp_path / "o.mp4").exists()


REFUSED = {
    "two sizes": (["strong"], ["--output-scale", "2", "--output-width", "5"], "not allowed with argument"),
    "no size": (["strong"], ["--output-scale", "0"], "must be a number above 0"),
    "a huge size": (["strong"], ["--output-scale", "1000"], "`--output-scale` must be at most 64. Received: 1000"),
    "feather alone": (["strong"], ["--set", "feather_px=3"], "`feather_px` needs `--keep-mask FILE`. Received none"),
    "too much grain": (["strong"], ["--set", "grain=2"], "`grain` must be"),
    "seed alone": (["strong"], ["--seed", "2"], "`--seed` is not supported for this model"),
    "crop alone": (["strong"], ["--crop", "0,0,8"], "`--crop` needs `--compare`, which is missing"),
    "drawn and then": (["drawing", "strong"], [], "only for image models. Received: '.*drawing.keras', a noise model"),
    "holes behind": (["strong", "filler"], [], "fills holes must be the first `--model`"),
    "drawn and wrapped": (["drawing"], ["--wrap"], "`--wrap` is not supported for this model. Leave it out"),
    "drawn and resized": (["drawing"], ["--output-width", "9"], "`--output-width` is not supported for this model"),
    "drawn and grained": (["drawing"], ["--set", "grain=0.1"], "`grain` is for image models"),
    "no mask": (["strong"], ["--keep-mask", "missing"], "The mask must be an image or a folder of images"),
    "page and size": (["strong"], ["--compare", "--output-width", "9"], "`--output-width` is not supported with"),
    "page and wrap": (["strong"], ["--compare", "--wrap"], "`--wrap` is not supported with `--compare`"),
    "page as jpg": (["strong"], ["--compare"], "must be a page, .html, or a sheet, .png. Received: '.*o.jpg'"),
    "page of holes": (["filler"], ["--compare", "--output", "o.png"], "`--compare` is for models without a mask"),
    "page of noise": (
        ["drawing"],
        ["--compare", "--output", "o.png"],
        "which is only for image models. Received: .*, a noise model",
    ),
    "crop outside": (["strong"], ["--compare", "--output", "o.png", "--crop", "50,0,8"], "There is nothing to compare"),
    "bad crop": (["strong"], ["--compare", "--crop", "1,2"], "must be X,Y,SIZE in pixels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_in_one_line(models, photos, tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    names, flags, message = REFUSED[name]
    chain = [flag for each in names for flag in ("--model", models[each])]
    given = [] if names == ["drawing"] and "--compare" not in flags else ["--input", photos / "sub" / "a.png"]
    try:
        code = predict(*chain, *given, "--output", "o.jpg", *flags)
    except SystemExit as stopped:
        code = stopped.code
    said = capsys.readouterr().err
    assert code == 2 and re.search(message, said), said
    assert said.strip().count("\n") == (1 if name == "crop outside" else 0)
    assert not list(tmp_path.glob("o.*"))


MEASURE = r"""
import re, sys
from pathlib import Path
from tfgan_app import cli
code = cli.run(cli.parse(["tfgan_app", "predict", *sys.argv[1:]]))
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 2**20
print(code, peak)
"""


@pytest.mark.large
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory as Linux tells it")
def test_a_tall_image_takes_no_more_memory_than_a_low_one(models, tmp_path):
    """With all steps at once; the input, its mask and what wraps them are held, the result is not."""
    peaks = {}
    for height in (500, 4000):
        rng = np.random.default_rng(0)
        Image.fromarray(rng.integers(0, 256, (height, 1000, 3), np.uint8)).save(tmp_path / "in.png")
        Image.fromarray(rng.integers(0, 2, (height, 1000), np.uint8) * 255).save(tmp_path / "keep.png")
        flags = ["--model", models["strong"], "--model", models["twice"], "--wrap", "--output-scale", "8"]
        flags += ["--keep-mask", tmp_path / "keep.png", "--set", "grain=0.02"]
        flags += ["--input", tmp_path / "in.png", "--output", tmp_path / "out.tif"]
        command = [sys.executable, "-c", MEASURE, *map(str, flags)]
        finished = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
        code, peaks[height] = json.loads("[" + finished.stdout.splitlines()[-1].replace(" ", ",") + "]")
        assert code == 0
    print(peaks)
    result = 4000 * 1000 * 8**2 * 3 / 2**30
    assert peaks[4000] < peaks[500] + 0.25 * result
