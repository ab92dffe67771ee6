"""Atomic file writes (temporary file, then rename), regular files, names that can be printed."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

# Control characters, line ends, marks that turn the direction of a text, and bytes that are no UTF-8 (surrogates).
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def printable(name: str | os.PathLike) -> str:
    r"""Escapes the characters of a file name that a terminal, a web page or a UTF-8 file would not take as they are.

    Args:
        name: A path, or a line of text with paths in it.

    Returns:
        One line of valid Unicode: a byte that is no UTF-8 becomes `\xf1`, a line end `\n`, ESC `\x1b`.
    """
    return _UNPRINTABLE.sub(_escaped, os.fspath(name))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return match[0].encode("unicode_escape").decode("ascii")


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's message, or the name of its class if it has none.

    TensorFlow, Keras and LiteRT append stacks and advice.
    """
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def quoted(argument: str | os.PathLike) -> str:
    """An argument of a command as a shell takes it, on one line that can be printed.

    Args:
        argument: A word, or a path: one that begins with a dash becomes `./-name`, which is no flag.
    """
    text = os.fspath(argument)
    if isinstance(argument, os.PathLike) and text.startswith("-"):
        text = os.path.join(os.curdir, text)
    if _UNPRINTABLE.search(text) is None:
        return shlex.quote(text)
    # Bash, zsh and most others know this form; the plain one cannot be printed on one line.
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_UNPRINTABLE.sub(_shell_escaped, escaped)}'"


def _shell_escaped(match: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))


def check_regular(path: str | os.PathLike) -> None:
    """Refuses everything but a regular file, before anything waits for a pipe to be written.

    Args:
        path: The file; links are followed.

    Raises:
        ValueError: If it is a folder, a pipe, a socket or a device, or a link that leads nowhere.
        OSError: If it is not there or cannot be looked at.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if not os.path.islink(path):
            raise
        target = printable(os.readlink(path))
        if isinstance(error, FileNotFoundError):
            raise ValueError(f"it is a link to '{target}', which does not exist") from error
        raise ValueError(f"it is a link to '{target}' that cannot be followed: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise ValueError(f"it is {_KINDS.get(stat.S_IFMT(mode), 'of an unknown kind')}, expected a regular file")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, *, sync: bool = False) -> Iterator[Path]:
    """Gives a path to write to instead of `path`; renames it in when the block ends well.

    A process killed at any moment leaves the previous file, or none, as it was. Missing folders are made.

    Args:
        path: where the file belongs.
        sync: wait until the disk has it, so that it outlives a power cut too.

    Yields:
        A path in the same folder, hidden, with the same suffix.

    Raises:
        OSError: if the file cannot be written; it names `path`. What was written of it is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".tmp-{uuid.uuid4().hex}{path.suffix}")
    try:
        yield unfinished
        if sync:
            _sync(unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        # Nobody has ever heard of the temporary file.
        if error.filename is not None and os.path.basename(os.fsdecode(error.filename)) == unfinished.name:
            raise OSError(error.errno, error.strerror, str(path)) from error
        error.args = tuple(
            arg.replace(unfinished.name, path.name) if isinstance(arg, str) else arg for arg in error.args
        )
        raise
    finally:
        unfinished.unlink(missing_ok=True)
    if sync:
        _sync(path.parent)


def write_text(path: str | os.PathLike, text: str) -> None:
    r"""Writes a UTF-8 file, whole or not at all.

    Args:
        path: The file.
        text: Bytes of file names that are no UTF-8 (surrogates) are written as `\udcf1`, which in JSON is an escape
            that reads back as the same name.

    Raises:
        OSError: If it cannot be written.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # Such as /dev/stdout, which nothing must be renamed over.
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        return
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def exclusive(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other processes out that ask for the same folder, until the block ends.

    Where the system has no such locks (Windows) it does nothing.

    Args:
        folder: it exists.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
