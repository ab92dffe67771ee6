"""Atomic file writes (temporary file, then rename), checks for regular files, and printable file names."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

# Control characters, line ends, marks that change text direction, and bytes that are not UTF-8 (surrogates).
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
    r"""Escapes characters of a file name that are unsafe in a terminal, a web page or a UTF-8 file.

    Args:
        name: A path, or a line of text with paths in it.

    Returns:
        One line of valid Unicode: a byte that is not UTF-8 becomes `\xf1`, a line end `\n`, ESC `\x1b`.
    """
    return _UNPRINTABLE.sub(_escaped, os.fspath(name))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return match[0].encode("unicode_escape").decode("ascii")


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's message, or the name of its class if the message is empty.

    TensorFlow, Keras and LiteRT append stacks and advice.
    """
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def quoted(argument: str | os.PathLike) -> str:
    """Quotes a command's argument for a shell, on one printable line.

    Args:
        argument: Text, or a path: one that begins with a dash becomes `./-name`, so that it is not taken for a flag.
    """
    text = os.fspath(argument)
    if isinstance(argument, os.PathLike) and text.startswith("-"):
        text = os.path.join(os.curdir, text)
    if _UNPRINTABLE.search(text) is None:
        return shlex.quote(text)
    # Bash, zsh and most other shells know this form; the plain one would not be printable on one line.
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_UNPRINTABLE.sub(_shell_escaped, escaped)}'"


def _shell_escaped(match: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))


def check_regular(path: str | os.PathLike) -> None:
    """Refuses everything but a regular file; reading a pipe could block forever.

    Args:
        path: The file; links are followed.

    Raises:
        ValueError: If it is a folder, a pipe, a socket, a device or a broken link.
        OSError: If it does not exist or cannot be accessed.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if not os.path.islink(path):
            raise
        target = printable(os.readlink(os.fspath(path)))
        if isinstance(error, FileNotFoundError):
            raise ValueError(f"it is a link to '{target}', which does not exist") from error
        raise ValueError(f"it is a link to '{target}' that cannot be followed: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise ValueError(f"it is {_KINDS.get(stat.S_IFMT(mode), 'of an unknown kind')}, expected a regular file")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, *, sync: bool = False) -> Iterator[Path]:
    """Yields a temporary path to write to, and renames it to `path` when the block ends without an error.

    A process that is killed at any moment leaves the previous file (or no file) as it was. Missing folders are
    created.

    Args:
        path: Where the file belongs.
        sync: Whether to wait until the file is on disk, so that it survives a power failure.

    Yields:
        A path in the same folder, hidden, with the same suffix.

    Raises:
        OSError: If the file cannot be written; it names `path`. The temporary file is removed.
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
        # The user does not know the temporary file.
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
    r"""Writes a UTF-8 file atomically.

    Args:
        path: The file.
        text: Its content. File-name bytes that are not UTF-8 (surrogates) are written as `\udcf1`, a JSON escape that
            reads back as the same name.

    Raises:
        OSError: If the file cannot be written.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # Such as /dev/stdout, which must not be replaced.
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        return
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def exclusive(folder: str | os.PathLike) -> Iterator[None]:
    """Holds an exclusive lock on a folder between processes until the block ends.

    It does nothing on systems without such locks (Windows).

    Args:
        folder: An existing folder.
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
