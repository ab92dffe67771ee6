"""Inspection of data sets (content, problems, remedies), and that of image pairs."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from tfgan_app.data.checking import check_image, range_lines
from tfgan_app.data.pairs import ImagePair, PairSet, find_pairs
from tfgan_app.files import check_regular, printable
from tfgan_app.image_io.grid import spread_indices
from tfgan_app.image_io.loading import MAX_PIXELS, ImageHeader
from tfgan_app.image_io.value_range import InputRange

_SHOWN = 5
_THREADS = 4
_ASPECT_TOLERANCE = 0.02
_REMEDIES = {
    "unmatched": "They are not used. Name both images of a pair alike, or join them side by side.",
    "unreadable": "Their pairs are left out. Replace or delete them.",
    "oversized": f"Their pairs are left out. Scale them down to at most {MAX_PIXELS} pixels.",
    "duplicate": "They count several times in training. Keep one of each.",
    "leaked": "The metrics on held-out pairs will be too good. Delete them from one of the splits.",
    "aspect mismatch": "The input is stretched to the shape of the target. Check that both show the same frame.",
    "no held-out pairs": "Metrics cannot be measured. Add pairs, or raise data.val_fraction.",
}
"""Remedy for each kind of problem."""


@dataclass(frozen=True)
class Problem:
    """One kind of problem in a data set.

    Attributes:
        kind: A key such as `"unreadable"`.
        found: Affected files, names of pairs, or groups of names.
        remedy: Effect and remedy.
    """

    kind: str
    found: list[str]
    remedy: str


@dataclass(frozen=True)
class Inspection:
    """Result of `inspect_pairs`.

    Attributes:
        root: The folder, or the data source as given.
        layout: Description of its layout.
        train_count: Number of training pairs, readable or not.
        val_count: Number of held-out pairs, readable or not.
        val_is_holdout: Whether the pairs were held out by name, because there is no split.
        smallest: Width and height of the image with the fewest pixels (half of a side-by-side image), or None.
        largest: The same for the most pixels.
        modes: Number of files per pixel format (Pillow mode), such as `{"RGB": 12}`.
        formats: Number of files per file format, such as `{"PNG": 12}`.
        ranges: Number of files of floats or wide integers per note about the assumed value range.
        problems: The problems.
    """

    records: ClassVar[str] = "pairs"

    root: str
    layout: str
    train_count: int
    val_count: int
    val_is_holdout: bool
    smallest: tuple[int, int] | None
    largest: tuple[int, int] | None
    modes: dict[str, int]
    formats: dict[str, int]
    ranges: dict[str, int]
    problems: list[Problem]

    def to_dict(self) -> dict[str, Any]:
        """Returns the inspection as plain values for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Returns the inspection as lines of text."""
        held_out = "held out by name" if self.val_is_holdout else "from the data's own split"
        lines = [
            f"{printable(self.root)}: {self.layout}",
            f"  {f'training {self.records}':17} {self.train_count}",
            f"  {f'held-out {self.records}':17} {self.val_count} ({held_out})",
            *self._class_lines(),
        ]
        if self.smallest and self.largest:
            sizes = " to ".join(f"{width} x {height}" for width, height in (self.smallest, self.largest))
            lines += [f"  image sizes       {sizes} px (width x height)"]
        lines += [f"  pixel formats     {_counts(self.modes)}", f"  file formats      {_counts(self.formats)}"]
        lines += [f"  {'value ranges':17} {line}" for line in range_lines(self.ranges)]
        if not self.problems:
            lines.append("No problems found.")
        for problem in self.problems:
            lines.append(_headline(problem))
            lines += [f"  - {problem.found[index]}" for index in spread_indices(len(problem.found), _SHOWN)]
            if len(problem.found) > _SHOWN:
                lines.append(f"  ... and {len(problem.found) - _SHOWN} more")
        return lines

    def _class_lines(self) -> list[str]:
        """Returns the lines about classes; pairs have none."""
        return []


def inspect_pairs(
    root: str | Path,
    *,
    direction: str = "a2b",
    val_fraction: float = 0.1,
    seed: int = 0,
    input_range: InputRange | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> Inspection:
    """Reads every image of a pair set and reports its content and problems.

    Args:
        root: The folder.
        direction: `"a2b"` translates A (or the left half) into B (or the right half), `"b2a"` the reverse.
        val_fraction: Share of the pairs to hold out by name, in [0, 1], if the folder has no split.
        seed: Seed of the choice of held-out pairs.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        on_progress: Called with the number of files read and the total.

    Returns:
        An `Inspection`.

    Raises:
        ValueError: If the folder is not a pair set.
    """
    pairs = find_pairs(root, direction=direction, val_fraction=val_fraction, seed=seed)
    everything = [*pairs.train, *pairs.val]
    paths = list(dict.fromkeys(path for pair in everything for path in (pair.input_path, pair.target_path)))
    files = read_files(paths, input_range=input_range, on_progress=on_progress)
    sizes = [_image_size(pair, files, side) for pair in everything for side in ("input", "target")]
    smallest, largest = size_range(size for size in sizes if size)
    return Inspection(
        root=str(pairs.root),
        layout=pairs.layout,
        train_count=len(pairs.train),
        val_count=len(pairs.val),
        val_is_holdout=pairs.val_is_holdout,
        smallest=smallest,
        largest=largest,
        modes=most_common(file.header.mode for file in files.values() if file.header),
        formats=most_common(file.header.format for file in files.values() if file.header),
        ranges=most_common(file.value_range for file in files.values() if file.value_range),
        problems=_problems(pairs, files),
    )


@dataclass(frozen=True)
class FileFacts:
    """Facts about one image.

    Attributes:
        header: Header, or None if it has none.
        problem: A line that names the image and the reason why it cannot be read, or None.
        digest: Hash of the bytes.
        value_range: Note about the value range assumed for floats or wide integers, or None.
    """

    header: ImageHeader | None
    problem: str | None
    digest: str
    value_range: str | None = None

    @property
    def oversized(self) -> bool:
        """Whether the image exceeds the limit of pixels."""
        return self.header is not None and self.header.width * self.header.height > MAX_PIXELS


def read_files(
    paths: Sequence[Path],
    *,
    input_range: InputRange | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> dict[Path, FileFacts]:
    """Reads all files, several in parallel.

    Args:
        paths: The files.
        input_range: The values of black and white in files of more than 8 bits; None decides by the file.
        on_progress: Called with the number of files read and the total.

    Returns:
        The facts, in the order of `paths`.
    """
    files, read = {}, partial(_read_file, input_range=input_range)
    with ThreadPoolExecutor(_THREADS) as pool:
        for path, facts in zip(paths, pool.map(read, paths), strict=True):
            files[path] = facts
            if on_progress:
                on_progress(len(files), len(paths))
    return files


def unusable(files: Iterable[FileFacts]) -> dict[str, list[str]]:
    """Returns the problems of unusable files under `"unreadable"` and `"oversized"`."""
    found: dict[str, list[str]] = {"unreadable": [], "oversized": []}
    for file in files:
        if file.problem:
            found["oversized" if file.oversized else "unreadable"].append(file.problem)
    return found


def equal_names(digests: Iterable[tuple[Hashable, str]]) -> list[str]:
    """Returns groups of names with equal digests, from `(digest, name)` pairs."""
    groups = defaultdict(list)
    for digest, name in digests:
        groups[digest].append(name)
    return [" = ".join(names) for names in groups.values() if len(names) > 1]


def leaked_names(train: Iterable[tuple[Hashable, str]], val: Iterable[tuple[Hashable, str]]) -> list[str]:
    """Returns the held-out names whose digest is also a training digest, from `(digest, name)` pairs."""
    seen = dict(train)
    return [f"held-out {name} = training {seen[digest]}" for digest, name in val if digest in seen]


def size_range(sizes: Iterable[tuple[int, int]]) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Returns the sizes with the fewest and the most pixels, or None if there are no sizes."""
    ranked = sorted(sizes, key=lambda size: size[0] * size[1])
    return (ranked[0], ranked[-1]) if ranked else (None, None)


def most_common(values: Iterable[str]) -> dict[str, int]:
    """Returns the count of each value, most frequent first."""
    return dict(Counter(values).most_common())


def _problems(pairs: PairSet, files: dict[Path, FileFacts]) -> list[Problem]:
    """Returns the problems of the set, one item per kind."""
    everything = [*pairs.train, *pairs.val]
    train, val = _digests(pairs.train, files), _digests(pairs.val, files)
    found = {
        "unmatched": [printable(path) for path in pairs.unmatched],
        **unusable(files.values()),
        "duplicate": equal_names(train) + equal_names(val),
        "leaked": leaked_names(train, val),
        "aspect mismatch": [pair.name for pair in everything if _aspects_differ(pair, files)],
    }
    problems = [Problem(kind, items, _REMEDIES[kind]) for kind, items in found.items() if items]
    if not pairs.val:
        problems.append(Problem("no held-out pairs", [], _REMEDIES["no held-out pairs"]))
    return problems


def _read_file(path: Path, input_range: InputRange | None) -> FileFacts:
    check = check_image(path, input_range=input_range)
    return FileFacts(check.header, check.problem, _digest(path), check.value_range)


def _digest(path: Path) -> str:
    """Returns the hash of a file's bytes; for an unreadable file its path, which equals no other digest."""
    try:
        check_regular(path)
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return printable(path)


def _digests(pairs: Sequence[ImagePair], files: dict[Path, FileFacts]) -> list[tuple[Hashable, str]]:
    """Returns digest and name of each pair; equal digests mean identical bytes."""
    return [((files[pair.input_path].digest, files[pair.target_path].digest), pair.name) for pair in pairs]


def _image_size(pair: ImagePair, files: dict[Path, FileFacts], side: str) -> tuple[int, int] | None:
    """Returns width and height of the input or the target; None if its file has no header."""
    header = files[getattr(pair, f"{side}_path")].header
    if header is None:
        return None
    width = header.width // 2 if getattr(pair, f"{side}_half") else header.width
    return width, header.height


def _aspects_differ(pair: ImagePair, files: dict[Path, FileFacts]) -> bool:
    sizes = [_image_size(pair, files, side) for side in ("input", "target")]
    if None in sizes:
        return False
    (width, height), (target_width, target_height) = sizes
    ratio = (width * target_height) / (height * target_width)
    return abs(ratio - 1) > _ASPECT_TOLERANCE


def _headline(problem: Problem) -> str:
    count = f" ({len(problem.found)})" if problem.found else ""
    return f"{problem.kind}{count}: {problem.remedy}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
