"""What the studio's forms make of their values: bounds, drawings, runs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tiny_generator import build_tiny_generator

pytest.importorskip("gradio")

from tfgan_app.studio import enhance, generate, generate_tools, jobs_panel, run_facts, train, translate
from tfgan_app.studio.context import Studio
from tfgan_app.studio.jobs import Job, JobQueue
from tfgan_app.studio.places import Places
from tfgan_app.studio.previews import has_flag, parsed
from tfgan_app.studio.progress import Progress


@pytest.fixture
def studio(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Studio(Places(), JobQueue(tmp_path), tmp_path / "temporary")


TRAINING = {
    "task": "translate",
    "data": train._SAMPLE,
    "preset": "default",
    "steps": 0,
    "image_size": 0,
    "batch_size": None,
    "run_dir": "",
    "settings": "",
}


def test_a_training_as_the_form_is_at_first(studio):
    request = train.request_of(studio, TRAINING)
    assert request.arguments() == ["train", "--task", "translate", "--run-dir", request.run_dir]
    assert request.run_dir.startswith("runs/translate-2")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": "/etc"}, "'/etc' is outside of the allowed folders"),
        ({"data": "nothing"}, "there is no '.*nothing'"),
        ({"run_dir": "../x"}, "outside of the allowed folders"),
        ({"steps": -5}, "Steps: at least 1 is expected, or 0 for the preset's. Received: -5"),
        ({"image_size": -1}, "Image size: at least 1"),
        ({"settings": "task.l1_weight"}, "KEY=VALUE is expected on each line"),
        ({"settings": "task.generator=my_module:build"}, "names code of your own"),
        ({"settings": "task.losses=l1,my_module:loss"}, "names code of your own"),
        ({"settings": "task.init_from=/etc/x.keras"}, "Setting task.init_from: .* outside"),
        ({"settings": "task.styles=../styles"}, "Setting task.styles: .* outside"),
    ],
)
def test_a_training_is_refused_with_one_message(studio, values, message):
    with pytest.raises(ValueError, match=message):
        train.request_of(studio, TRAINING | values)


def test_settings_are_one_a_line(studio):
    text = " task.l1_weight = 50\n\ntask.init_from=runs/a\n"
    assert train.settings_of(studio, text) == ["task.l1_weight=50", "task.init_from=runs/a"]
    assert train.data_source(studio, "keras:fashion_mnist") == "keras:fashion_mnist"


def drawing(*, background=None, strokes=()):
    layer = Image.new("RGBA", (40, 30))
    for box in strokes:
        ImageDraw.Draw(layer).rectangle(box, fill=(255, 0, 0, 255))
    base = background or Image.new("RGBA", (40, 30))
    composite = base.convert("RGBA")
    composite.alpha_composite(layer)
    return {"background": background, "layers": [layer], "composite": composite}


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_drawing_is_on_white(tmp_path):
    source, mask = translate.save_drawing(drawing(strokes=[(0, 0, 9, 9)]), tmp_path, size=0, with_mask=False)
    pixels = pixels_of(source)
    assert mask == "" and pixels.shape == (30, 40, 3)
    assert pixels[0, 0].tolist() == [255, 0, 0] and pixels[20, 20].tolist() == [255, 255, 255]


def test_strokes_are_the_mask_of_a_model_that_fills_holes(tmp_path):
    image = Image.new("RGB", (40, 30), "blue")
    drawn = drawing(background=image, strokes=[(10, 10, 19, 19)])
    source, mask = translate.save_drawing(drawn, tmp_path, size=60, with_mask=True)
    holes, pixels = pixels_of(mask), pixels_of(source)
    assert holes.shape == (60, 80)
    assert np.array_equal(pixels, np.broadcast_to([0, 0, 255], (60, 80, 3)))  # No stroke is in the image.
    assert holes[30, 30] == 255 and holes[0, 0] == 0


@pytest.mark.parametrize(
    ("drawn", "with_mask", "message"),
    [
        (None, False, "draw something first"),
        (drawing(), False, "draw something first"),
        (drawing(strokes=[(0, 0, 9, 9)]), True, "Drop an image first"),
        (drawing(background=Image.new("RGB", (40, 30))), True, "Paint over the hole"),
    ],
)
def test_a_missing_drawing_is_said(tmp_path, drawn, with_mask, message):
    with pytest.raises(ValueError, match=message):
        translate.save_drawing(drawn, tmp_path, size=0, with_mask=with_mask)


def test_uploads_of_equal_names_are_all_kept(studio, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_text(name)
    folder = studio.gather([str(tmp_path / name / "x.png") for name in ("a", "b")])
    assert sorted(path.name for path in folder.iterdir()) == ["x-2.png", "x.png"]


def test_names_of_previews():
    request = enhance.PredictRequest(["restore", "runs/x4.keras"])
    name = enhance._preview_name
    assert [name(enhance.Path(each), request) for each in ("a.PNG", "b.jpg", "c.gif")] == [
        "a-restore-x4.png",
        "b-restore-x4.jpg",
        "c-restore-x4.png",
    ]


def test_jobs_are_shown_without_a_meaning_in_html(studio):
    job = Job(1, "Enhance <b>", ("predict", "--input", "<script>"), "images", state="failed")
    job.lines.append("tfgan_app: error: <img onerror=x>")
    text = jobs_panel.job_html(studio, job)
    assert "<script>" not in text and "<img" not in text and "<b>" not in text
    job.state, job.progress = "running", Progress(0.25, "0:12")
    assert 'value="0.250"' in jobs_panel.job_html(studio, job)
    assert "running, 25%, 0:12 left" in jobs_panel.job_html(studio, job)


def test_events_are_shown_without_a_meaning_in_markdown(tmp_path):
    (tmp_path / "events.jsonl").write_text(
        '{"step": 1, "kind": "info", "message": "first"}\n'
        '{"step": 2, "kind": "warning", "message": "<b> and *stars*"}\n'
    )
    assert run_facts.health(tmp_path).splitlines() == [
        "- step 2: Warning: &lt;b> and \\*stars\\*",
        "- step 1: first",
    ]
    assert run_facts.health(tmp_path / "nothing") == "No messages yet."


def test_curves_of_several_runs(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        rows = "step,seconds,loss,generator_loss,val_psnr,val_psnr_low\n5,1,2,3,,\n10,2,1,2,20,19\n"
        (tmp_path / name / "metrics.csv").write_text(rows)
    folders = [tmp_path / "a", tmp_path / "b"]
    assert run_facts.columns(folders) == ["val_psnr", "generator_loss", "loss"]
    assert run_facts.curves(folders, "val_psnr") == [{"step": 10, "value": 20.0, "run": name} for name in ("a", "b")]
    assert run_facts.last_step(tmp_path / "a") == "step 10: psnr 20, generator_loss 2, loss 1"


@pytest.mark.parametrize("name", generate_tools.TOOLS)
def test_tools_are_offered_if_predict_has_their_flag(name):
    flag = generate_tools.TOOLS[name].flag
    assert (name in generate_tools.tools()) == has_flag("predict", flag)
    assert has_flag("predict", "--truncation") and not has_flag("predict", "--nothing")


def test_wrong_arguments_have_the_message_of_the_command_line():
    with pytest.raises(ValueError, match="argument --quality: must be an integer, at least 1. Received: 'x'"):
        parsed(["predict", "--model", "a", "--output", "b", "--quality", "x"])


DRAWING = {"model": "m", "classes": [], "prompt": "", "seed": 3, "count": 4, "truncation": 0.0}


@pytest.mark.parametrize(
    ("name", "values", "form", "expected"),
    [
        ("Interpolation strip", ["1,5"], {"truncation": 0.5}, ["--interpolate=1,5", "--truncation", "0.5"]),
        ("Interpolation strip", ["1,5"], {"prompt": "a red shoe"}, ["--interpolate=1,5", "--prompt=a red shoe"]),
        ("Style mixing", ["1, 2", "3"], {"classes": ["bag"]}, ["--mix", "1, 2", "3", "--class=bag"]),
        ("Sweep", ["truncation"], {"truncation": 0.5}, ["--sweep=truncation", "--seed", "3"]),
        ("Sweep", ["directions"], {"truncation": 2}, ["--sweep=directions", "--seed", "3", "--truncation", "2"]),
        ("Projection", ["a.png"], {"truncation": 0.5}, ["--project=a.png"]),
    ],
)
def test_a_tool_sends_what_predict_takes_with_it(name, values, form, expected):
    flags = generate_tools.tool_arguments(generate_tools.TOOLS[name], values, DRAWING | form)
    assert flags == expected
    parsed(["predict", "--model", "m", "--output", "o.png", *flags])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", ""], "Seeds of the columns: details: a value is expected. Received none."),
        (["1", "--json=x"], "seeds are expected, as in 1,5,9. Received: --json=x."),
    ],
)
def test_seeds_that_are_none_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        generate_tools.tool_arguments(generate_tools.TOOLS["Style mixing"], values, DRAWING)


def test_a_model_says_what_it_cannot_do(studio, tmp_path):
    build_tiny_generator(class_names=("dot", "box")).save(tmp_path / "dots.keras")
    build_tiny_generator().save(tmp_path / "plain.keras")
    classes, prompt, limits = generate._abilities_of(studio, "dots.keras")
    assert classes.choices == [("dot", "dot"), ("box", "box")] and not prompt.visible
    assert limits.startswith("Style mixing needs a generator such as StyleGAN2 or BigGAN")
    assert generate._abilities_of(studio, "plain.keras")[2].startswith("It has no classes")
    values = DRAWING | {"model": "plain.keras", "prompt": "a shoe"}
    with pytest.raises(ValueError, match="A prompt is for models of text"):
        generate._draw(studio, values)
    assert len(generate._draw(studio, values | {"prompt": " "})) == 4
