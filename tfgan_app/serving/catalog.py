"""Which models are served: keeps up with the folder, swaps versions, and lets go of old ones."""

from __future__ import annotations

import asyncio
import ctypes
import enum
import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tfgan_app.serving.discovery import LABELS_FILE, file_stamp, find_models, read_labels, wanted_versions
from tfgan_app.serving.errors import Code, ServingError, from_tensorflow, invalid, shortened
from tfgan_app.serving.saved_models import ModelVersion


class State(enum.Enum):
    """Where a version is in its life, with the names of TensorFlow Serving."""

    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass
class Entry:
    """A version that the catalog knows.

    Attributes:
        state: Where it is in its life.
        model: The loaded version, while there is one.
        error: Why it could not be loaded.
        stamp: Of the files that could not be loaded.
    """

    state: State
    model: ModelVersion | None = None
    error: str = ""
    stamp: tuple = ()


class Catalog:
    """The models of a folder. All methods run on the event loop; loading runs in `executor`."""

    def __init__(
        self,
        root: Path,
        *,
        keep_versions: int,
        executor: Executor,
        report: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
    ) -> None:
        """Makes an empty catalog; `refresh` fills it.

        Args:
            root: The folder of models.
            keep_versions: How many of the highest versions of each model are served.
            executor: Where models are loaded.
            report: Told in one line what was loaded, let go, or is wrong.
        """
        self._root = root
        self._keep_versions = keep_versions
        self._executor = executor
        self._report = report
        self._entries: dict[str, dict[int, Entry]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._labels_error = ""
        self._scanned = False

    async def refresh(self) -> None:
        """Looks at the folder once: loads what is new, retires what is gone or overtaken."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._executor, find_models, self._root)
        await self._refresh_labels(loop)
        for name in found:
            self._entries.setdefault(name, {})
        for name in list(self._entries):
            await self._refresh_model(loop, name, found.get(name, {}))
        self._scanned = True
        await self._unload(loop)

    async def _refresh_labels(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._labels, error = await loop.run_in_executor(self._executor, read_labels, self._root), ""
        except ValueError as problem:
            error = str(problem)
        if error and error != self._labels_error:
            self._report(f"{error}. The labels stay as they were.")
        self._labels_error = error

    async def _refresh_model(self, loop: asyncio.AbstractEventLoop, name: str, versions: dict[int, Path]) -> None:
        entries, labelled = self._entries[name], set(self._labels.get(name, {}).values())
        broken = await loop.run_in_executor(self._executor, self._still_broken, dict(entries), versions)
        while True:
            wanted = wanted_versions(versions, keep=self._keep_versions, labelled=labelled, broken=broken)
            missing = [version for version in wanted if not _is_served(entries.get(version))]
            if not missing:
                break
            if not await self._load(loop, name, missing[0], versions[missing[0]]):
                broken.add(missing[0])
        for version, entry in list(entries.items()):
            if entry.state is State.AVAILABLE and version not in wanted:
                entry.state = State.UNLOADING
            elif entry.state is State.END and version not in versions:
                del entries[version]

    @staticmethod
    def _still_broken(entries: dict[int, Entry], versions: dict[int, Path]) -> set[int]:
        failed = {version: entry for version, entry in entries.items() if entry.state is State.END}
        return {
            version
            for version, entry in failed.items()
            if version in versions and file_stamp(versions[version]) == entry.stamp
        }

    async def _load(self, loop: asyncio.AbstractEventLoop, name: str, version: int, path: Path) -> bool:
        before = self._entries[name].get(version)
        entry = self._entries[name][version] = Entry(State.LOADING)
        stamp = await loop.run_in_executor(self._executor, file_stamp, path)
        try:
            entry.model = await loop.run_in_executor(self._executor, self._load_and_warm_up, name, version, path)
        except Exception as error:  # A damaged SavedModel fails in more ways than TensorFlow documents.
            entry.state, entry.stamp = State.END, stamp
            entry.error = from_tensorflow(error).message.removeprefix("The model failed: ")
            if before is None or before.error != entry.error:
                self._report(f"{name} version {version} cannot be loaded: {entry.error}")
            return False
        entry.state = State.AVAILABLE
        self._report(f"{name} version {version} is available")
        return True

    def _load_and_warm_up(self, name: str, version: int, path: Path) -> ModelVersion:
        model = ModelVersion(name, version, path)
        model.warm_up(path)
        return model

    async def _unload(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lets go of retired versions that no request uses any more, and gives their memory back."""
        freed = []
        for name, entries in list(self._entries.items()):
            for version, entry in list(entries.items()):
                if entry.state is State.UNLOADING and entry.model.users == 0:
                    del entries[version]
                    freed.append(f"{name} version {version}")
            if not entries:
                del self._entries[name]
        if freed:
            entry = entries = None
            await loop.run_in_executor(self._executor, _collect_garbage)
            for name in freed:
                self._report(f"{name} is unloaded")

    @contextmanager
    def use(self, name: str, *, version: int | None = None, label: str | None = None) -> Iterator[ModelVersion]:
        """Finds a version and keeps it loaded until the block ends.

        Args:
            name: Of the model.
            version: Its number; the highest that is available if `None`.
            label: A label instead of a number.

        Yields:
            The loaded version.

        Raises:
            ServingError: NOT_FOUND, or UNAVAILABLE while it loads.
        """
        model = self._find(name, version, label)
        model.users += 1
        try:
            yield model
        finally:
            model.users -= 1

    def _find(self, name: str, version: int | None, label: str | None) -> ModelVersion:
        entries = self._entries.get(name)
        if label is not None:
            version = self._labelled(name, label)
        wanted = f"Latest({shortened(name)})" if version is None else f"Specific({shortened(name)}, {version})"
        if entries is None:
            raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {wanted}")
        available = {number: entry for number, entry in entries.items() if entry.state is State.AVAILABLE}
        number = max(available, default=None) if version is None else version
        if number in available:
            return available[number].model
        waiting = entries.values() if version is None else [entries[version]] if version in entries else []
        if any(entry.state is State.LOADING for entry in waiting) or (not self._scanned and version is None):
            raise ServingError(Code.UNAVAILABLE, f"Servable is still loading for request: {wanted}")
        raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {wanted}")

    def _labelled(self, name: str, label: str) -> int:
        labels = self._labels.get(name, {})
        if label not in labels:
            raise invalid(
                f"Unrecognized servable version label: {shortened(label)}. Labels of '{shortened(name)}' in "
                f"{LABELS_FILE}: {', '.join(sorted(labels)) or 'none'}."
            )
        return labels[label]

    def statuses(self, name: str, *, version: int | None = None, label: str | None = None) -> dict[int, Entry]:
        """The versions of a model, the highest first, whatever their state.

        Raises:
            ServingError: NOT_FOUND, if there is no such model or version.
        """
        number = self._labelled(name, label) if label is not None else version
        entries = self._entries.get(name, {})
        found = {key: entries[key] for key in sorted(entries, reverse=True) if number in (None, key)}
        if not found:
            which = "any versions" if number is None else f"version {number}"
            raise ServingError(Code.NOT_FOUND, f"Could not find {which} of model {shortened(name)}")
        return found

    def available(self) -> dict[str, dict[int, ModelVersion]]:
        """Name -> version -> the loaded version, the highest first."""
        return {
            name: {
                version: entries[version].model
                for version in sorted(entries, reverse=True)
                if entries[version].state is State.AVAILABLE
            }
            for name, entries in sorted(self._entries.items())
        }

    def names(self) -> list[str]:
        """The names of all models."""
        return sorted(self._entries)

    @property
    def ready(self) -> bool:
        """Whether the folder was looked at and each model has a version that answers."""
        return self._scanned and all(self.available().values())


def _is_served(entry: Entry | None) -> bool:
    return entry is not None and entry.state is State.AVAILABLE


def _collect_garbage() -> None:
    # What TensorFlow loads holds on to itself in circles, and the C library keeps what was freed.
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
