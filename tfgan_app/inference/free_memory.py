"""How much memory this process may still take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FALLBACK_BYTES = 2 * 2**30
"""Where the system does not tell."""


def free_bytes(root: str | Path = "/") -> int:
    """Bytes that can be allocated without swapping and without being killed.

    It is the least of what Linux calls available and what is left of the limits of the control groups (version 1 or
    2) that the process is in, as containers and batch systems set them. Cached files count as free.

    Args:
        root: Where `proc` and `sys` are mounted.

    Returns:
        Bytes, at least 0; `FALLBACK_BYTES` on other systems than Linux.
    """
    root = Path(root)
    found = [_available_bytes(root / "proc/meminfo"), *_left_of_limits(root)]
    return min((max(0, value) for value in found if value is not None), default=FALLBACK_BYTES)


def _available_bytes(meminfo: Path) -> int | None:
    kibibytes = _fields(meminfo).get("MemAvailable:")
    return None if kibibytes is None else kibibytes * 1024


def _left_of_limits(root: Path) -> Iterator[int | None]:
    """What is left of each limit on the process, or None where a group has none."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        mount = root / "sys/fs/cgroup"
        if controllers == "":
            yield from _left_in_groups(mount, group, ("memory.max", "memory.current", "inactive_file"))
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left_in_groups(mount / "memory", group, names)


def _left_in_groups(mount: Path, group: str, names: tuple[str, str, str]) -> Iterator[int | None]:
    """Of a group and all that it lies in; inside a container its own path may not exist, and the mount is its root."""
    limit_name, usage_name, cached_name = names
    path = Path(group.lstrip("/"))
    for folder in (path, *path.parents):
        limit, usage = (_read(mount / folder / name).strip() for name in (limit_name, usage_name))
        if limit.isdecimal() and usage.isdecimal():
            cached = _fields(mount / folder / "memory.stat").get(cached_name, 0)
            yield int(limit) - int(usage) + cached


def _fields(path: Path) -> dict[str, int]:
    """The numbers of a file of lines like `name number unit`."""
    rows = (line.split() for line in _read(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
