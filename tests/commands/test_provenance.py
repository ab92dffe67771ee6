"""What `run.json` says of where a run comes from."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from small_run import train_arguments, write_pairs

import tfgan_app
from tfgan_app import cli
from tfgan_app.commands import provenance, train


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def git(folder, *arguments):
    settings = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(folder), *settings, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of a package of this name, with one commit."""
    module = tmp_path / "checkout" / "tfgan_app" / "__init__.py"
    module.parent.mkdir(parents=True)
    module.write_text("")
    monkeypatch.setattr(tfgan_app, "__file__", str(module))
    git(tmp_path, "init", "--quiet", "checkout")
    git(tmp_path / "checkout", "add", ".")
    git(tmp_path / "checkout", "commit", "--quiet", "--message", "first")
    return tmp_path / "checkout"


def test_a_run_says_where_it_comes_from_and_what_each_part_added(tmp_path, monkeypatch):
    data, run = write_pairs(tmp_path / "my pairs"), tmp_path / "run"
    arguments = train_arguments(run, data, steps=2)
    assert app(*arguments) == 0
    facts = json.loads((run / "run.json").read_text())
    assert (facts["tfgan_app"], facts["tensorflow"], facts["keras"]) == (
        tfgan_app.__version__,
        tf.__version__,
        keras.__version__,
    )
    assert facts["precision"] == "float32" and facts["replicas"] == 1 and len(facts["data_fingerprint"]) > 10
    assert facts["device"] and facts["python"].startswith("3.") and facts["numpy"]
    assert facts["commit"] == provenance.source_commit()
    (first,) = facts["parts"]
    assert shlex.split(first["command"]) == ["tfgan_app", *arguments]
    assert (first["first_step"], first["last_step"]) == (0, 2)
    assert first["working_directory"] == str(Path.cwd()) and first["started_at"].endswith("+00:00")
    assert 0 < first["seconds"] == facts["duration_seconds"]

    monkeypatch.setattr(
        train, "run_facts", lambda *_: {name: facts[name] for name in ("tfgan_app",)} | {"device": ["TPU"]}
    )
    assert app("train", "--task", "translate", "--run-dir", run, "--resume", "--steps", 4) == 0
    facts = json.loads((run / "run.json").read_text())
    assert [(part["first_step"], part["last_step"]) for part in facts["parts"]] == [(0, 2), (2, 4)]
    assert facts["parts"][1]["device"] == ["TPU"] != facts["device"] and "tfgan_app" not in facts["parts"][1]
    assert facts["duration_seconds"] == pytest.approx(sum(part["seconds"] for part in facts["parts"]), abs=0.1)


def test_the_commit_is_that_of_the_checkout_and_says_what_was_changed(checkout):
    commit = git(checkout, "rev-parse", "HEAD")
    assert len(commit) == 40 and provenance.source_commit() == commit
    git(checkout, "tag", "v1")
    (checkout / "notes.txt").write_text("of the user")
    assert provenance.source_commit() == commit
    (checkout / "tfgan_app" / "__init__.py").write_text("changed = True")
    assert provenance.source_commit() == f"{commit}-dirty"


def test_an_installed_package_has_no_commit(checkout, monkeypatch):
    installed = checkout / "venv" / "site-packages" / "tfgan_app" / "__init__.py"
    installed.parent.mkdir(parents=True)
    installed.write_text("")
    monkeypatch.setattr(tfgan_app, "__file__", str(installed))
    assert provenance.source_commit() is None


def test_another_repository_that_the_environment_names_is_not_meant(checkout, tmp_path, monkeypatch):
    commit = provenance.source_commit()
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert provenance.source_commit() == commit


@pytest.mark.parametrize("git_does", ["is missing", "hangs", "refuses"])
def test_a_run_does_not_depend_on_git(checkout, tmp_path, monkeypatch, git_does):
    tools = tmp_path / "bin"
    tools.mkdir()
    if git_does != "is missing":
        (tools / "git").write_text("#!/bin/sh\n" + ("exec /bin/sleep 60\n" if git_does == "hangs" else "exit 128\n"))
        (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(provenance, "_GIT_TIMEOUT_SECONDS", 0.3)
    assert provenance.source_commit() is None
