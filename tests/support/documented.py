"""Commands and settings that README and the manual show, and the files that those commands name."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fake_vgg import write_fake_vgg
from PIL import Image
from small_images import write_class_folders
from small_photos import draw_photo, write_photos
from small_run import ROOT, write_pairs
from small_unpaired import write_unpaired
from torch_networks import srvgg
from torch_writer import write_zip

PAGES = [
    "README.md",
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs" / "manual").glob("*.md")),
    "docs/CONTRIBUTING.md",
    "exported_models/README.md",
]

_BLOCK = re.compile(r"^( *)```bash\n(.*?)^ *```", re.M | re.S)
_PYTHON = re.compile(r"^( *)```python\n(.*?)^ *```", re.M | re.S)
_INLINE = re.compile(r"`(tfgan_app [^`]+)`")
_PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")
_SETTING = re.compile(r"(?<![.\w])(?:task|data|training|optimizer)\.(?!py\b)[a-z][a-z0-9_]*\b(?![.(/-])")


@dataclass(frozen=True)
class Command:
    """A command of a page.

    Attributes:
        page: Path below the root.
        words: Its words as a shell splits them, without comments.
    """

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join(self.words)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def block_commands(page: str) -> list[Command]:
    """Commands of the fenced bash blocks, in order; `&&` and `|` separate them as lines do."""
    found = []
    for _, block in _BLOCK.findall(read(page)):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars="|&")
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, "&&"]:
                if word in ("&&", "|"):
                    found += [Command(page, tuple(words))] if words else []
                    words = []
                else:
                    words.append(word)
    return found


def inline_commands(page: str) -> list[Command]:
    """Whole commands in running text: those with a flag, without placeholders in capitals."""
    commands = [Command(page, tuple(shlex.split(text))) for text in _INLINE.findall(read(page))]
    return [command for command in commands if len(command.words) > 2 and not _PLACEHOLDER.search(str(command))]


def settings(page: str) -> set[str]:
    """Names such as `task.l1_weight` anywhere on a page."""
    return set(_SETTING.findall(read(page)))


def python_blocks(page: str) -> list[str]:
    """Programs of a page, without the indentation of a list."""
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in _PYTHON.findall(read(page))]


def write_named_files(folder: Path) -> None:
    """Everything that documented commands take and that none of them makes."""
    rng = np.random.default_rng(0)
    write_pairs(folder / "my_pairs")
    write_unpaired(folder / "my_sets")
    for name, classes in (("my_images", ("bag", "sneaker")), ("my_classes", ("bar", "box"))):
        write_class_folders(folder / name, train=24)
        for split in ("train", "val"):
            for old, new in zip(("bar", "box"), classes, strict=True):
                (folder / name / split / old).rename(folder / name / split / new)
    write_photos(folder / "my_photos")
    for name in ("photos", "paintings", "old", "Set5"):
        (folder / name).mkdir()
        for index in range(3):
            Image.fromarray(draw_photo(rng, (24, 64))).save(folder / name / f"{index}.png")
    for name in ("photo.jpg", "a.jpg", "painting.jpg", "tile.png"):
        Image.fromarray(draw_photo(rng, (24, 64))).save(folder / name)
    for name in ("holes.png", "face.png"):
        mask = np.zeros((24, 64), np.uint8)
        mask[8:16, 20:40] = 255
        Image.fromarray(mask).save(folder / name)
    for split, first in (("train", 0), ("val", 10)):
        (folder / "scans" / split).mkdir(parents=True)
        for index in range(first, first + 3):
            scan = draw_photo(rng, (48, 56))[..., 0].astype(np.int16) * 15 - 1000
            np.save(folder / "scans" / split / f"{index}.npy", scan)
    write_fake_vgg(folder / "vgg16.npz")
    write_zip(folder / "realesr-general-x4v3.pth", {"params": srvgg()})
    shutil.copy(ROOT / "exported_models" / "upscale_x4_int8.tflite", folder)
    shutil.copytree(ROOT / "exported_models" / "recipes", folder / "exported_models" / "recipes")
    shutil.copytree(ROOT / "exported_models" / "upscale_x4", folder / "exported_models" / "upscale_x4")
