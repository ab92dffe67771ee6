"""Folders for what can be made or downloaded again, also where there is no home that can be written."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import tempfile
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Makes a folder for what can be made or downloaded again.

    Args:
        name: Of the folder, such as `"features"`.

    Returns:
        `tfgan_app/NAME` in the user's cache (`XDG_CACHE_HOME`, else `~/.cache`); where that cannot be written, in the
        folder of temporary files.

    Raises:
        OSError: If neither can be written.
    """
    with contextlib.suppress(OSError, RuntimeError):  # Without HOME, a user whom the system does not know has no home.
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return _writable(base / "tfgan_app" / name)
    return _writable(_private_folder() / name)


def _private_folder() -> Path:
    """The user's own folder among the temporary files; others must not be able to put files into it."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir(), f"tfgan_app-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if stat.S_ISLNK(owner.st_mode) or (hasattr(os, "getuid") and owner.st_uid != os.getuid()):
        return Path(tempfile.mkdtemp(prefix="tfgan_app-"))
    return folder


def give_matplotlib_a_home() -> None:
    """Names another folder for matplotlib where its own cannot be written, of which it would warn.

    To be called before anything imports it, as Keras does.
    """
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # It warns that the first start takes longer.
    folders = [os.environ.get("MPLCONFIGDIR")]
    if not folders[0]:
        home = os.path.expanduser("~")
        bases = (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache"))
        folders = [os.path.join(os.environ.get(name) or os.path.join(home, base), "matplotlib") for name, base in bases]
    # Where there is no home at all, `~` stays as it is.
    if folders[-1].startswith("~") or not all(map(_can_write, folders)):
        with contextlib.suppress(OSError):
            os.environ["MPLCONFIGDIR"] = str(cache_folder("matplotlib"))


def give_tfds_a_home() -> None:
    """Names another folder for TensorFlow Datasets where there is no home to download to.

    To be called before it is imported.
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
    """Makes a folder.

    Raises:
        OSError: If nothing can be written in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):  # Full disks and quotas are nothing that `os.access` knows of.
        return folder
