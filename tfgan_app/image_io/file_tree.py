"""The folder walk that all commands share: links are followed once, and nothing is skipped silently."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tfgan_app.files import check_regular, printable
from tfgan_app.image_io.heif import HEIF_SUFFIXES, INSTALL_HEIF, can_read_heif, is_heif


def _suffixes(*names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in " ".join(names).split())


VIDEO_SUFFIXES = _suffixes(
    "3g2 3gp asf avi divx f4v flv m2t m2ts m2v m4v mkv mov mp4 mpe mpeg mpg mts mxf nut ogm ogv qt rm vob webm wmv"
)
"""Lower-case suffixes of files that look like videos."""

_OTHER_IMAGE_SUFFIXES = _suffixes(
    "arw cr2 cr3 cur dcm dds dng dpx emf eps exr fits hdr icns ico jls jxl jxr nef orf pam pcx pef pfm psd qoi raf rw2",
    "sgi srw svg wmf xcf",
)
# Files that often come with images in large numbers; their content is not inspected.
_PLAIN_SUFFIXES = _suffixes("csv htm html json jsonl md npy npz py tsv txt xml xmp yaml yml")

_HEAD_BYTES = 16
_IMAGE_HEADS = (
    (0, b"\xff\xd8\xff", "JPEG", ".jpg"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG", ".png"),
    (0, b"GIF8", "GIF", ".gif"),
    (8, b"WEBP", "WebP", ".webp"),
    (0, b"II*\0", "TIFF", ".tif"),
    (0, b"MM\0*", "TIFF", ".tif"),
    (4, b"ftypavif", "AVIF", ".avif"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000", ".jp2"),
)
_VIDEO_HEADS = ((4, b"ftyp"), (0, b"\x1aE\xdf\xa3"), (8, b"AVI "))
_AUDIO_HEAD = b"ftypM4A"


@dataclass
class FolderTree:
    """The visible contents of a folder and its sub-folders.

    Attributes:
        files: Everything but folders, sorted by path, including broken links, pipes, sockets and devices.
        problems: Folders that could not be listed, and broken links, each with one line.
        notes: Linked folders that were not followed, each with one clause that gives the reason.
    """

    files: list[Path] = field(default_factory=list)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[tuple[Path, str]] = field(default_factory=list)


def walk_tree(root: str | os.PathLike) -> FolderTree:
    """Lists a folder and its sub-folders. Hidden files and folders are left out.

    Linked folders are followed last, each folder once: a link to a folder that is listed already, or to one that
    contains `root`, becomes a note.

    Args:
        root: The root folder.

    Returns:
        A `FolderTree`; its paths start with `root`.
    """
    root = Path(root)
    tree = FolderTree()
    seen: dict[tuple[int, int], Path] = {}
    folders, links = deque([root]), deque[Path]()
    while folders or links:
        folder = (folders or links).popleft()
        try:
            found = folder.stat()
            identity = found.st_dev, found.st_ino
            note = _why_not_followed(folder, root, seen.get(identity))
            if note is None:
                seen[identity] = folder
                _list(folder, tree, folders, links)
            else:
                tree.notes.append((folder, note))
        except OSError as error:
            tree.problems.append((folder, f"Cannot read the folder '{printable(folder)}': {error.strerror or error}"))
    tree.files.sort(key=lambda path: path.relative_to(root).parts)
    return tree


def _why_not_followed(folder: Path, root: Path, known: Path | None) -> str | None:
    """Reason for not following a folder: it is listed already (as `known`) or contains `root`; None to follow it."""
    if known is not None:
        return f"is not followed: it is '{printable(known)}', which is included already"
    if folder != root and folder.is_symlink() and folder.resolve() in root.resolve().parents:
        return f"is not followed: it links to a folder that contains '{printable(root)}'"
    return None


def _list(folder: Path, tree: FolderTree, folders: deque[Path], links: deque[Path]) -> None:
    with os.scandir(folder) as entries:
        visible = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    for entry in visible:
        path = folder / entry.name
        try:
            is_folder = entry.is_dir()
        except OSError:  # A link to itself.
            is_folder = False
        if is_folder:
            (links if entry.is_symlink() else folders).append(path)
            continue
        tree.files.append(path)
        # Perhaps a folder on a missing drive. With a suffix it is a file, and its reader reports it.
        if not path.suffix and entry.is_symlink() and not os.path.exists(path):
            tree.problems.append((path, f"Cannot follow '{printable(path)}': {_problem(path)}"))


def _problem(path: Path) -> str | None:
    """Reason why a path is not a regular file, or None."""
    try:
        check_regular(path)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


@dataclass(frozen=True)
class Survey:
    """Contents of a folder that a command does not use.

    Attributes:
        problems: Folders that could not be listed and broken links, each with one line that names it.
        notes: Linked folders that were not followed, each with one clause that gives the reason.
        kinds: Kinds of files that look like images or videos and are not used, with their number and what to do,
            such as `"3 .heic (pip install 'tfgan_app[heif]' reads them)"`.
    """

    problems: list[tuple[Path, str]]
    notes: list[tuple[Path, str]]
    kinds: list[str]

    @property
    def left_alone(self) -> str | None:
        """One line on the files that are not used, or None."""
        return f"left alone: {', '.join(self.kinds)}" if self.kinds else None


def survey_folder(root: str | os.PathLike, *, takes: Callable[[Path], bool]) -> Survey:
    """Finds the contents of a folder that a command does not use.

    Args:
        root: The root folder.
        takes: Returns whether the command uses a file, by its name.

    Returns:
        A `Survey`.
    """
    tree = walk_tree(root)
    counts = Counter(_kind(path) for path in tree.files if not takes(path))
    counts.pop(None, None)
    kinds = [f"{number} {kind}" for kind, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    return Survey(tree.problems, tree.notes, kinds)


def _kind(path: Path) -> str | None:
    """Kind of an unused file that a user may expect to be used, with what to do; None for all others."""
    suffix = path.suffix.lower()
    shown = printable(suffix) or "without a suffix"
    if suffix in _PLAIN_SUFFIXES:
        return None
    if suffix in HEIF_SUFFIXES and not can_read_heif():
        return f"{shown} ({INSTALL_HEIF} reads them)"
    if suffix in _OTHER_IMAGE_SUFFIXES or suffix in HEIF_SUFFIXES:
        return shown
    if suffix in VIDEO_SUFFIXES:
        return f"{shown} (videos)"
    head = _head(path)
    if is_heif(head):
        return f"{shown} (HEIC: give them the suffix .heic)"
    for offset, beginning, name, right in _IMAGE_HEADS:
        if head.startswith(beginning, offset):
            return f"{shown} ({name}: give them the suffix {right})"
    is_video = any(head.startswith(beginning, offset) for offset, beginning in _VIDEO_HEADS)
    return f"{shown} (videos)" if is_video and not head.startswith(_AUDIO_HEAD, 4) else None


def _head(path: Path) -> bytes:
    try:
        check_regular(path)
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return b""
