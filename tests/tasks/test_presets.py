"""Descriptions of presets: those of papers name the paper and the deviations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tfgan_app import cli
from tfgan_app.commands.preset_text import departures, preset_lines
from tfgan_app.config import resolve_config
from tfgan_app.registry import PRESETS, TASKS
from tfgan_app.tasks import load_presets, load_task
from tfgan_app.tasks.generate.builders import build_networks
from tfgan_app.tasks.generate.config import GenerateConfig

ROWS = [(task, name) for task in TASKS for name in load_presets(task)]


def test_what_the_help_lists_is_what_the_tasks_take():
    assert PRESETS.keys() == TASKS.keys()
    for task in TASKS:
        assert load_task(task).presets == load_presets(task)


@pytest.mark.parametrize(("task", "name"), ROWS)
def test_each_is_a_configuration_and_says_what_it_is_for(task, name):
    preset = load_presets(task)[name]
    resolve_config(task, load_task(task).config_class, preset=preset)
    assert 5 < len(preset.summary) < 70 and not preset.summary.endswith(".")
    told = departures(task, load_task(task).config_class, preset)
    if preset.paper is None:
        assert told == []
    else:
        assert re.fullmatch(r"\d{4}\.\d{5}", preset.paper.arxiv) and re.search(r" 20\d\d$", preset.paper.authors)
        assert told, "a recipe that is the paper's to the letter would be the first"


def test_settings_that_are_not_the_paper_s_are_found_by_comparing():
    told = departures("generate", GenerateConfig, load_presets("generate")["sngan"])
    assert "task.latent_dim=64 (paper: 128)" in told
    assert "task.augmentation=auto (paper: none)" in told
    assert "training.ema_decay=0.999 (paper: 0.0)" in told
    assert "task.network_size=light (paper: paper)" in told
    assert not [line for line in told if "every_steps" in line or "best_metric" in line]


@pytest.mark.parametrize("name", ["sngan_paper", "wgan_gp_paper", "cyclegan_paper", "cut_paper", "style_paper"])
def test_the_paper_s_own_values_have_no_paper_beside_them(name):
    task = "generate" if "gan_" in name and "cycle" not in name else "translate"
    lines = preset_lines(task, load_task(task).config_class, name=name, preset=load_presets(task)[name])
    assert "as published" in lines[0] and "https://arxiv.org/abs/" in lines[0]
    assert len(lines) > 1


@pytest.mark.parametrize(("name", "generator_width"), [("sngan_paper", 256), ("wgan_gp_paper", 128)])
def test_the_networks_are_those_of_the_paper(name, generator_width):
    settings = resolve_config("generate", GenerateConfig, preset=load_presets("generate")[name]).task
    networks = build_networks(settings, size_px=32, channels=3, classes=0)
    generator, discriminator = networks.generators["generator"], networks.discriminators["discriminator"]
    g, d = generator_width, 128
    kernels = [weight for weight in generator.trainable_weights if "kernel" in weight.path]
    shapes = [tuple(weight.shape) for weight in kernels]
    assert shapes.count((3, 3, g, g)) == 6 and shapes.count((1, 1, g, g)) == 3
    assert (128, 16 * g) in shapes and (3, 3, g, 3) in shapes and len(shapes) == 11
    shapes = [tuple(weight.shape) for weight in discriminator.trainable_weights if "kernel" in weight.path]
    # Two blocks that halve, the first of the image, two that do not and have no convolution beside them.
    assert shapes.count((3, 3, d, d)) == 7 and (3, 3, 3, d) in shapes
    assert sorted(shapes.count(shape) for shape in ((1, 1, 3, d), (1, 1, d, d))) == [1, 1]
    assert discriminator.get_layer("features").output.shape == (None, d)


def test_the_published_size_is_refused_for_other_networks():
    for architecture in ("dcgan", "r3gan", "mlp"):
        values = {"task.architecture": architecture, "task.network_size": "paper"}
        config = resolve_config("generate", GenerateConfig, preset=values)
        with pytest.raises(ValueError, match="`task.network_size=paper` is for `task.architecture=resnet`"):
            load_task("generate")(config)


def test_help_lists_each_with_a_line(capsys):
    with pytest.raises(SystemExit):
        cli.parse(["tfgan_app", "train", "--help"])
    lines = capsys.readouterr().out.splitlines()
    for task, name in ROWS:
        (line,) = [line for line in lines if re.match(rf"  {task} +{name} ", line)]
        preset = load_presets(task)[name]
        assert preset.summary in line
        assert preset.paper is None or preset.paper.arxiv in line


def test_the_manual_links_the_paper_of_each():
    page = (Path(__file__).parents[2] / "docs" / "manual" / "generate.md").read_text(encoding="utf-8")
    for task, name in ROWS:
        preset = load_presets(task)[name]
        if preset.paper is not None:
            assert preset.paper.url in page and f"`{name}`" in page
