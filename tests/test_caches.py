"""Caches, where there is a home that can be written and where there is none."""

import os
from pathlib import Path

import pytest

from tfgan_app.caches import cache_folder, give_matplotlib_a_home, give_tfds_a_home


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


def test_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder("features") == tmp_path / ".cache/tfgan_app/features"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder("features") == tmp_path / "xdg/tfgan_app/features"


@pytest.mark.parametrize("home", ["/proc", "/dev/null", None])
def test_a_home_that_cannot_be_written_is_replaced(tmp_path, monkeypatch, home):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home if home is None else lambda: Path(home))
    folder = cache_folder("features")
    assert folder.is_dir() and folder.is_relative_to(tmp_path / "tmp")
    assert folder.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_someone_else_has_laid_out_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/proc"))
    (tmp_path / "theirs").mkdir()
    (tmp_path / "tmp" / f"tfgan_app-{os.getuid()}").symlink_to(tmp_path / "theirs")
    assert not cache_folder("features").resolve().is_relative_to(tmp_path / "theirs")


@pytest.mark.parametrize("home", ["/proc", "~"])
def test_matplotlib_is_given_a_folder_where_it_has_none(tmp_path, monkeypatch, home):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.path.expanduser", lambda path: path.replace("~", home))
    monkeypatch.setenv("MPLCONFIGDIR", "")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("/proc"))
    give_matplotlib_a_home()
    assert Path(os.environ["MPLCONFIGDIR"]).is_relative_to(tmp_path / "tmp")
    assert not (tmp_path / "~").exists()


def test_matplotlib_keeps_a_folder_that_it_can_write(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "own"))
    give_matplotlib_a_home()
    assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "own")


@pytest.mark.parametrize("home", ["/proc", "~"])
def test_tensorflow_datasets_are_given_a_folder_where_they_have_none(tmp_path, monkeypatch, home):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.path.expanduser", lambda path: path.replace("~", home))
    monkeypatch.setattr(Path, "home", lambda: Path("/proc"))
    monkeypatch.setenv("TFDS_DATA_DIR", "mine")
    give_tfds_a_home()
    assert os.environ["TFDS_DATA_DIR"] == "mine"
    monkeypatch.delenv("TFDS_DATA_DIR")
    give_tfds_a_home()
    assert Path(os.environ["TFDS_DATA_DIR"]).is_relative_to(tmp_path / "tmp")


def test_tensorflow_datasets_keep_their_own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    give_tfds_a_home()
    assert "TFDS_DATA_DIR" not in os.environ
