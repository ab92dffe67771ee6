"""The web page in a real browser, against the model in Python."""

import base64
import functools
import io
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from browser import CHROMIUM, open_browser
from lanes import first_quick
from local_networks import build_local_network
from oriented_files import BROWSER, ORIENTATIONS, is_upright, oriented_file
from PIL import Image
from small_tflite import small_tflite

from tfgan_app.export.web import PageModel, write_page
from tfgan_app.layers import receptive_field_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

TILE_PX = 32


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def models():
    """Networks with random weights: one upscales four times, one pads to multiples of 4 and pools."""
    return {name: build_local_network(name) for name in ("enlarging", "pooled")}


@pytest.fixture(scope="module")
def site(models, tmp_path_factory):
    """A static web server's address, with a page for each of several models."""
    folder = tmp_path_factory.mktemp("site")
    for name, model in models.items():
        receptive_field = receptive_field_of(model)
        facts = PageModel(
            name, f"The {name} model", receptive_field.scale, TILE_PX, receptive_field.halo_px, receptive_field.multiple
        )
        write_page(folder / name, tflite=small_tflite(model, tile_px=TILE_PX), model=facts)
    enlarging = (folder / "enlarging" / "model.tflite").read_bytes()
    write_page(folder / "whole", tflite=enlarging, model=PageModel("whole", "Looks far", 4, TILE_PX, None))
    write_page(folder / "wrong", tflite=enlarging, model=PageModel("wrong", "Of another size", 4, 2 * TILE_PX, 5))
    integers = small_tflite(models["enlarging"], tile_px=TILE_PX, dtype="uint8")
    facts = PageModel(
        "integers", "In integers", 4, TILE_PX, receptive_field_of(models["enlarging"]).halo_px, dtype="uint8"
    )
    write_page(folder / "integers", tflite=integers, model=facts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_QuietHandler, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}", folder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser():
    with open_browser() as page:
        yield page


@pytest.fixture
def open_page(browser, site):
    """Opens the page of a model and waits until the model is loaded."""

    def opened(name):
        browser.set_viewport(1200, 900)
        browser.open(f"{site[0]}/{name}/")
        browser.wait_for("document.body.dataset.state")
        return browser

    return opened


def photo(width, height, *, channels=3):
    """Soft shades with hard edges and some noise, uint8 [height, width, channels]."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    shades = np.stack([rows * 5, columns * 3, (rows + columns) * 2, 255 * (rows > 9)], axis=-1)[..., :channels] % 256
    return np.clip(shades + rng.integers(-9, 10, shades.shape), 0, 255).astype(np.uint8)


def saved(pixels, path, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def run_on(page, path):
    """Chooses a file, waits for the result and returns its pixels: uint8 [height, width, 4]."""
    page.evaluate("delete document.body.dataset.state")
    page.set_files("#file", path)
    page.wait_for("document.body.dataset.state === 'done'")
    return canvas_pixels(page)


def canvas_pixels(page):
    png = page.evaluate("document.getElementById('after').toDataURL('image/png').split(',')[1]")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def in_python(model, pixels):
    """The model's result for the whole image: uint8 [height, width, 3]."""
    outputs = np.asarray(model(pixels[np.newaxis].astype(np.float32) / 255, training=False))[0]
    return np.rint(np.clip(outputs, 0, 1) * 255).astype(np.uint8)


def largest_difference(pixels, expected):
    assert pixels.shape[:2] == expected.shape[:2]
    return np.abs(pixels[..., :3].astype(int) - expected).max()


def text(page, name):
    return page.evaluate(f"document.getElementById('{name}').textContent")


def is_visible(page, name):
    return page.evaluate(f"document.getElementById('{name}').checkVisibility()")


@pytest.mark.parametrize("size", first_quick([(101, 75), (33, 32), (32, 32)], unpack=False))
def test_an_image_of_several_tiles_comes_out_as_in_python(open_page, models, tmp_path, size):
    pixels = photo(*size)
    result = run_on(open_page("enlarging"), saved(pixels, tmp_path / "photo.png"))
    assert largest_difference(result, in_python(models["enlarging"], pixels)) <= 1


@pytest.mark.large
def test_sides_that_are_no_multiple_of_the_networks_are_mirrored_as_the_network_does(open_page, models, tmp_path):
    pixels = photo(103, 70)
    result = run_on(open_page("pooled"), saved(pixels, tmp_path / "photo.png"))
    assert largest_difference(result, in_python(models["pooled"], pixels)) <= 1


@pytest.mark.large
def test_an_image_smaller_than_a_tile_differs_near_its_lower_and_right_border_only(open_page, models, tmp_path):
    pixels = photo(20, 24)
    result = run_on(open_page("enlarging"), saved(pixels, tmp_path / "photo.png"))
    expected = in_python(models["enlarging"], pixels)
    halo_px = receptive_field_of(models["enlarging"]).halo_px
    inner = np.s_[: 4 * (24 - halo_px), : 4 * (20 - halo_px)]
    assert result.shape == (96, 80, 4)
    assert largest_difference(result[inner], expected[inner]) <= 1


def test_a_model_that_looks_too_far_for_its_tiles_is_blended_and_the_page_says_so(open_page, models, tmp_path):
    page = open_page("whole")
    assert "blended from overlapping tiles" in text(page, "facts")
    pixels = photo(101, 75)
    result = run_on(page, saved(pixels, tmp_path / "photo.png"))
    # This one does not look far after all, so that what blends is equal.
    assert largest_difference(result, in_python(models["enlarging"], pixels)) <= 2


@pytest.mark.large
def test_a_model_of_integers_comes_out_as_in_python(open_page, site, tmp_path):
    pixels = photo(TILE_PX, TILE_PX)
    result = run_on(open_page("integers"), saved(pixels, tmp_path / "photo.png"))
    runner = Interpreter(str(site[1] / "integers" / "model.tflite")).get_signature_runner("serving_default")
    assert largest_difference(result, runner(images=pixels[np.newaxis])["outputs"][0]) <= 2


def test_transparency_is_kept_and_hidden_colors_do_not_darken_edges(open_page, models, tmp_path):
    pixels = np.full((40, 60, 4), 200, np.uint8)
    pixels[..., 3] = np.where(np.arange(60) < 30, 255, 0)
    pixels[:, 30:, :3] = 0
    result = run_on(open_page("enlarging"), saved(pixels, tmp_path / "logo.png"))
    assert (result[:, :116, 3] == 255).all()
    assert (result[:, 124:, 3] == 0).all()
    opaque = in_python(models["enlarging"], np.full((40, 60, 3), 200, np.uint8))
    assert largest_difference(result[:, :116], opaque[:, :116]) <= 2


@pytest.mark.parametrize("name", first_quick(BROWSER))
def test_a_photo_is_turned_as_its_camera_was_held(open_page, name):
    page = open_page("enlarging")
    for orientation in ORIENTATIONS:
        data = base64.b64encode(oriented_file(name, orientation)).decode()
        kind = name.split()[-1] if name.endswith(("jpg", "webp")) else "png"
        png = page.evaluate(
            f"""(async () => {{
              const {{decode, draw}} = await import(new URL('image.js', document.baseURI));
              const bytes = Uint8Array.from(atob('{data}'), (letter) => letter.charCodeAt(0));
              const bitmap = await decode(new Blob([bytes], {{type: 'image/{kind}'}}));
              const canvas = document.createElement('canvas');
              draw(bitmap, canvas, {{width: bitmap.width, height: bitmap.height, shrink: false}});
              return canvas.toDataURL('image/png').split(',')[1];
            }})()"""
        )
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))
        assert is_upright(image, name), orientation


def test_the_result_is_downloaded_as_a_png(open_page, tmp_path):
    page = open_page("enlarging")
    result = run_on(page, saved(photo(50, 40), tmp_path / "photo.jpg"))
    path = page.download("#download", tmp_path / "downloads")
    assert path.name == "photo-enlarging.png"
    np.testing.assert_array_equal(np.asarray(Image.open(path)), result)
    said = text(page, "timing")
    assert re.fullmatch(r"50 \xd7 40 to 200 \xd7 160 pixels, [\d.]+ seconds? for this image on .+\.", said), said


@pytest.mark.parametrize("width", first_quick([390, 1440]))
def test_the_result_is_as_wide_as_the_rest_of_the_page_and_a_small_one_is_enlarged(open_page, tmp_path, width):
    page = open_page("enlarging")
    page.set_viewport(width, 1000, mobile=width < 500)
    run_on(page, saved(photo(50, 25), tmp_path / "photo.png"))
    left, _, wide, _ = page.box("header")
    assert page.box("#work")[0] == left and page.box("#work")[2] == wide
    assert page.box("#after")[2] == pytest.approx(wide - 2)  # The borders of its card.
    assert page.evaluate("getComputedStyle(document.querySelector('#after')).imageRendering") == "pixelated"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_split_moves_with_the_keyboard(open_page, tmp_path):
    page = open_page("enlarging")
    run_on(page, saved(photo(50, 40), tmp_path / "photo.png"))
    page.evaluate("document.getElementById('split').focus()")
    place = "parseFloat(getComputedStyle(document.getElementById('handle')).left)"
    before = page.evaluate(place)
    page.press("ArrowLeft")
    assert page.evaluate(place) < before


def test_what_is_no_image_is_refused_in_words_and_the_next_image_works(open_page, tmp_path):
    page = open_page("enlarging")
    (tmp_path / "notes.txt").write_text("no image")
    page.set_files("#file", tmp_path / "notes.txt")
    page.wait_for("document.getElementById('status').classList.contains('error')")
    assert "cannot read “notes.txt” as an image" in text(page, "status")
    assert run_on(page, saved(photo(32, 32), tmp_path / "photo.png")).shape == (128, 128, 4)
    assert not is_visible(page, "status")


def test_a_model_file_of_another_size_is_refused_in_words(open_page):
    page = open_page("wrong")
    assert page.evaluate("document.body.dataset.state") == "failed"
    assert not is_visible(page, "chooser")
    assert "[1,64,64,3]" in text(page, "status") and "[1,32,32,3]" in text(page, "status")


def test_work_can_be_cancelled(open_page, tmp_path):
    page = open_page("enlarging")
    page.evaluate("delete document.body.dataset.state")
    page.set_files("#file", saved(photo(600, 600), tmp_path / "photo.png"))
    page.wait_for("document.getElementById('progress').value > 0")
    page.evaluate("document.getElementById('cancel').click()")
    page.wait_for("document.body.dataset.state === 'ready'")
    assert text(page, "status") == "Cancelled."
    assert run_on(page, saved(photo(32, 32), tmp_path / "small.png")).shape == (128, 128, 4)


@pytest.mark.large
def test_a_phone_shows_all_without_scrolling_sideways_and_offers_a_part_of_what_is_too_large(open_page, tmp_path):
    page = open_page("enlarging")
    page.set_viewport(390, 844, device_scale=3, mobile=True)
    scrolls = "document.documentElement.scrollWidth > innerWidth"
    page.set_files("#file", saved(photo(1300, 1000), tmp_path / "photo.png"))
    page.wait_for("document.getElementById('too-large').checkVisibility()")
    assert "1300 \xd7 1000 pixels" in text(page, "too-large-text")
    assert "16.8 megapixels at most" in text(page, "too-large-text")
    assert not page.evaluate(scrolls)
    run_on(page, saved(photo(60, 90), tmp_path / "small.png"))
    assert not page.evaluate(scrolls)


@pytest.mark.large
def test_the_page_works_without_a_network_after_the_first_visit(models, tmp_path):
    model = models["enlarging"]
    facts = PageModel("offline", "Offline", 4, TILE_PX, receptive_field_of(model).halo_px)
    write_page(tmp_path / "site", tflite=small_tflite(model, tile_px=TILE_PX), model=facts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_QuietHandler, directory=tmp_path / "site"))
    threading.Thread(target=server.serve_forever).start()
    address = f"http://localhost:{server.server_port}/"
    with open_browser() as page:
        page.open(address)
        page.wait_for("document.body.dataset.state === 'ready'")
        server.shutdown()
        server.server_close()
        page.open("about:blank")
        page.open(address)
        page.wait_for("document.body.dataset.state === 'ready'")
        pixels = photo(50, 40)
        result = run_on(page, saved(pixels, tmp_path / "photo.png"))
    assert largest_difference(result, in_python(model, pixels)) <= 1


@pytest.mark.parametrize("missing", [("threaded_",), ("threaded_", "")])
@pytest.mark.large
def test_a_build_of_the_runtime_that_does_not_start_gives_way_to_the_next(open_page, site, models, tmp_path, missing):
    name = "without_" + "and_".join(missing)
    model = models["enlarging"]
    facts = PageModel(name, "Fewer builds", 4, TILE_PX, receptive_field_of(model).halo_px)
    write_page(site[1] / name, tflite=small_tflite(model, tile_px=TILE_PX), model=facts)
    for build in missing:
        (site[1] / name / "runtime" / f"litert_wasm_{build}internal.wasm.gz").unlink()
    pixels = photo(101, 75)
    page = open_page(name)
    result = run_on(page, saved(pixels, tmp_path / "photo.png"))
    assert "on the processor" in text(page, "timing")
    assert largest_difference(result, in_python(model, pixels)) <= 1


@pytest.mark.parametrize(("name", "engine"), [("enlarging", "graphics card"), ("integers", "processor")])
@pytest.mark.large
def test_the_graphics_card_runs_what_it_can_and_gives_back_the_rest(site, models, tmp_path, name, engine):
    pixels = photo(TILE_PX, TILE_PX)
    # A graphics card in software.
    with open_browser("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan") as page:
        page.open(f"{site[0]}/{name}/")
        page.wait_for("document.body.dataset.state")
        if not is_visible(page, "webgpu"):
            pytest.skip("this browser has no graphics adapter in software")
        page.evaluate("delete document.body.dataset.state, document.getElementById('webgpu').click()")
        page.wait_for("document.body.dataset.state")
        assert page.evaluate("document.getElementById('webgpu').checked") == (engine == "graphics card")
        assert ("so the processor does" in text(page, "status")) == (engine == "processor")
        result = run_on(page, saved(pixels, tmp_path / "photo.png"))
        assert engine in text(page, "timing")
    if engine == "graphics card":
        assert largest_difference(result, in_python(models[name], pixels)) <= 2


def test_nothing_is_loaded_from_elsewhere(open_page):
    page = open_page("enlarging")
    policy = page.evaluate("document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    assert policy.startswith("default-src 'none'")
    addresses = page.evaluate("performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)")
    assert set(addresses) == {page.evaluate("location.origin")}
