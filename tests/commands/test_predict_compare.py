"""`predict --compare`: models side by side, on a page that needs nothing else, and on a sheet."""

from __future__ import annotations

import base64
import html.parser
import io
import json
import re

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from small_image_models import model_of
from small_videos import moving_images, write_video

from tfgan_app import cli
from tfgan_app.commands.compare_crops import Crop, choose_crops
from tfgan_app.degradations.resampling import resize
from tfgan_app.inference import load_predictor


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A network that doubles, and the negative."""
    folder = tmp_path_factory.mktemp("models")
    inputs = keras.Input((None, None, 3))
    model_of(scale=2).save(folder / "twice.keras")
    keras.Model(inputs, layers.Rescaling(-1.0, offset=1.0)(inputs)).save(folder / "<b>.keras")
    return [folder / "twice.keras", folder / "<b>.keras"]


@pytest.fixture
def photos(tmp_path):
    """Flat gray with a square of detail at (64, 32), and a damaged file."""
    pixels = np.full((96, 160, 3), 90, np.uint8)
    pixels[32:64, 64:96] = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "bad.jpg").write_bytes(b"?")
    return tmp_path / "in", pixels


def compare(models, *arguments):
    chain = [flag for model in models for flag in ("--model", model)]
    return cli.run(cli.parse(["tfgan_app", "predict", "--compare", *map(str, [*chain, *arguments])]))


class Page(html.parser.HTMLParser):
    """Images of a page by their names, and all addresses."""

    def __init__(self, text):
        super().__init__()
        self.images, self.addresses = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.addresses += [attrs[name] for name in ("src", "href") if name in attrs]
        if tag == "img":
            data = base64.b64decode(attrs["src"].partition("base64,")[2])
            self.images.setdefault(attrs["alt"], []).append(np.asarray(Image.open(io.BytesIO(data))))


def test_a_page_holds_all_it_shows(models, photos, tmp_path, capsys):
    folder, pixels = photos
    assert compare(models, "--input", folder, "--output", tmp_path / "page.html", "--crop", "60,30,40") == 1
    printed = capsys.readouterr()
    assert printed.out == f"2 models on 1 crops compared in {tmp_path / 'page.html'}, 1 failed\n"
    assert printed.err.count("bad.jpg") == 1 and printed.err.count("\n") == 1
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert all(address.startswith("data:") for address in page.addresses) and "http" not in re.sub(
        'data:[^"]*', "", text
    )
    whole = load_predictor(models[0]).image(pixels)[60:140, 120:200]
    (made,), (negative,), (bicubic,) = (page.images[name] for name in ("twice.keras", "<b>.keras", "bicubic"))
    np.testing.assert_allclose(made.astype(int), whole, atol=1)
    enlarged = np.clip(resize(pixels[None] / np.float32(255), height=192, width=320)[0], 0, 1)[60:140, 120:200]
    np.testing.assert_allclose(bicubic, np.asarray(enlarged) * 255, atol=0.6)
    np.testing.assert_allclose(negative, 255 - np.asarray(enlarged) * 255, atol=1.1)
    assert "<b>.keras" not in text.replace("\\u003cb>.keras", "")
    record = json.loads(re.search(r'id="comparison">(.*?)</script>', text)[1])
    assert [model["name"] for model in record["models"]] == ["twice.keras", "<b>.keras"]
    assert record["models"][0]["bytes"] == models[0].stat().st_size and record["models"][0]["seconds"] > 0
    assert record["images"] == [{"name": "a.png", "size": [160, 96], "crops": ["60,30,40"]}]


def test_a_sheet_and_the_crop_with_the_most_detail(models, photos, tmp_path):
    folder, pixels = photos
    assert compare(models, "--input", folder / "a.png", "--output", tmp_path / "sheet.png", "--output-scale", 6) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 4 * 6 + 3 * 384 and sheet.height > 384
    (crop,) = choose_crops(pixels, size=32, count=1)
    assert crop == Crop(64, 32, 32)
    chosen = choose_crops(pixels, size=32, count=3)
    assert len(chosen) == 3 and len({(each.x // 32, each.y // 32) for each in chosen}) == 3
    assert choose_crops(pixels[:20, :20], size=20, count=3) == [Crop(0, 0, 20)]


def test_inputs_are_not_overwritten_and_an_earlier_sheet_is_none(models, photos, tmp_path, capsys):
    folder, _ = photos
    (folder / "bad.jpg").unlink()
    assert compare(models[1:], "--input", folder / "a.png", "--output", folder / "a.png") == 2
    assert "would overwrite the input" in capsys.readouterr().err
    for _ in range(2):
        assert compare(models[1:], "--input", folder, "--output", folder / "sheet.png") == 0
    assert capsys.readouterr().out.count("1 models on 1 crops") == 2


@pytest.mark.parametrize("name", ["o.html", "o.png"])
def test_names_that_are_no_utf_8(models, photos, tmp_path, name):
    folder, _ = photos
    model, image = tmp_path / "Mu\udcf1oz.keras", tmp_path / "Mu\udcf1oz.png"
    model.write_bytes(models[1].read_bytes())
    image.write_bytes((folder / "a.png").read_bytes())
    assert compare([model], "--input", image, "--output", tmp_path / name) == 0
    assert (tmp_path / name).stat().st_size > 1000


def test_a_video_is_compared_by_its_first_frame(models, tmp_path):
    write_video(tmp_path / "in.mp4", moving_images(3, height=64, width=96))
    assert compare(models[1:], "--input", tmp_path / "in.mp4", "--output", tmp_path / "o.html", "--crop", "0,0,64") == 0
    assert "in.mp4" in (tmp_path / "o.html").read_text()


@pytest.mark.parametrize("multiple", [1, 8])
def test_parts_with_margins_fit_strides(multiple):
    for x in (0, 3, 50, 66):
        crop = Crop(x, 5, 30)
        rows, columns, (top, left) = crop.with_margin((41, 96), margin=10, multiple=multiple)
        assert columns.start + left == x and rows.start + top == 5
        assert columns.start % multiple == 0 and (columns.stop - columns.start - 96) % multiple == 0
        assert columns.start <= max(0, x - 10) and columns.stop >= min(96, x + 40)
