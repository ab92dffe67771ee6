"""The studio's tabs Generate and Translate in a real browser, with models that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from live_studio import fill, message, newest_job, open_tab, upload
from PIL import Image
from tiny_generator import build_tiny_generator, expected_image
from tiny_style import build_tiny_style_model

import tfgan_app as tfgan
from tfgan_app.networks import NOISE_GENERATORS
from tfgan_app.tasks.generate.builders import build_inference_model
from tfgan_app.tasks.generate.config import GenerateConfig

pytestmark = pytest.mark.large


@pytest.fixture(scope="module")
def models(folder):
    build_tiny_generator(channels=3, class_names=("dot", "box")).save(folder / "dots.keras")
    build_tiny_style_model().save(folder / "style.keras")
    settings = GenerateConfig(architecture="biggan", latent_dim=8)
    generator = NOISE_GENERATORS["biggan"](size_px=8, channels=3, latent_dim=8, width=8)
    build_inference_model(generator, settings).save(folder / "biggan.keras")
    return folder


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_images_are_generated_by_seed_and_saved_by_a_command(page, address, models):
    open_tab(page, address, "Generate")
    fill(page, "#generator input", "dots.keras")
    fill(page, "#count input", "3")
    fill(page, "#seed input", "5")
    page.click("#generate")
    images = "[...document.querySelectorAll('#generated .grid-container img')]"
    page.wait_for(f"{images}.length === 6 && {images}.every((image) => image.naturalWidth === 4)", timeout_s=240)
    page.wait_for("document.querySelector('#generated').innerText.includes('seed 7')")
    page.click("#next-seeds")
    page.wait_for("document.querySelector('#generated').innerText.includes('seed 10')")
    assert page.evaluate("document.querySelector('#seed input').value") == "8"
    page.click("#save-generated")
    assert "--count 3 --seed 8" in newest_job(page, title="Generate with dots.keras")
    (path,) = models.glob("studio_results/generated-*/box/seed-0000009.png")
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), expected_image(9, channels=3, label=1))


def test_styles_are_mixed_in_a_grid(page, address, models, tmp_path):
    open_tab(page, address, "Generate")
    fill(page, "#generator input", "dots.keras")
    page.wait_for(
        "document.querySelector('#generator-limits').innerText.includes('one input for all layers')", timeout_s=240
    )
    fill(page, "#generator input", "biggan.keras")
    page.wait_for(
        "document.querySelector('#generator-limits').innerText.startsWith('It has no classes')", timeout_s=240
    )
    page.click("#mix-fields button")
    page.wait_for("!!document.querySelector('#mix textarea, #mix input')")
    fill(page, "#mix textarea, #mix input", "1,2")
    fill(page, "#mix-2 textarea, #mix-2 input", "3,4,5")
    page.click("#mix-run")
    page.wait_for("!!document.querySelector('#generated-links a')?.href", timeout_s=240)
    with Image.open(page.download("#generated-links a", tmp_path / "got")) as image:
        assert image.size == (4 * 10 + 2, 3 * 10 + 2)


def test_a_model_of_another_tab_is_said(page, address, models):
    open_tab(page, address, "Generate")
    page.click("#generate")
    assert "Choose a model first" in message(page)
    fill(page, "#generator input", "upscale_x4")
    page.click("#generate")
    assert "takes images" in message(page)


def drop_on_canvas(page, photo):
    page.wait_for("!!document.querySelector('#canvas canvas')", timeout_s=60)
    upload(page, "#canvas", photo)
    page.evaluate("new Promise((done) => setTimeout(done, 3000))")  # The canvas draws it; nothing tells when.


def result(page):
    return page.wait_for("document.querySelector('#translate-links a')?.href", timeout_s=240)


def fetched(page, folder):
    path = page.download("#translate-links a", folder)
    with Image.open(path) as image:
        return np.asarray(image)


def test_an_image_is_translated(page, address, models, photo, tmp_path):
    open_tab(page, address, "Translate")
    fill(page, "#translator input", "restore")
    page.click("#translate")
    assert "draw something first" in message(page)
    drop_on_canvas(page, photo)
    page.click("#translate")
    result(page)
    np.testing.assert_array_equal(fetched(page, tmp_path / "got"), np.asarray(tfgan.load("restore").predict(photo)))


def test_a_style_is_given_as_strongly_as_wanted(page, address, models, photo, tmp_path):
    open_tab(page, address, "Translate")
    fill(page, "#translator input", "style.keras")
    drop_on_canvas(page, photo)
    page.click("#translate")
    assert "needs a style image" in message(page)
    upload(page, "#style", photo)
    page.wait_for("!!document.querySelector('#style img')")
    page.click("#translate")
    first = result(page)
    page.evaluate("document.querySelector('#strength input[type=range]').focus()")
    for _ in range(8):
        page.press("ArrowLeft")
    page.evaluate("document.querySelector('#strength input[type=range]').dispatchEvent(new PointerEvent('pointerup'))")
    page.click("#translate")
    page.wait_for(f"document.querySelector('#translate-links a')?.href !== {first!r}", timeout_s=120)
    strength = float(page.evaluate("document.querySelector('#strength input[type=range]').value"))
    assert strength == pytest.approx(0.6)
    expected = tfgan.load(models / "style.keras").predict(photo, style=photo, strength=strength)
    np.testing.assert_array_equal(fetched(page, tmp_path / "got"), np.asarray(expected))
