import html.parser
import json
import math
import re

import numpy as np
import pytest

from tfgan_app.callbacks.events import EventLog
from tfgan_app.callbacks.metrics_file import MetricsFile
from tfgan_app.callbacks.report import GRIDS_SHOWN, write_examples, write_report
from tfgan_app.callbacks.report_charts import Series, line_chart
from tfgan_app.image_io.loading import write_image

VOID = {"meta", "img"}


class Page(html.parser.HTMLParser):
    """Checks that tags nest, and collects what a reader sees."""

    def __init__(self, path):
        super().__init__()
        self.open, self.text, self.sources, self.links, self.ids, self.classes = [], "", [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.sources += [attributes["src"]] if "src" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.classes += (attributes.get("class") or "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.classes += (dict(attrs).get("class") or "").split()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


@pytest.fixture
def run_dir(tmp_path):
    """A run of 200 steps, as its callbacks leave it."""
    metrics = MetricsFile(tmp_path / "metrics.csv")
    for step in range(10, 210, 10):
        metrics.write(step, {"seconds": step, "images_per_second": 100, "generator_loss": 5 - step / 100})
        metrics.write(step, {"discriminator_loss": 0.5, "real_accuracy": 0.8, "fake_accuracy": 0.7, "extra": 1})
        metrics.write(step, {"val_psnr": 18 + step / 100, "val_copy_psnr": 18.6})
        write_image(tmp_path / f"samples/step-{step:07d}.png", np.zeros([8, 24, 3], np.uint8))
    write_examples(
        tmp_path, {f"{name} held-out examples": np.zeros([8, 24, 3], np.uint8) for name in ("best", "worst")}
    )
    EventLog(tmp_path).record(50, "warning", "mind the <gap>")
    config = {
        "task_name": "translate",
        "training": {"steps": 200, "batch_size": 16},
        "task": {"x": "<script>"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_the_whole_run_is_told(run_dir):
    path = write_report(
        run_dir,
        title="translate & <more>",
        next_commands=["tfgan_app predict --model 'a & b'  # Use it"],
        summary={"psnr": 21.3, "copy_psnr": 18.62, "l1": 0.08, "copy_l1": 0.07, "held_out_images": 94},
    )
    assert path == run_dir / "report.html"
    page = Page(path)
    for text in (
        "translate & <more>",
        "PSNR 21.30 dB on held-out images, 2.68 dB above copying the input (18.62 dB)",
        "not better than copying the input in L1 error",
        "finished, 200 steps",
        "94",
        "mind the <gap>",
        "Generator loss",
        "Discriminator accuracy",
        "More curves",
        "Step 200",
        "Best held-out examples",
        "Worst held-out examples",
        "training.batch_size",
        '"<script>"',
        "tfgan_app predict --model 'a & b'",
        "Use it",
    ):
        assert text in page.text, text
    assert "baseline" in page.classes
    assert len(page.sources) == GRIDS_SHOWN + 2
    assert "Step 10" in page.text


def test_the_file_stands_alone(run_dir):
    path = write_report(run_dir, title="run", next_commands=["x"])
    page = Page(path)
    assert all(source.startswith("data:image/") for source in page.sources)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert "http" not in path.read_text()
    assert "prefers-color-scheme: dark" in path.read_text()


def test_without_a_summary_the_last_validation_is_the_headline(run_dir):
    page = Page(write_report(run_dir, title="run"))
    assert "PSNR 20.00 dB on held-out images, 1.40 dB above copying the input (18.60 dB)" in page.text


def test_a_run_worse_than_copying_says_so(run_dir):
    page = Page(write_report(run_dir, title="run", summary={"psnr": 17.2, "copy_psnr": 18.6}))
    assert "1.40 dB below copying the input" in page.text
    assert "1.40 dB worse" in page.text
    assert "bad" in page.classes


def test_a_floor_is_a_limit_and_no_rival(run_dir):
    page = Page(write_report(run_dir, title="run", summary={"fid": 3.2, "floor_fid": 0.05, "recall": 0.4}))
    assert "FID 3.20 on held-out images; real images in place of generated ones score 0.05." in page.text
    assert "real images: 0.05" in page.text
    assert "worse" not in page.text
    assert "better than" not in page.text


def test_new_examples_replace_the_old_ones(run_dir):
    write_examples(run_dir, {"nearest training images": np.zeros([8, 8, 3], np.uint8)})
    page = Page(write_report(run_dir, title="run"))
    assert "Nearest training images" in page.text
    assert "Best held-out examples" not in page.text


def test_a_run_stopped_at_once_still_has_a_report(tmp_path):
    page = Page(write_report(tmp_path / "new", title="run"))
    assert "Not validated yet" in page.text
    assert "None." in page.text


def test_a_run_stopped_after_one_row(tmp_path):
    MetricsFile(tmp_path / "metrics.csv").write(3, {"generator_loss": 2.0, "discriminator_loss": math.nan})
    (tmp_path / "config.json").write_text('{"training": {"steps": 2000}}')
    page = Page(write_report(tmp_path, title="run"))
    assert "not finished: 3 of 2,000 steps" in page.text
    assert "Generator loss" in page.text
    assert "Discriminator loss" not in page.text


def test_damaged_files_are_left_out(run_dir):
    (run_dir / "config.json").write_text('{"training":')
    (run_dir / "samples/examples/1-best_held-out_examples.png").write_bytes(b"no image")
    (run_dir / "metrics.csv").write_bytes(b"\0\0\0")
    page = Page(write_report(run_dir, title="run"))
    assert "Best held-out examples" not in page.text
    assert "Worst held-out examples" in page.text
    assert "settings" not in page.text


def test_large_photographs_are_made_smaller(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, [400, 600, 3], np.uint8)
    write_image(tmp_path / "samples/step-0000001.png", noise)
    page = Page(write_report(tmp_path, title="run"))
    assert page.sources[0].startswith("data:image/jpeg")


def test_a_chart_without_finite_values_is_empty():
    assert line_chart("empty", [Series("a", [(1, math.nan)]), Series("b", [])]) == ""


@pytest.mark.parametrize(
    "values", [[0.0], [5.0, 5.0], [1e-12, 2e-12], [-1e38, 1e38], [1.0] * 1000, [0, math.inf, 1], [math.nan] * 99 + [1]]
)
def test_any_values_can_be_drawn(values):
    svg = line_chart("any", [Series("a", list(enumerate(values)))], marks=[0, 0, 7])
    assert "nan" not in svg
    assert "<path" in svg


def test_charts_are_colored_by_the_page():
    svg = line_chart("any", [Series("a", [(1, 2.0), (2, 3.0)]), Series("b", [(1, 1.0)], dashed=True)], marks=[1])
    for color in ("var(--s0)", "var(--baseline)", "var(--line)", "var(--warn)", "stroke-dasharray"):
        assert color in svg
    assert "#0000" not in svg.replace("#000000", "")
    assert "font" not in svg
    assert "<style" not in svg


def test_a_gap_parts_a_curve():
    values = [float(step % 7) for step in range(200)]
    holes = [math.nan if 90 < step < 110 else value for step, value in enumerate(values)]
    strokes = [_curve_path(line_chart("any", [Series("a", list(enumerate(y)))])).count("M") for y in (values, holes)]
    assert strokes == [1, 2]


def test_long_curves_are_thinned():
    noise = np.random.default_rng(0).normal(size=50_000)
    assert len(line_chart("any", [Series("a", list(enumerate(noise)))])) < 100_000


def test_charts_share_no_ids():
    charts = [line_chart(title, [Series("a", [(1, 2.0), (2, 3.0)])]) for title in ("one", "two")]
    first, second = (set(re.findall(r' id="([^"]*)"', chart)) for chart in charts)
    assert first
    assert not first & second
    assert set(re.findall(r"#([^\")]*)[\")]", charts[0])) == first


def _curve_path(svg):
    return re.search(r'<path d="([^"]*)"[^>]*stroke: var\(--s0\)', svg)[1]


STUDY = {
    "sizes": [
        {
            "real_per_class": 20,
            "real_images": 200,
            "synthetic_images": 300,
            "arms": {
                "real": {"accuracy": 0.7, "seed_deviation": 0.01},
                "real + GAN": {"accuracy": 0.75, "seed_deviation": 0.0},
                "linear on pixels": {"accuracy": 0.6, "seed_deviation": None},
            },
            "differences": [
                {
                    "first": "real + GAN",
                    "second": "real",
                    "mean": 0.05,
                    "low": 0.02,
                    "high": 0.08,
                    "verdict": "gain",
                }
            ],
            "conclusion": "Gain from <synthetic> images.",
            "caveats": ["Too few passed of: <bag> 3."],
        }
    ]
}


def test_a_study_is_shown_as_a_chart_and_tables(run_dir):
    (run_dir / "study.json").write_text(json.dumps(STUDY))
    page = Page(write_report(run_dir, title="run"))
    for text in (
        "Does it help a classifier",
        "Gain from <synthetic> images.",
        "Accuracy: 200 real images, 20 per class; 300 synthetic",
        "Too few passed of: <bag> 3.",
        "75.00 %, 0.00",
        "60.00 %",
        "real + GAN against real",
        "+5.00 points, +2.00 to +8.00",
    ):
        assert text in page.text, text


@pytest.mark.parametrize("content", [None, "{", "[]", '{"sizes": [{"arms": {}}]}'])
def test_a_study_that_is_missing_or_damaged_is_left_out(run_dir, content):
    if content:
        (run_dir / "study.json").write_text(content)
    assert "Does it help" not in Page(write_report(run_dir, title="run")).text
