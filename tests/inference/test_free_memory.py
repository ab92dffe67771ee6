"""Available memory on systems that report it in different ways."""

from __future__ import annotations

import pytest

from tfgan_app.inference.free_memory import FALLBACK_BYTES, free_bytes

MEMINFO = "MemTotal:  8000000 kB\nMemAvailable:   6000000 kB\nHugePages_Total:  0\n"


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def group(root, folder, *, limit, usage, cached=0, version=2):
    """A control group, described by its files."""
    names = ("memory.max", "memory.current", "inactive_file") if version == 2 else V1_NAMES
    values = (f"{limit}\n", f"{usage}\n", f"anon 5\n{names[2]} {cached}\n")
    files = zip((names[0], names[1], "memory.stat"), values, strict=True)
    write(root / "sys/fs/cgroup" / folder, dict(files))


V1_NAMES = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def test_without_limits_it_is_what_linux_calls_available(tmp_path):
    write(tmp_path, {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/\n"})
    group(tmp_path, "user", limit=1, usage=0)  # Of another process
    assert free_bytes(tmp_path) == 6000000 * 1024


def test_the_tightest_limit_of_version_2_counts_and_cached_files_are_free(tmp_path):
    write(tmp_path, {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/batch/job\n"})
    group(tmp_path, "batch/job", limit="max", usage=500)
    group(tmp_path, "batch", limit=3000, usage=1700, cached=200)
    assert free_bytes(tmp_path) == 1500


@pytest.mark.parametrize("folder", ["memory/docker/abc", "memory"])
def test_version_1_with_and_without_the_path_of_the_host(tmp_path, folder):
    lines = "9:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/docker/abc\n"
    write(tmp_path, {"proc/meminfo": MEMINFO, "proc/self/cgroup": lines})
    group(tmp_path, folder, limit=4096, usage=1000, version=1)
    assert free_bytes(tmp_path) == 3096


def test_more_in_use_than_allowed_leaves_nothing(tmp_path):
    write(tmp_path, {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/\n"})
    group(tmp_path, "", limit=100, usage=900)
    assert free_bytes(tmp_path) == 0


def test_elsewhere_it_is_a_careful_guess(tmp_path):
    assert free_bytes(tmp_path) == FALLBACK_BYTES
    assert 0 < free_bytes() < 2**50
