"""The page at `/` in a real browser with the real server."""

from __future__ import annotations

import base64
import io
import threading

import numpy as np
import pytest
from browser import CHROMIUM, open_browser
from doubling_model import export_double
from image_files import ALPHA, RGB, RGBA, encoded
from lanes import first_quick
from live_server import export_negative, live_server, png, random_image
from PIL import Image
from tiny_generator import expected_image

from tfgan_app.serving.saved_models import ModelVersion

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

AS_PNG = """(() => {
  const image = document.querySelector('#after');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
})()"""
RESULT_IS_THERE = "!document.querySelector('#result').hidden && !document.querySelector('#status').innerText"


@pytest.fixture(scope="module")
def browser():
    with open_browser() as started:
        yield started


@pytest.fixture
def page(live, browser):
    browser.open("about:blank")  # A page of a server that has ended goes on asking it.
    browser.console.clear()
    browser.set_viewport(1200, 900)
    open_page(browser, live)
    yield browser
    assert browser.problems == []


def open_page(browser, live):
    browser.open(f"http://127.0.0.1:{live.server.rest_port}/")
    browser.wait_for("!document.querySelector('#model').disabled")


def choose(page, model):
    page.evaluate(
        f"(() => {{ const select = document.querySelector('#model'); select.value = {model!r};"
        " select.dispatchEvent(new Event('change')); })()"
    )


def saved(tmp_path, image, name="my photo.png", **options):
    Image.fromarray(image).save(tmp_path / name, **options)
    return tmp_path / name


def shown(page):
    """The pixels of the result, uint8 `[height, width, 3]`."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(page.evaluate(AS_PNG)))).convert("RGB"))


def text(page, selector):
    return page.evaluate(f"document.querySelector({selector!r}).innerText")


def test_an_image_is_shown_before_and_after_and_can_be_downloaded(page, tmp_path):
    image = random_image(30, 40)
    choose(page, "negative")
    page.set_files("#file", saved(tmp_path, image))
    page.wait_for(RESULT_IS_THERE)
    np.testing.assert_array_equal(shown(page), 255 - image)
    assert text(page, "#summary").startswith("40 \u00d7 30 \u2192 40 \u00d7 30 pixels")
    link = "document.querySelector('#download')"
    assert page.evaluate(f"[{link}.download, {link}.href === document.querySelector('#after').src]") == [
        "my photo-negative.png",
        True,
    ]


def split(page):
    style = "getComputedStyle(document.querySelector('#compare')).getPropertyValue('--split')"
    return page.evaluate(f"Number({style}.slice(0, -1))")


def test_the_slider_works_with_keys_and_with_the_mouse(page, tmp_path):
    choose(page, "negative")
    page.set_files("#file", saved(tmp_path, random_image(300, 400)))
    page.wait_for(RESULT_IS_THERE)
    assert split(page) == 50
    page.evaluate("document.querySelector('#split').focus()")
    page.press("ArrowLeft")
    assert split(page) == 49
    page.press("End")
    assert split(page) == 100
    left, top, width, _ = page.box("#compare")
    page.mouse("mouseMoved", left + 0.5 * width, top + 20)
    page.mouse("mousePressed", left + 0.5 * width, top + 20)
    page.mouse("mouseMoved", left + 0.25 * width, top + 20)
    page.mouse("mouseReleased", left + 0.25 * width, top + 20)
    assert split(page) == 25
    label = "document.querySelector('#split').getAttribute('aria-valuetext')"
    assert page.evaluate(label) == "25 percent before, 75 percent after"


def test_photographs_are_sent_upright(page, tmp_path):
    image = np.kron(random_image(2, 3), np.ones((16, 16, 1), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn clockwise to see it upright.
    choose(page, "negative")
    page.set_files("#file", saved(tmp_path, image, "turned.jpg", exif=exif, quality=100, subsampling=0))
    page.wait_for(RESULT_IS_THERE)
    np.testing.assert_allclose(shown(page), 255 - np.rot90(image, -1), atol=12)


def test_images_are_generated_by_seed_and_class(page):
    choose(page, "dots")
    page.evaluate("document.querySelector('#class').value = 'box'")
    page.click("#generate")
    page.wait_for(RESULT_IS_THERE)
    np.testing.assert_array_equal(shown(page)[..., :1], expected_image(0, label=1))
    assert page.evaluate("document.querySelector('#download').download") == "dots-box-seed-0.png"
    page.click("#another")
    page.wait_for("document.querySelector('#download').download === 'dots-box-seed-1.png'")
    np.testing.assert_array_equal(shown(page)[..., :1], expected_image(1, label=1))


@pytest.mark.large
def test_loading_is_shown_then_the_upscaler_is_chosen_and_described(browser, tmp_path, monkeypatch):
    export_double(tmp_path)
    export_negative(tmp_path, "a_negative")
    (tmp_path / "double" / "MODEL_CARD.md").write_text("# double\n\nMakes images larger: an example.\n")
    may_load, warm_up = threading.Event(), ModelVersion.warm_up

    def warm_up_late(model, path):
        assert model.name != "double" or may_load.wait(240)
        return warm_up(model, path)

    monkeypatch.setattr(ModelVersion, "warm_up", warm_up_late)
    with live_server(tmp_path, wait=False) as server:
        browser.set_viewport(1200, 900)
        open_page(browser, server)
        assert text(browser, "#loading-text") == "1 of 2 models are loaded. Loading double\u2026"
        assert text(browser, "#about") == "Changes images and keeps their size."
        may_load.set()
        browser.wait_for("document.querySelector('#model').value === 'double'")
        assert browser.evaluate("document.querySelector('#loading').hidden")
        assert text(browser, "#about") == "Makes images larger."
        assert "2 times as wide and high" in text(browser, "#facts")
    assert browser.problems == []


@pytest.mark.large
def test_a_model_that_was_chosen_stays_chosen_while_others_load(browser, tmp_path):
    export_negative(tmp_path, "a_negative")
    with live_server(tmp_path) as server:
        open_page(browser, server)
        choose(browser, "a_negative")
        export_double(tmp_path)
        server.wait_until(lambda: server.server._catalog.available().get("double"))
        browser.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        browser.wait_for("document.querySelectorAll('#model option').length === 2")
        assert browser.evaluate("document.querySelector('#model').value") == "a_negative"
    browser.console.clear()


def test_webp_keeps_its_transparency(page, tmp_path):
    (tmp_path / "image.webp").write_bytes(encoded(RGBA, "WEBP", lossless=True, exact=True))
    choose(page, "negative")
    page.set_files("#file", tmp_path / "image.webp")
    page.wait_for(RESULT_IS_THERE)
    result = np.asarray(Image.open(io.BytesIO(base64.b64decode(page.evaluate(AS_PNG)))).convert("RGBA"))
    np.testing.assert_array_equal(result[..., 3], ALPHA)
    np.testing.assert_array_equal(result[ALPHA == 255][:, :3], 255 - RGB[ALPHA == 255])


def test_what_goes_wrong_is_said_in_words(page, tmp_path):
    choose(page, "negative")
    (tmp_path / "notes.png").write_text("no image")
    page.set_files("#file", tmp_path / "notes.png")
    assert "is not an image that this browser can open" in page.wait_for("document.querySelector('#error').innerText")
    page.set_files("#file", saved(tmp_path, random_image(4, 4)))
    page.wait_for(RESULT_IS_THERE)
    assert page.evaluate("document.querySelector('#error').hidden")
    page.set_files("#file", saved(tmp_path, np.zeros((2100, 2000, 3), np.uint8)))
    assert "may have at most 4000000 pixels together" in page.wait_for("document.querySelector('#error').innerText")
    assert page.evaluate("document.querySelector('#result').hidden")
    # The browser notes a refused request by itself.
    assert page.problems and all("400 (Bad Request)" in problem for problem in page.problems)
    page.console.clear()


@pytest.mark.large
def test_a_style_is_asked_for_and_given_as_strongly_as_wanted(live, page, tmp_path):
    content, style = random_image(24, 32), random_image(16, 16)
    choose(page, "style")
    page.set_files("#file", saved(tmp_path, content))
    page.wait_for("document.querySelector('#status').innerText.startsWith('Now choose')")
    assert page.evaluate("document.querySelector('#result').hidden")
    page.set_files("#style-file", saved(tmp_path, style, name="style.png"))
    page.wait_for(RESULT_IS_THERE)
    np.testing.assert_array_equal(shown(page), stylized(live, content, style, strength=1.0))
    page.evaluate(
        "(() => { const range = document.querySelector('#strength'); range.value = 0.25;"
        " range.dispatchEvent(new Event('change')); })()"
    )
    page.wait_for("document.querySelector('#status').innerText")
    page.wait_for(RESULT_IS_THERE)
    np.testing.assert_array_equal(shown(page), stylized(live, content, style, strength=0.25))
    choose(page, "negative")
    assert page.evaluate("document.querySelector('#style-input').hidden")


def stylized(live, content, style, *, strength):
    """The API's result."""
    images, styles = ({"b64": base64.b64encode(png(each)).decode()} for each in (content, style))
    instance = {"image_bytes": images, "style_bytes": styles, "strength": strength}
    body = {"signature_name": "bytes", "instances": [instance]}
    status, answer = live.request("POST", "/v1/models/style:predict", body)
    assert status == 200, answer
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["predictions"][0]["b64"]))).convert("RGB"))


def test_models_of_another_kind_name_their_api(page):
    choose(page, "plain")
    assert "/v1/models/plain/metadata" in text(page, "#other-input")


@pytest.mark.parametrize("width", first_quick([320, 390, 1200]))
def test_nothing_is_wider_than_the_screen(page, live, tmp_path, width):
    page.set_viewport(width, 700, mobile=width < 500)
    open_page(page, live)
    choose(page, "negative")
    page.set_files("#file", saved(tmp_path, random_image(300, 600)))
    page.wait_for(RESULT_IS_THERE)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = "[...document.querySelectorAll('button, .button, select')].filter((item) => item.offsetParent)"
    assert page.evaluate(f"Math.min(...{sizes}.map((item) => item.offsetHeight))") >= 44


def test_nothing_is_loaded_from_elsewhere(page, live):
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    origin = f"http://127.0.0.1:{live.server.rest_port}/"
    assert len(loaded) >= 4 and all(url.startswith(origin) for url in loaded)
    blocked = "fetch('http://example.invalid/').then(() => 'sent', (error) => String(error))"
    assert "sent" not in page.evaluate(blocked)
    assert any("Content Security Policy" in problem for problem in [*page.problems, page.evaluate(blocked)])
    page.console.clear()
