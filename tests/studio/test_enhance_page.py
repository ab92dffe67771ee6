"""The studio's tab Enhance in a real browser: preview, jobs, import, failures."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from live_studio import choose, fill, message, newest_job, open_tab, press_enter, unfold, upload
from PIL import Image
from small_run import ROOT

import tfgan_app as tfgan

pytestmark = pytest.mark.large

SLOW = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
"""How many processes share a core: limits of time hold for a machine of one's own."""


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 4), np.uint8)
    pixels[:8, :8, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "photo.png", dpi=(300, 300))
    return tmp_path / "photo.png"


def drop(page, *paths):
    upload(page, "#uploads", *paths)
    page.wait_for(f"document.querySelector('#image input')?.value === {paths[0].name!r}", timeout_s=30)


def test_a_preview_is_the_result_of_predict_and_panes_move_together(page, address, photo, tmp_path):
    open_tab(page, address, "Enhance")
    drop(page, photo)
    page.click("#preview")
    page.wait_for("document.querySelectorAll('.pane img').length === 2 && !!document.querySelector('.links a')")
    page.wait_for("[...document.querySelectorAll('.pane img')].every((image) => image.naturalWidth)")
    result = page.download(".links a", tmp_path / "got")
    assert result.name == "photo-upscale_x4.png"
    expected = tfgan.load("upscale_x4").predict(photo)
    with Image.open(result) as image:
        assert image.info["dpi"] == pytest.approx((1200, 1200), rel=0.01) or image.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))
    page.set_viewport(390, 844)
    page.evaluate("document.querySelectorAll('.pane')[1].scrollTo(20, 0)")
    page.wait_for(
        "document.querySelectorAll('.pane')[0].scrollLeft === document.querySelectorAll('.pane')[1].scrollLeft"
    )


def test_models_are_compared_side_by_side(page, address, photo):
    open_tab(page, address, "Enhance")
    drop(page, photo)
    choose(page, "#models", "upscale_x4_gan")
    page.evaluate("document.querySelectorAll('#several input')[1].click()")
    page.click("#preview")
    page.wait_for("document.querySelectorAll('.pane img').length === 3")
    captions = "[...document.querySelectorAll('.panes figcaption')].map((caption) => caption.innerText)"
    assert page.evaluate(captions) == ["before", "upscale_x4", "upscale_x4_gan"]


def test_a_folder_is_enhanced_and_a_bad_file_is_named(page, address, folder, photo):
    (folder / "photos").mkdir()
    (folder / "photos" / "a.png").write_bytes(photo.read_bytes())
    (folder / "photos" / "b.png").write_text("no image")
    open_tab(page, address, "Enhance")
    fill(page, "#folder textarea, #folder input", "photos")
    unfold(page, "#output-fields")
    choose(page, "#size", "Width in pixels")
    fill(page, "#amount input", "50")
    choose(page, "#format", "jpg")
    page.click("#enhance")
    text = newest_job(page, state="partly", title="'photos'")
    assert "tfgan_app predict --model upscale_x4 --input photos --output studio_results/photos" in text
    assert "--output-width 50 --output-format jpg" in text
    assert "1 failed" in text
    with Image.open(folder / "studio_results" / "photos" / "a.jpg") as image:
        assert image.width == 50


def test_failures_have_one_message(page, address, photo):
    open_tab(page, address, "Enhance")
    page.click("#preview")
    assert "Drop images or videos first" in message(page)
    fill(page, "#folder textarea, #folder input", "/etc")
    page.click("#enhance")
    assert "'/etc' is outside of the allowed folders" in message(page)
    large = photo.with_name("large.png")
    Image.new("RGB", (500, 500)).save(large)
    upload(page, "#uploads", large)
    assert "'large.png' must have at most 200,000 pixels" in message(page)


def test_pytorch_weights_become_a_model_of_the_list(page, address, folder, tmp_path):
    from torch_networks import srvgg
    from torch_writer import write_zip

    write_zip(tmp_path / "mine.pth", srvgg())
    open_tab(page, address, "Enhance")
    unfold(page, "#import-fields")
    upload(page, "#weights", tmp_path / "mine.pth")
    page.wait_for("document.querySelector('#weights').innerText.includes('mine')")
    page.click("#import")
    newest_job(page, title="Import mine.pth")
    page.wait_for("document.querySelector('#models').innerText.includes('studio_models/mine.keras')")
    assert (folder / "studio_models" / "mine.keras").is_file()


def test_the_keyboard_alone_enhances(page, address, photo):
    open_tab(page, address, "Enhance")
    drop(page, photo)
    page.evaluate("document.querySelector('#preview').focus()")
    page.press("Tab")
    assert page.evaluate("document.activeElement.id") == "enhance"
    press_enter(page)
    newest_job(page, title="Enhance 1 file")


def test_a_large_result_is_shown_within_a_second_of_its_file(page, address, folder):
    """Twelve megapixels: from the file of the result until both images can be looked at."""
    photo = Image.open(next((ROOT / "data" / "photos" / "val").glob("*.jpg"))).convert("RGB")
    photo.resize((400, 300)).save(folder / "large.png")
    open_tab(page, address, "Enhance")
    fill(page, "#folder textarea, #folder input", "large.png")
    unfold(page, "#output-fields")
    choose(page, "#size", "Width in pixels")
    fill(page, "#amount input", "4000")
    page.click("#preview")
    page.wait_for("[...document.querySelectorAll('#magnifier img')].at(-1)?.naturalWidth === 4000", timeout_s=240)
    shown = time.time()
    written = max(
        path.stat().st_mtime for path in Path(tempfile.gettempdir()).glob("tfgan_app-studio-*/preview*/large*")
    )
    assert shown - written < 1.0 * SLOW
