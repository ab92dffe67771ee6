"""The studio's tab Train in a real browser: a folder, a short training, then its evaluation, export and server."""

from __future__ import annotations

import urllib.request

import pytest
from live_studio import choose, fill, message, newest_job, open_tab, unfold
from small_run import write_pairs

pytestmark = pytest.mark.large

SETTINGS = """\
task.generator_width=4
task.discriminator_width=4
training.validate_every_steps=2
training.sample_every_steps=2
training.checkpoint_every_steps=2
training.log_every_steps=1
"""


@pytest.fixture(scope="module")
def pairs(folder):
    write_pairs(folder / "my_pairs")
    return "my_pairs"


def fill_in(page, address, *, steps, run_dir):
    open_tab(page, address, "Train")
    fill(page, "#data input", "my_pairs")
    fill(page, "#steps input", str(steps))
    fill(page, "#image-size input", "16")
    fill(page, "#batch-size input", "2")
    unfold(page, "#more")
    fill(page, "#run-dir textarea, #run-dir input", run_dir)
    fill(page, "#settings textarea", SETTINGS)


def test_a_folder_is_inspected_and_the_time_is_estimated(page, address, pairs):
    fill_in(page, address, steps=1000, run_dir="runs/estimated")
    page.click("#inspect")
    findings = page.wait_for("document.querySelector('#findings textarea')?.value", timeout_s=240)
    assert "pairs" in findings
    page.wait_for("document.querySelectorAll('#examples img').length > 0")
    page.click("#estimate")
    assert "1000 steps take about" in page.wait_for("document.querySelector('#time textarea')?.value", timeout_s=300)


def test_a_run_is_trained_stopped_resumed_evaluated_exported_and_served(page, address, pairs, folder):
    fill_in(page, address, steps=2000, run_dir="runs/mine")
    page.click("#start")
    page.wait_for("!!document.querySelector('#grid img')", timeout_s=300)
    page.wait_for("document.querySelector('#health').innerText.includes('step')")
    page.wait_for("document.querySelector('#column input').value.startsWith('val_')")
    page.wait_for("!!document.querySelector('#curve canvas, #curve svg.marks')")
    page.click("#stop-job")
    newest_job(page, state="canceled", title="Train translate")
    page.click("#start")
    assert "holds a run already" in message(page)
    page.click("#resume-job")
    page.wait_for("document.querySelector('.job').dataset.state === 'running' && !!document.querySelector('.job code')")
    assert "--run-dir runs/mine --resume" in page.evaluate("document.querySelector('.job code').innerText")
    page.wait_for("/step|running, /.test(document.querySelector('.job p').innerText)", timeout_s=120)
    page.click("#stop-job")
    newest_job(page, state="canceled", title="Train translate")
    page.click("#evaluate")
    assert "psnr" in newest_job(page, title="Evaluate runs/mine")
    choose(page, "#export-format", "saved_model")
    page.click("#export")
    assert "exported_models/mine" in newest_job(page, title="Export runs/mine as saved_model")
    assert list((folder / "exported_models" / "mine").glob("*/saved_model.pb"))
    page.click("#serve")
    link = page.wait_for("document.querySelector('.job a[target=_blank]')?.href", timeout_s=60)
    wait_for_answer(page, f"{link}v1/models")
    page.click("#stop-job")
    newest_job(page, state="canceled", title="Serve")


def wait_for_answer(page, url):
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            page.evaluate("new Promise((done) => setTimeout(done, 500))")
    raise AssertionError(f"{url} does not answer")


def test_a_training_that_fails_takes_nothing_with_it(page, address, folder):
    (folder / "empty").mkdir()
    open_tab(page, address, "Train")
    fill(page, "#data input", "empty")
    page.click("#start")
    text = newest_job(page, state="failed", title="Train translate")
    assert "empty" in text and "Traceback" not in text
    fill(page, "#data input", "/etc")
    page.click("#start")
    assert "outside of the allowed folders" in message(page)
