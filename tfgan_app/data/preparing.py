"""Writing of prepared sets: the image files of a folder in ArrayRecord shards, with an index."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_app.data.checking import check_image
from tfgan_app.data.preparing_views import Views, find_views
from tfgan_app.data.record_columns import write_column, write_texts
from tfgan_app.data.record_index import FORMAT, INDEX_FILE, INDEX_FOLDER, UNFINISHED_FILE, file_digest
from tfgan_app.data.records import DAMAGED, JPEG, PILLOW, PNG, import_array_record
from tfgan_app.files import atomic_path, printable, write_text

# A chunk of its own for each record, so that reading one reads no other. The images are compressed already.
_WRITER_OPTIONS = "group_size:1,uncompressed"
_FACTS = ("bytes", "width", "height", "kind", "sha256")
_TOGETHER = 64


@dataclass(frozen=True)
class Prepared:
    """Result of `prepare`.

    Attributes:
        records: Number of records, with those of damaged files.
        shards: Number of shards.
        kept_shards: Number of shards that an interrupted call had finished.
        problems: A line for each file that cannot be read.
    """

    records: int
    shards: int
    kept_shards: int
    problems: list[str]


def prepare(
    source: Path, folder: Path, *, shards: int, on_progress: Callable[[int, int], Any] = lambda done, total: None
) -> Prepared:
    """Writes the images of a folder, with labels, pairs and captions, into shards with random access.

    A call that was interrupted is continued by the same call: finished shards are kept.

    Args:
        source: Folder of images, with classes, pairs, splits or captions.
        folder: Folder to write.
        shards: Number of shards; at most one for each image is written.
        on_progress: Called with the number of files read and the total.

    Returns:
        The result. Damaged files are in the set, named and marked, so that the order of all others stays.

    Raises:
        ValueError: If the source has no images, or `folder` holds something else. One line.
    """
    import_array_record()
    views = find_views(source)
    count = min(shards, len(views.files))
    plan = _plan_digest(views.files, source, count)
    _check_folder(folder, plan)
    if (folder / INDEX_FILE).exists():
        facts = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
        return Prepared(len(views.files), count, count, list(facts["problems"].values()))
    write_text(folder / UNFINISHED_FILE, json.dumps({"plan": plan}))
    bounds = np.linspace(0, len(views.files), count + 1).astype(int)
    done, kept, written = 0, 0, []
    for number, (start, end) in enumerate(itertools.pairwise(bounds.tolist())):
        path = folder / f"shard-{number:05d}-of-{count:05d}.array_record"
        files = views.files[start:end]
        if _facts_file(path).exists():
            kept += 1
        else:
            _write_shard(path, files, on_done=functools.partial(_report, on_progress, done, len(views.files)))
        written.append(path)
        done += len(files)
    problems = _write_index(folder, written, views, source, plan)
    return Prepared(len(views.files), count, kept, list(problems.values()))


def _plan_digest(files: Sequence[Path], source: Path, shards: int) -> str:
    """Returns a digest of all that decides the content of the shards: files, their sizes and times, and the number."""
    facts: list[Any] = [FORMAT, shards, str(source.absolute())]
    for path in files:
        try:
            stat = path.stat()
            facts.append((os.fsencode(path), stat.st_size, stat.st_mtime_ns))
        except OSError:
            facts.append((os.fsencode(path), None))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _check_folder(folder: Path, plan: str) -> None:
    """Raises ValueError if a folder holds anything but the same set, finished or not."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    for name in (INDEX_FILE, UNFINISHED_FILE):
        file = folder / name
        if not file.is_file():
            continue
        try:
            if json.loads(file.read_text(encoding="utf-8"))["plan"] == plan:
                return
        except (ValueError, KeyError, TypeError):
            pass
        raise ValueError(
            f"'{printable(folder)}' holds a set of other images or of another number of shards: "
            "choose another folder, or remove it first."
        )
    raise ValueError(f"`--output` must be a new or an empty folder. '{printable(folder)}' holds other files.")


def _facts_file(shard: Path) -> Path:
    return shard.with_suffix(".facts.npz")


def _write_shard(path: Path, files: Sequence[Path], *, on_done: Callable[[int], Any]) -> None:
    """Writes a shard and then its facts, both atomically: a shard with facts is whole."""
    rows: list[tuple] = []
    problems: dict[str, str] = {}
    with atomic_path(path) as unfinished, ThreadPoolExecutor() as pool:
        writer = import_array_record().ArrayRecordWriter(str(unfinished), _WRITER_OPTIONS)
        try:
            # In groups, so that few images are in memory at a time.
            for start in range(0, len(files), _TOGETHER):
                for data, row, problem in pool.map(_read_file, files[start : start + _TOGETHER]):
                    if problem:
                        problems[str(len(rows))] = problem
                    writer.write(data)
                    rows.append(row)
                on_done(len(rows))
        finally:
            writer.close()
    columns: dict[str, Any] = dict(zip(_FACTS, map(np.array, zip(*rows, strict=True)), strict=True))
    digest = np.array([file_digest(path), json.dumps(problems)])
    with atomic_path(_facts_file(path)) as unfinished:
        np.savez(unfinished, digest=digest, **columns)


def _report(on_progress: Callable[[int, int], Any], before: int, total: int, more: int) -> None:
    on_progress(before + more, total)


def _read_file(path: Path) -> tuple[bytes, tuple, str | None]:
    """Returns the bytes of a file, its values of `_FACTS`, and its problem or None."""
    check = check_image(path)
    try:
        data = path.read_bytes() if path.is_file() else b""
    except OSError:
        data = b""
    header = check.header
    kind = PILLOW
    if check.problem or header is None or not data:
        kind = DAMAGED
    elif header.plain:
        kind = PNG if header.format == "PNG" else JPEG
    size = (header.width, header.height) if header else (1, 1)
    digest = np.frombuffer(hashlib.sha256(data).digest(), np.uint8)
    problem = check.problem or (f"Cannot read the image '{printable(path)}'" if kind == DAMAGED else None)
    return data, (len(data), *size, kind, digest), problem


def _write_index(folder: Path, shards: Sequence[Path], views: Views, source: Path, plan: str) -> dict[str, str]:
    """Writes the index, and removes the facts of the shards; returns the problems by record."""
    index = folder / INDEX_FOLDER
    shutil.rmtree(index, ignore_errors=True)
    facts: list[dict[str, Any]] = []
    problems: dict[str, str] = {}
    columns: dict[str, list[np.ndarray]] = {name: [] for name in _FACTS}
    start = 0
    for path in shards:
        with np.load(_facts_file(path), allow_pickle=False) as own:
            digest, found = own["digest"]
            for name, values in columns.items():
                values.append(own[name])
        count = len(columns["bytes"][-1])
        problems |= {str(start + int(row)): line for row, line in json.loads(str(found)).items()}
        facts.append({"file": path.name, "records": count, "bytes": path.stat().st_size, "sha256": str(digest)})
        start += count
    for name, parts in columns.items():
        write_column(index, name, np.concatenate(parts).astype(np.uint8 if name in ("kind", "sha256") else np.int64))
    write_texts(index, "path", [path.relative_to(source).as_posix() for path in views.files])
    view_facts = views.write(index)
    text = {
        "format": FORMAT,
        "plan": plan,
        "source": printable(source),
        "shards": facts,
        "problems": problems,
        **view_facts,
        "columns": {path.name: file_digest(path) for path in sorted(index.iterdir())},
    }
    write_text(folder / INDEX_FILE, json.dumps(text, indent=1))
    for path in shards:
        _facts_file(path).unlink()
    (folder / UNFINISHED_FILE).unlink()
    return problems
