"""The folder walk of all commands: links are followed once, nothing hangs, and omissions are named."""

import os
import socket
from pathlib import Path

import pytest

from tfgan_app.image_io import file_tree
from tfgan_app.image_io.file_tree import survey_folder, walk_tree
from tfgan_app.image_io.loading import find_images, is_image

HEADS = {
    "photo.jpg_large": (b"\xff\xd8\xff\xe0", "1 .jpg_large (JPEG: give them the suffix .jpg)"),
    "photo": (b"\x89PNG\r\n\x1a\n", "1 without a suffix (PNG: give them the suffix .png)"),
    "photo.bin": (b"RIFF....WEBP", "1 .bin (WebP: give them the suffix .webp)"),
    "photo.dat": (b"\0\0\0\x18ftypheic", "1 .dat (HEIC: give them the suffix .heic)"),
    "photo.JXL": (b"", "1 .jxl"),
    "photo.svg": (b"<svg", "1 .svg"),
    "photo.pfm": (b"PF\n", "1 .pfm"),
    "clip.mxf": (b"", "1 .mxf (videos)"),
    "clip.MP4": (b"", "1 .mp4 (videos)"),
    "clip": (b"\0\0\0\x18ftypisom", "1 without a suffix (videos)"),
    "clip.x": (b"\x1aE\xdf\xa3", "1 .x (videos)"),
}


def write(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def relative(paths, root):
    return [path.relative_to(root).as_posix() for path in paths]


@pytest.fixture
def tree(tmp_path):
    for name in ("a.png", "real/b.png", "real/deep/c.png", ".hidden/d.png", ".e.png"):
        write(tmp_path / "root" / name)
    return tmp_path / "root"


def test_all_visible_files_by_their_place(tree):
    assert relative(walk_tree(tree).files, tree) == ["a.png", "real/b.png", "real/deep/c.png"]


def test_a_linked_folder_is_followed_once(tree):
    write(tree.parent / "outside" / "o.png")
    for name in ("link", "twin"):
        (tree / name).symlink_to(tree.parent / "outside")
    found = walk_tree(tree)
    assert relative(found.files, tree) == ["a.png", "link/o.png", "real/b.png", "real/deep/c.png"]
    assert found.notes == [(tree / "twin", f"is not followed: it is '{tree / 'link'}', which is included already")]


@pytest.mark.parametrize(
    ("name", "target", "reason"),
    [
        ("aaa", "real", "it is '{root}/real', which is included already"),
        ("real/loop", "..", "it is '{root}', which is included already"),
        ("real/deep/up", "..", "it is '{root}/real', which is included already"),
        ("above", "..", "it links to a folder that contains '{root}'"),
        ("slash", "/", "it links to a folder that contains '{root}'"),
    ],
)
def test_a_link_to_what_is_taken_already_or_around_is_named(tree, name, target, reason):
    (tree / name).symlink_to(target, target_is_directory=True)
    found = walk_tree(tree)
    assert len(found.files) == 3
    assert found.notes == [(tree / name, f"is not followed: {reason.format(root=tree)}")]


def test_a_root_that_is_itself_a_link(tree):
    (tree.parent / "way").symlink_to(tree)
    assert relative(walk_tree(tree.parent / "way").files, tree.parent / "way")[0] == "a.png"


def test_links_that_lead_nowhere_are_problems_or_files(tree):
    for name, target in {
        "lost": "/nowhere",
        "lost.png": "gone.png",
        "round": "round",
        "round.png": "round.png",
    }.items():
        (tree / name).symlink_to(target)
    found = walk_tree(tree)
    assert [path.name for path, _ in found.problems] == ["lost", "round"]
    assert "'/nowhere', which does not exist" in found.problems[0][1]
    assert "cannot be followed" in found.problems[1][1]
    assert relative(find_images(tree), tree)[1:3] == ["lost.png", "real/b.png"]


def test_a_folder_without_permission_is_named_and_the_rest_is_listed(tree, monkeypatch):
    def scandir(path):
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return os.scandir(path)

    monkeypatch.setattr(file_tree, "os", type("os", (), {**vars(os), "scandir": staticmethod(scandir)}))
    found = walk_tree(tree)
    assert relative(found.files, tree) == ["a.png", "real/b.png"]
    assert found.problems == [(tree / "real/deep", f"Cannot read the folder '{tree / 'real/deep'}': Permission denied")]


def test_pipes_and_sockets_are_listed_and_never_opened(tree, monkeypatch):
    os.mkfifo(tree / "pipe.png")
    os.mkfifo(tree / "pipe")
    monkeypatch.chdir(tree)  # A socket's path may have 107 bytes.
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
    assert relative(find_images(tree), tree) == ["a.png", "pipe.png", "real/b.png", "real/deep/c.png", "socket.png"]
    assert survey_folder(tree, takes=is_image).kinds == []


@pytest.mark.parametrize("name", HEADS)
def test_a_file_that_looks_like_an_image_is_counted(tree, name):
    head, kind = HEADS[name]
    write(tree / name, head + bytes(32))
    survey = survey_folder(tree, takes=is_image)
    assert survey.kinds == [kind]
    assert survey.left_alone == f"left alone: {kind}"


@pytest.mark.parametrize(
    ("name", "head"),
    [("notes.txt", b"\xff\xd8\xff"), ("labels.json", b"{}"), ("song.m4a", b"\0\0\0\x18ftypM4A "), ("empty", b"")],
)
def test_other_files_are_nobodys_business(tree, name, head):
    write(tree / name, head)
    assert survey_folder(tree, takes=is_image).left_alone is None


def test_kinds_are_counted_the_most_frequent_first(tree):
    for name in ("a.mp4", "b.jxl", "c.jxl", "d.mov"):
        write(tree / name)
    survey = survey_folder(tree, takes=is_image)
    assert survey.left_alone == "left alone: 2 .jxl, 1 .mov (videos), 1 .mp4 (videos)"


def test_what_the_caller_takes_is_not_left_alone(tree):
    write(tree / "a.mp4")
    assert survey_folder(tree, takes=lambda path: path.suffix in (".mp4", ".png")).kinds == []


def test_without_the_extra_heic_is_left_alone_with_what_to_do(tree, monkeypatch):
    monkeypatch.setattr(file_tree, "can_read_heif", lambda: False)
    write(tree / "a.heic")
    survey = survey_folder(tree, takes=lambda path: path.suffix == ".png")
    assert survey.kinds == ["1 .heic (pip install 'tfgan_app[heif]' reads them)"]
