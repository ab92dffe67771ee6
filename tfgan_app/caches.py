"""Cache folders for files that can be rebuilt or downloaded again, even without a writable home directory."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import tempfile
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Creates a cache folder for files that can be rebuilt or downloaded again.

    Args:
        name: Name of the folder, such as `"features"`.

    Returns:
        `tfgan_app/NAME` in the user's cache (`XDG_CACHE_HOME`, else `~/.cache`), or in the folder of temporary files
        if the cache is not writable.

    Raises:
        OSError: If neither is writable.
    """
    with contextlib.suppress(OSError, RuntimeError):  # Without HOME, a user unknown to the system has no home.
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return _writable(base / "tfgan_app" / name)
    return _writable(_private_folder() / name)


def _private_folder() -> Path:
    """Returns a private folder of the user in the system's temporary folder; nobody else can write to it."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir(), f"tfgan_app-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if stat.S_ISLNK(owner.st_mode) or (hasattr(os, "getuid") and owner.st_uid != os.getuid()):
        return Path(tempfile.mkdtemp(prefix="tfgan_app-"))
    return folder


def give_matplotlib_a_home() -> None:
    """Points matplotlib to a cache folder if its own folders are not writable, which would make it warn.

    Call this before anything imports matplotlib, as Keras does.
    """
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # It warns that the first start takes longer.
    folders = [os.environ.get("MPLCONFIGDIR")]
    if not folders[0]:
        home = os.path.expanduser("~")
        bases = (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache"))
        folders = [os.path.join(os.environ.get(name) or os.path.join(home, base), "matplotlib") for name, base in bases]
    # Without any home, `expanduser` leaves `~` in place.
    if folders[-1].startswith("~") or not all(map(_can_write, folders)):
        with contextlib.suppress(OSError):
            os.environ["MPLCONFIGDIR"] = str(cache_folder("matplotlib"))


def give_tfds_a_home() -> None:
    """Points TensorFlow Datasets to a cache folder if the home directory is not writable.

    Call this before it is imported.
    """
    home = os.path.expanduser("~")
    if "TFDS_DATA_DIR" not in os.environ and not (os.path.isdir(home) and _can_write(home)):
        with contextlib.suppress(OSError):
            os.environ["TFDS_DATA_DIR"] = str(cache_folder("tensorflow_datasets"))


def _can_write(folder: str) -> bool:
    try:
        _writable(Path(folder))
    except OSError:
        return False
    return True


def _writable(folder: Path) -> Path:
    """Creates a folder and returns it.

    Raises:
        OSError: If it is not writable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):  # `os.access` does not see full disks and quotas.
        return folder
