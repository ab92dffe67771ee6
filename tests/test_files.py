"""Atomic writes, regular files, names that can be printed, commands that can be pasted."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tfgan_app.files import atomic_path, check_regular, printable, quoted, write_text

UNDECODABLE = os.fsdecode(b"Mu\xf1oz")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name.png", "plain name.png"),
        ("Muñoz 日本.png", "Muñoz 日本.png"),
        ("👩‍🚀.png", "👩‍🚀.png"),
        (UNDECODABLE, r"Mu\xf1oz"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("evil\u202egnp.exe", r"evil\u202egnp.exe"),
        ("line\u2028end\x85\x7f", r"line\u2028end\x85\x7f"),
        (Path("a\nb"), r"a\nb"),
    ],
)
def test_names_are_printed_on_one_line(name, shown):
    assert printable(name) == shown
    assert printable(shown) == shown
    shown.encode()


@pytest.mark.parametrize(
    "name", ["plain", "my run", "it's", "$(id)", "a\nb", "\x1b[31m", UNDECODABLE, f"{UNDECODABLE}'\\x", "\u202e", ""]
)
def test_a_quoted_word_comes_back_from_the_shell(name):
    assert printable(quoted(name)) == quoted(name)
    done = subprocess.run(["bash", "-c", f"printf %s {quoted(name)}"], capture_output=True, check=True)
    assert done.stdout == os.fsencode(name)


def test_a_path_is_never_taken_for_a_flag():
    assert quoted(Path("-rf")) == "./-rf"


@pytest.mark.parametrize("kind", ["folder", "pipe", "nowhere", "round", "device"])
def test_only_regular_files_are_opened(tmp_path, kind):
    path = tmp_path / "x.png"
    make = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "nowhere": lambda: path.symlink_to("gone\n.png"),
        "round": lambda: path.symlink_to("x.png"),
        "device": lambda: path.symlink_to("/dev/zero"),
    }[kind]
    make()
    expected = {
        "folder": "it is a folder",
        "pipe": "it is a named pipe",
        "nowhere": r"it is a link to 'gone\\n.png', which does not exist",
        "round": "it is a link to 'x.png' that cannot be followed",
        "device": "it is a device",
    }[kind]
    with pytest.raises(ValueError, match=expected):
        check_regular(path)


def test_a_file_that_is_missing_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / "x")
    (tmp_path / "x").write_bytes(b"")
    (tmp_path / "y").symlink_to("x")
    check_regular(tmp_path / "y")


def _raise(error):
    raise error


@pytest.mark.parametrize(
    "fail",
    [
        lambda path: _raise(PermissionError(13, "Permission denied", str(path))),
        lambda path: _raise(PermissionError(13, "Permission denied", os.fsencode(path))),
        lambda path: _raise(PermissionError(13, "Permission denied", str(path), None, "elsewhere")),
        lambda path: _raise(OSError(f"[Errno 13] Unable to create file (name = '{path}')")),
    ],
)
def test_an_error_names_the_file_that_was_asked_for(tmp_path, fail):
    with pytest.raises(OSError, match="x.png") as caught, atomic_path(tmp_path / "x.png") as unfinished:
        fail(unfinished)
    assert ".tmp-" not in str(caught.value)
    assert caught.value.filename in (None, str(tmp_path / "x.png"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_where_a_file_should_go_is_named(tmp_path):
    (tmp_path / "x.png").mkdir()
    with pytest.raises(OSError) as caught, atomic_path(tmp_path / "x.png") as unfinished:
        unfinished.write_bytes(b"")
    assert caught.value.filename == str(tmp_path / "x.png")


def test_json_with_an_undecodable_name_reads_back_as_it_was(tmp_path):
    write_text(tmp_path / "x.json", json.dumps({"path": UNDECODABLE, "ñ": 1}, ensure_ascii=False))
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"path": UNDECODABLE, "ñ": 1}
    assert "ñ" in text


def test_a_device_is_written_to_and_stays_a_device(tmp_path):
    (tmp_path / "out").symlink_to("/dev/null")
    write_text(tmp_path / "out", "x")
    assert (tmp_path / "out").is_symlink()
