"""Every command of README and the manual parses, and runs at a small size; every setting exists."""

from __future__ import annotations

import shlex

import documented
import keras
import numpy as np
import pytest
from documented import PAGES, Command

from tfgan_app import cli
from tfgan_app.config.methods import first_section, other_sections
from tfgan_app.config.sections import DataConfig, OptimizerConfig, TrainingConfig
from tfgan_app.config.typed_fields import field_specs
from tfgan_app.tasks import TASKS, load_task

SECTIONS = {DataConfig: "data", TrainingConfig: "training", OptimizerConfig: "optimizer"}
COMMANDS = [command for page in PAGES for command in documented.block_commands(page)]
OWN = [command for command in COMMANDS if command.words[0] == "tfgan_app"]
FOREIGN = {
    "pip install": "changes the environment; the release script installs the wheel in a fresh one",
    "pytest": "is what runs this test",
    ".ci/run": "runs this test",
    "pre-commit install": "changes the checkout's git hooks",
    "jupyter lab": "serves until it is stopped; tests/test_notebooks.py runs the notebooks",
    "python -m venv": "makes an environment",
    ". .venv/bin/activate": "belongs to the line before",
    "python -m http.server": "serves until it is stopped; tests/export/test_web_page.py opens the page in a browser",
    "curl": "needs the server; tests/serving sends the same requests",
    "printf": "feeds curl",
    "python3 -c": "reads what curl prints",
    "docker run": "needs Docker and TensorFlow Serving's image",
}
"""Commands of other programs, with the reason why they are not run here."""

ONLY_PARSED = {
    "serve": "serves until it is stopped; tests/commands/test_serve.py starts and stops it",
    "studio": "serves until it is stopped; tests/studio starts and stops it",
}
"""Subcommands that are not run, with the reason."""

EARLIER = {
    "docs/manual/export.md": ["tfgan_app train --task upscale --data my_photos --run-dir runs/x4"],
    "docs/manual/generate.md": ["tfgan_app train --task generate --data keras:fashion_mnist --run-dir runs/other"],
}
"""Commands that a page takes for granted."""

SMALL = {
    "translate": ["generator_width=4", "discriminator_width=4"],
    # VGG16's weights would be downloaded.
    "style": ["decoder_width=4", "perceptual_weights=vgg16.npz"],
    "generate": ["architecture=mlp", "generator_width=8", "discriminator_width=8", "features=random"],
    "augment": [
        *("architecture=mlp", "generator_width=8", "discriminator_width=8", "features=random", "classifier_steps=2"),
        *("min_confidence=0", "copy_quantile=0", "duplicate_share=0"),
    ],
    "upscale": ["generator_width=16", "discriminator_width=16", "generator_blocks=1"],
    "restore": ["generator_width=16", "discriminator_width=16"],
}
"""Settings of each task that cut a training short."""

STUDY = ["--set=task.study_seeds=2", "--set=task.study_synthetic=4"]
"""Of `evaluate` for a run of `augment`."""


def pages_of_commands() -> list[str]:
    """Pages with commands of ours; of pages with the same ones, such as README and the manual's start, the first."""
    commands = {page: tuple(each.words for each in OWN if each.page == page) for page in PAGES}
    return list({words: page for page, words in reversed(commands.items()) if words}.values())[::-1]


def shortened(words: tuple[str, ...]) -> list[str]:
    """A command at a size for a test; what comes last counts."""
    words = list(words)
    if words[1] == "train" and "--resume" in words:
        return [*words, "--steps", "3"]
    if words[1] == "train":
        task = "style" if "task.method=style" in words else words[words.index("--task") + 1]
        own_networks = {"stylegan2", "biggan"} & set(words)
        small = [f"--set=task.{value}" for value in SMALL[task] if value != "architecture=mlp" or not own_networks]
        size = "32" if own_networks else "16"
        return [*words, "--steps", "2", "--batch-size", "2", "--image-size", size, "--precision", "float32", *small]
    if "--per-class" in words:
        return [*words, "--per-class", "1"]
    return [*words, *STUDY] if words[1] == "evaluate" and "runs/classes20" in words else words


@pytest.mark.parametrize("command", OWN, ids=str)
def test_every_command_parses(command):
    assert cli.parse(command.words).command == command.words[1]


@pytest.mark.parametrize(
    "command", [command for page in PAGES for command in documented.inline_commands(page)], ids=str
)
def test_every_command_in_running_text_parses(command):
    assert cli.parse(command.words).command == command.words[1]


def test_every_other_command_has_a_reason():
    lines = [" ".join(command.words) for command in COMMANDS if command not in OWN]
    assert [line for line in lines if not line.startswith(tuple(FOREIGN))] == []
    assert [start for start in FOREIGN if not any(line.startswith(start) for line in lines)] == []


def test_every_setting_exists():
    known = {key for kind, name in SECTIONS.items() for key in field_specs(name, kind)}
    for task in TASKS:
        section = first_section(load_task(task).config_class)
        known |= {key for kind in (section, *other_sections(section())) for key in field_specs("task", kind)}
    assert {page: unknown for page in PAGES if (unknown := documented.settings(page) - known)} == {}


@pytest.fixture(scope="module")
def clothes():
    """Fashion-MNIST as `keras.datasets` gives it, in small, as tests have no network."""
    rng = np.random.default_rng(0)
    return tuple((rng.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10) for n in (60, 40))


@pytest.mark.large
@pytest.mark.parametrize("page", pages_of_commands())
def test_the_commands_of_a_page_run_in_order(page, tmp_path, monkeypatch, clothes):
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: clothes)
    monkeypatch.chdir(tmp_path)
    documented.write_named_files(tmp_path)
    earlier = [Command(page, tuple(shlex.split(line))) for line in EARLIER.get(page, [])]
    for command in [*earlier, *(command for command in OWN if command.page == page)]:
        if command.words[1] not in ONLY_PARSED:
            assert cli.run(cli.parse(shortened(command.words))) == 0, str(command)


PROGRAMS_ELSEWHERE = {
    "docs/manual/keras.md": "tests/models/test_manual.py runs them",
    "docs/manual/python.md": "tests/test_doctests.py runs them",
    "docs/manual/index.md": "has README's",
    "docs/manual/numbers.md": "takes the run of its commands; tests/commands/test_numbers.py runs the same",
    "docs/manual/upscale_restore.md": "needs PyTorch and its weights, as the page says",
}
"""Pages whose Python programs are not run here, with the reason."""

PROGRAM_SETTINGS = (
    'steps=2, image_size=16, batch_size=2, set={"task.generator_width": 4, "task.discriminator_width": 4}'
)


@pytest.mark.large
@pytest.mark.parametrize(
    "page", [page for page in PAGES if documented.python_blocks(page) and page not in PROGRAMS_ELSEWHERE]
)
# The file for LiteRT is of one size, which is said.
@pytest.mark.filterwarnings("ignore:the file was made for:UserWarning")
def test_the_programs_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    documented.write_named_files(tmp_path)
    programs = documented.python_blocks(page)
    for program in programs:
        exec(
            compile(program.replace('run_dir="runs/mine"', f'run_dir="runs/mine", {PROGRAM_SETTINGS}'), page, "exec"),
            {},
        )
    if page == "docs/CONTRIBUTING.md":  # Its program is a module that the command below it names.
        (tmp_path / "mine.py").write_text(programs[0], encoding="utf-8")
        (command,) = documented.inline_commands(page)
        small = ["--steps", "2", "--batch-size", "2", "--image-size", "16", "--precision", "float32"]
        assert cli.run(cli.parse([*command.words, *small])) == 0
