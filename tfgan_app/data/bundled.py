"""Bundled sample sets."""

from __future__ import annotations

from importlib import resources, util
from pathlib import Path

_PACKAGE = "tfgan_app.bundled_data"
_CHECKOUT_DATA = Path(__file__).resolve().parents[2] / "data"


def bundled_path(name: str) -> Path:
    """Returns the folder of a bundled sample set.

    An installed package contains the sets as `tfgan_app.bundled_data`, a checkout in its folder `data/`.

    Args:
        name: Folder name of the set, such as `"emoji_pairs"`.

    Returns:
        The folder of the set.

    Raises:
        ValueError: If there is no such set; lists the valid names.
    """
    folders = _bundled_folders()
    for folder in folders:
        if name and (folder / name).is_dir():
            return folder / name
    known = sorted({child.name for folder in folders for child in folder.iterdir() if child.is_dir()})
    raise ValueError(
        f"There is no bundled sample set '{name}'. Available: {', '.join(known) or 'none'}."
        " Name your own folder with --data."
    )


def _bundled_folders() -> list[Path]:
    """Returns the existing folders of sample sets, the installed package first."""
    folders = [_CHECKOUT_DATA]
    if util.find_spec(_PACKAGE):
        folders.insert(0, Path(str(resources.files(_PACKAGE))))
    return [folder for folder in folders if folder.is_dir()]
