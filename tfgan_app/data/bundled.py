"""The sample sets that travel with the package."""

from __future__ import annotations

from importlib import resources, util
from pathlib import Path

_PACKAGE = "tfgan_app.bundled_data"
_CHECKOUT_DATA = Path(__file__).resolve().parents[2] / "data"


def bundled_path(name: str) -> Path:
    """Finds a sample set that ships with the package.

    An installed package holds the sample sets as `tfgan_app.bundled_data`, a checkout as its folder `data/`.

    Args:
        name: Folder name of the set, such as `"emoji_pairs"`.

    Returns:
        The folder of the set.

    Raises:
        ValueError: If there is no such set; the line lists those there are.
    """
    folders = _bundled_folders()
    for folder in folders:
        if name and (folder / name).is_dir():
            return folder / name
    known = sorted({child.name for folder in folders for child in folder.iterdir() if child.is_dir()})
    raise ValueError(
        f"There is no bundled sample set '{name}'. Available: {', '.join(known) or 'none'}."
        " Give a folder of your own with --data."
    )


def _bundled_folders() -> list[Path]:
    """The existing folders that may hold sample sets, the installed package first."""
    folders = [_CHECKOUT_DATA]
    if util.find_spec(_PACKAGE):
        folders.insert(0, Path(str(resources.files(_PACKAGE))))
    return [folder for folder in folders if folder.is_dir()]
