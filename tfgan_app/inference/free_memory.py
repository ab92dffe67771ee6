"""Memory that is available to this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FALLBACK_BYTES = 2 * 2**30
"""Result if the system does not report its memory."""


def free_bytes(root: str | Path = "/") -> int:
    """Bytes that can be allocated without swapping and without being killed.

    The minimum of Linux's available memory and the remaining limits of the process's control groups (version 1 or 2),
    which containers and batch systems set. Cached files count as free.

    Args:
        root: Parent of the mount points `proc` and `sys`.

    Returns:
        Bytes, at least 0; `FALLBACK_BYTES` on systems other than Linux.
    """
    root = Path(root)
    found = [_available_bytes(root / "proc/meminfo"), *_left_of_limits(root)]
    return min((max(0, value) for value in found if value is not None), default=FALLBACK_BYTES)


def _available_bytes(meminfo: Path) -> int | None:
    kibibytes = _fields(meminfo).get("MemAvailable:")
    return None if kibibytes is None else kibibytes * 1024


def _left_of_limits(root: Path) -> Iterator[int | None]:
    """Remainder of each limit on the process, or None for a group without a limit."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        mount = root / "sys/fs/cgroup"
        if controllers == "":
            yield from _left_in_groups(mount, group, ("memory.max", "memory.current", "inactive_file"))
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left_in_groups(mount / "memory", group, names)


def _left_in_groups(mount: Path, group: str, names: tuple[str, str, str]) -> Iterator[int | None]:
    """Remainders for a group and its ancestors. In a container its path may not exist; the mount is its root then."""
    limit_name, usage_name, cached_name = names
    path = Path(group.lstrip("/"))
    for folder in (path, *path.parents):
        limit, usage = (_read(mount / folder / name).strip() for name in (limit_name, usage_name))
        if limit.isdecimal() and usage.isdecimal():
            cached = _fields(mount / folder / "memory.stat").get(cached_name, 0)
            yield int(limit) - int(usage) + cached


def _fields(path: Path) -> dict[str, int]:
    """Numbers of a file with lines like `name number unit`."""
    rows = (line.split() for line in _read(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
