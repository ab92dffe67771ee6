"""Folders that disappear and return, broken models, and `models.config`, with versions that load at once."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lanes import first_quick

from tfgan_app.serving.catalog import Catalog
from tfgan_app.serving.errors import ServingError
from tfgan_app.serving.models_config import ModelRules, read_models_config


class SmallVersion:
    """A version whose file only states whether it can be loaded."""

    def __init__(self, name, version, path):
        self.name, self.version, self.users = name, version, 0
        if (path / "saved_model.pb").read_bytes() != b"sound":
            raise ValueError("it is no model")

    def warm_up(self, path):
        return 0


@pytest.fixture(autouse=True)
def small_versions(monkeypatch):
    monkeypatch.setattr("tfgan_app.serving.catalog.ModelVersion", SmallVersion)


def add(root, name, version=1, content=b"sound"):
    folder = root / name / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder


class Watched:
    """A catalog that scans its folder on demand."""

    def __init__(self, root, **settings):
        self.reports = []
        self._executor = ThreadPoolExecutor(1)
        settings = {"keep_versions": 1, **settings}
        self.catalog = Catalog(root, executor=self._executor, report=self.reports.append, **settings)

    def look(self):
        """Scans once, and returns the reported lines."""
        del self.reports[:]
        asyncio.run(self.catalog.refresh())
        return list(self.reports)

    def served(self):
        """Name -> versions that answer, by identity."""
        return {name: dict(versions) for name, versions in self.catalog.available().items() if versions}

    def numbers(self):
        return {name: sorted(versions) for name, versions in self.served().items()}


@pytest.fixture
def faults():
    """A separate monkeypatch, which can be undone within a test."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield monkeypatch


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "models"
    add(folder, "a", 1)
    add(folder, "a", 2)
    add(folder, "b", 7)
    (folder / "models.config").write_text(
        'model_config_list { config { name: "a" version_labels { key: "old" value: 1 } } }'
    )
    return folder


def moved(path, monkeypatch):
    away = path.with_name(f".{path.name}.away")
    path.rename(away)
    return lambda: away.rename(path)


def emptied(path, monkeypatch):
    """Empties the folder, like an unmounted mount point."""
    back = moved(path, monkeypatch)
    path.mkdir()

    def restore():
        path.rmdir()
        back()

    return restore


def dangling(path, monkeypatch):
    """Replaces the folder by a link to an unmounted place."""
    back = moved(path, monkeypatch)
    path.symlink_to(path.with_name("not mounted"))

    def restore():
        path.unlink()
        back()

    return restore


def failing(number, *functions):
    """Makes the system fail for everything below a path."""

    def fail(path, monkeypatch):
        for name in functions:
            original = getattr(Path, name)

            def broken(self, *args, _original=original, **kwargs):
                if self == path or path in self.parents:
                    raise OSError(number, os.strerror(number), str(self))
                return _original(self, *args, **kwargs)

            monkeypatch.setattr(Path, name, broken)
        return monkeypatch.undo

    return fail


EVERYTHING = ("iterdir", "stat", "read_text")
FAULTS = {
    "moved": moved,
    "unmounted": emptied,
    "dangling link": dangling,
    "EACCES": failing(errno.EACCES, *EVERYTHING),
    "EACCES to list": failing(errno.EACCES, "iterdir"),
    "ESTALE": failing(errno.ESTALE, *EVERYTHING),
    "EIO": failing(errno.EIO, *EVERYTHING),
    "ENOTCONN": failing(errno.ENOTCONN, *EVERYTHING),
}


AWAY = [
    (what, fault)
    for what in (".", "b", "b/7", "a/2")
    for fault in FAULTS
    # Taken out of a folder that can be read, which is another matter; and versions are not listed.
    if (what, fault) not in {("b", "moved"), ("a/2", "moved"), ("b/7", "EACCES to list"), ("a/2", "EACCES to list")}
]


@pytest.mark.parametrize(("what", "fault"), first_quick(AWAY, count=8))
def test_what_is_loaded_is_served_on_while_its_folder_is_away(root, faults, what, fault):
    watched = Watched(root)
    watched.look()
    before = watched.served()
    restore = FAULTS[fault](root / what, faults)
    said = [watched.look() for _ in range(3)]
    assert watched.served() == before
    assert [len(lines) for lines in said] == [1, 0, 0]
    assert str(root / what.split("/")[0]) in said[0][0] and "Loaded versions are still served." in said[0][0]
    with watched.catalog.use("a", label="old") as model:
        assert model.version == 1
    assert watched.catalog.ready
    restore()
    said = [watched.look() for _ in range(2)]
    assert said[1] == [] and len(said[0]) == 1 and said[0][0].endswith("can be read again")
    assert watched.served() == before  # The same objects: nothing was loaded twice.
    add(root, "b", 8)
    assert "b version 8 is available" in watched.look()


def test_the_folder_of_one_model_may_be_away_too(root):
    watched = Watched(root / "a")
    watched.look()
    before = watched.served()
    restore = emptied(root / "a", None)
    assert [len(watched.look()) for _ in range(2)] == [1, 0]
    assert watched.served() == before
    restore()
    assert [len(watched.look()) for _ in range(2)] == [1, 0]


def test_what_is_taken_out_of_a_folder_that_can_be_read_is_unloaded(root):
    watched = Watched(root)
    watched.look()
    shutil.rmtree(root / "a" / "2")
    assert "a version 2 is unloaded" in watched.look()
    shutil.rmtree(root / "b")
    assert "b version 7 is unloaded" in watched.look()
    assert watched.numbers() == {"a": [1]}


def test_a_folder_that_cannot_be_read_at_the_start_is_said_and_read_once_it_can_be(root, faults):
    restore = failing(errno.EACCES, *EVERYTHING)(root, faults)
    watched = Watched(root)
    assert [len(watched.look()) for _ in range(2)] == [1, 0]
    assert not watched.catalog.ready
    with pytest.raises(ServingError, match="not found"), watched.catalog.use("a"):
        pass
    restore()
    assert "a version 2 is available" in watched.look()
    assert watched.catalog.ready


def test_what_was_ready_stays_ready_beside_a_broken_model(root):
    watched = Watched(root)
    watched.look()
    assert watched.catalog.ready
    add(root, "broken", content=b"junk")
    add(root, "a", 3, content=b"junk")
    said = watched.look()
    assert [line for line in said if "cannot be loaded: it is no model" in line] == said and len(said) == 2
    assert watched.look() == []
    assert watched.catalog.ready
    assert watched.numbers() == {"a": [1, 2], "b": [7]}
    assert watched.catalog.failures() == {"a": {3: "it is no model"}, "b": {}, "broken": {1: "it is no model"}}
    with pytest.raises(ServingError, match=r"not found for request: Latest\(broken\). It cannot be loaded: it is no"):
        watched.catalog.use("broken").__enter__()
    restarted = Watched(root)
    restarted.look()
    assert restarted.catalog.ready
    add(root, "broken", content=b"sound")
    (root / "broken" / "1" / "more").touch()
    assert watched.look() == ["broken version 1 is available"]
    assert watched.catalog.failures()["broken"] == {}


def test_a_server_that_can_serve_nothing_is_not_ready_but_one_that_has_nothing_to_serve_is(tmp_path):
    empty = Watched(tmp_path)
    empty.look()
    assert empty.catalog.ready
    add(tmp_path, "broken", content=b"junk")
    empty.look()
    assert empty.catalog.ready
    only_broken = Watched(tmp_path)
    only_broken.look()
    assert not only_broken.catalog.ready


def config(text):
    return f'model_config_list {{ config {{ name: "a" {text} }} }}'


@pytest.mark.parametrize(
    ("text", "served"),
    [
        ("", [3]),
        ("model_version_policy { latest {} }", [3]),
        ("model_version_policy { latest { num_versions: 2 } }", [2, 3]),
        ("model_version_policy { all {} }", [1, 2, 3]),
        ("model_version_policy { specific { versions: 1 } }", [1]),
        ("model_version_policy { specific { versions: 1 versions: 3 } }", [1, 3]),
        ("model_version_policy { specific { versions: 2 versions: 9 } }", [2]),
        ('version_labels { key: "x" value: 1 }', [1, 3]),
        ('model_version_policy { latest { num_versions: 2 } } version_labels { key: "x" value: 1 }', [1, 2, 3]),
        ('base_path: "/models/a" model_platform: "tensorflow" model_type: TENSORFLOW', [3]),
    ],
)
def test_the_configuration_says_which_versions_are_served(tmp_path, text, served):
    for version in (1, 2, 3):
        add(tmp_path, "a", version)
    add(tmp_path, "other", 1)
    add(tmp_path, "other", 2)
    (tmp_path / "models.config").write_text(config(text))
    watched = Watched(tmp_path)
    watched.look()
    assert watched.numbers() == {"a": served, "other": [2]}
    watched.look()
    assert watched.numbers() == {"a": served, "other": [2]}


def test_the_configuration_may_change_and_a_broken_one_changes_nothing(root):
    watched = Watched(root, keep_versions=2)
    watched.look()
    assert watched.numbers()["a"] == [1, 2]
    (root / "models.config").write_text(config("model_version_policy { specific { versions: 1 } }"))
    assert watched.look() == ["a version 2 is unloaded"]
    (root / "models.config").write_text(config('model_platform: "torch"'))
    (said,) = watched.look()
    reason = 'model \'a\': `model_platform` must be "tensorflow". Received: "torch"'
    assert said.endswith(f"{reason}. It is ignored until it is corrected.")
    assert watched.look() == [] and watched.numbers()["a"] == [1]
    (root / "models.config").unlink()
    assert watched.look() == ["a version 2 is available"]


def test_a_label_of_a_version_that_is_not_there_is_said_once(root):
    (root / "models.config").write_text(config('version_labels { key: "new" value: 3 }'))
    watched = Watched(root)
    assert "a has no version 3, which models.config asks for" in watched.look()
    assert watched.look() == []
    with pytest.raises(ServingError, match=r"Specific\(a, 3\)"), watched.catalog.use("a", label="new"):
        pass
    add(root, "a", 3)
    watched.look()
    with watched.catalog.use("a", label="new") as model:
        assert model.version == 3


def test_versions_and_models_that_are_asked_for_and_not_there_are_said_once(root):
    (root / "models.config").write_text(
        'model_config_list { config { name: "a" model_version_policy { specific { versions: 5 } } } '
        'config { name: "elsewhere" } }'
    )
    watched = Watched(root)
    said = watched.look()
    assert "a has no version 5, which models.config asks for" in said
    assert f"models.config lists elsewhere, which is not a folder in '{root}'" in said
    assert watched.look() == []
    add(root, "a", 5)
    assert watched.look() == ["a version 5 is available"]
    shutil.rmtree(root / "a" / "5")
    assert watched.look() == ["a has no version 5, which models.config asks for", "a version 5 is unloaded"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no {", "is not a ModelServerConfig in text format"),
        (config("model_version_policy { newest {} }"), 'no field named "newest"'),
        (
            config('model_platform: "pytorch"'),
            'model \'a\': `model_platform` must be "tensorflow". Received: "pytorch"',
        ),
        (config("model_type: OTHER"), "model 'a': `model_type` must be TENSORFLOW"),
        (config("logging_config {}"), "model 'a': `logging_config` is not supported"),
        (config("model_version_policy { specific {} }"), "`specific` must list `versions` from 0. Received: none"),
        (config("model_version_policy { specific { versions: -1 } }"), "Received: [-1]"),
        (config('version_labels { key: "x" value: -1 }'), "label 'x' must point to a version that is served"),
        (
            config('model_version_policy { specific { versions: 2 } } version_labels { key: "x" value: 1 }'),
            "label 'x' must point to a version that is served. Received: 1; `specific`: [2]",
        ),
        ('model_config_list { config { base_path: "/x" } }', "a model has no `name`"),
        ('model_config_list { config { name: "a" } config { name: "a" } }', "model 'a' is listed twice"),
        ("custom_model_config {}", "`custom_model_config` is not supported"),
    ],
)
def test_what_the_configuration_cannot_ask_for_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "models.config").write_text(text)
    with pytest.raises(ValueError) as caught:
        read_models_config(tmp_path)
    assert message in str(caught.value) and "models.config'" in str(caught.value)


def test_a_configuration_that_is_not_there_has_no_rules(tmp_path):
    assert read_models_config(tmp_path) == {}
    (tmp_path / "models.config").write_text("")
    assert read_models_config(tmp_path) == {}
    (tmp_path / "models.config").write_text(config('version_labels { key: "x" value: 3 }'))
    assert read_models_config(tmp_path) == {"a": ModelRules(labels={"x": 3})}
    (tmp_path / "models.config").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="cannot be read"):
        read_models_config(tmp_path)
