"""Catalog of the served models: follows the folder, swaps versions, and unloads old ones."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path

from tfgan_app.serving.discovery import Listing, file_stamp, find_models
from tfgan_app.serving.entries import Entry, State
from tfgan_app.serving.errors import Code, ServingError, from_tensorflow, invalid, shortened
from tfgan_app.serving.models_config import CONFIG_FILE, ModelRules, read_models_config
from tfgan_app.serving.notices import Notices
from tfgan_app.serving.saved_models import ModelVersion

_SERVED_ON = "Loaded versions are still served."


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
            keep_versions: Number of highest versions served for each model without rules in `models.config`.
            executor: Executor that loads models.
            report: Receives one line for each load, unload and problem.
        """
        self._root = root
        self._keep_versions = keep_versions
        self._executor = executor
        self._report = report
        self._entries: dict[str, dict[int, Entry]] = {}
        self._rules: dict[str, ModelRules] = {}
        self._notices = Notices(report)
        self._scanned = self._ready = False

    async def refresh(self) -> None:
        """Scans the folder once: loads new versions, retires removed and superseded ones.

        A folder that is unreadable, or empty as a mount point without its mount, changes nothing: its loaded versions
        are still served.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._executor, find_models, self._root)
        except OSError as error:
            self._notices.report("", f"'{self._root}' cannot be read: {error.strerror or error}. {_SERVED_ON}")
            return
        if self._entries and not (found.keys() & self._entries or any(listing.versions for listing in found.values())):
            self._notices.report("", f"'{self._root}' holds no models any more. {_SERVED_ON}")
            return
        self._notices.settle("", f"'{self._root}' can be read again")
        await self._refresh_rules(loop, found)
        for name, listing in found.items():
            if listing.versions:
                self._entries.setdefault(name, {})
        for name in {**self._entries, **found}:
            await self._refresh_model(loop, name, found.get(name))
        self._scanned = True
        nothing_there = not self._entries and not any(listing.error for listing in found.values())
        self._ready = self._ready or nothing_there or any(self.available().values())
        await self._unload(loop)

    async def _refresh_rules(self, loop: asyncio.AbstractEventLoop, found: Mapping[str, Listing]) -> None:
        try:
            self._rules = await loop.run_in_executor(self._executor, read_models_config, self._root)
        except ValueError as problem:
            self._notices.report(CONFIG_FILE, f"{str(problem).rstrip('.')}. It is ignored until it is corrected.")
            return
        self._notices.settle(CONFIG_FILE)
        for name, rules in self._rules.items():
            listing = found.get(name)
            asked_for = rules.specific | set(rules.labels.values())
            missing = sorted(asked_for - listing.versions.keys()) if listing and listing.versions else []
            if listing is None:
                self._notices.report(f"/{name}", f"{CONFIG_FILE} lists {name}, which is not a folder in '{self._root}'")
            elif missing:
                self._notices.report(f"/{name}", f"{name} has no version {missing[0]}, which {CONFIG_FILE} asks for")
            else:
                self._notices.settle(f"/{name}")

    async def _refresh_model(self, loop: asyncio.AbstractEventLoop, name: str, listing: Listing | None) -> None:
        entries = self._entries.get(name, {})
        served = {version for version, entry in entries.items() if _is_served(entry)}
        if listing is None:  # Removed from a readable folder.
            self._retire(entries, wanted=(), there=())
            self._notices.settle(name)
            return
        if self._is_away(name, listing, served):
            return
        rules, versions = self._rules.get(name, ModelRules()), listing.versions
        broken = await loop.run_in_executor(self._executor, self._still_broken, dict(entries), versions)
        there = versions.keys() | (listing.unclear & served)
        while True:
            wanted = rules.wanted(there, keep=self._keep_versions, broken=broken)
            missing = [version for version in wanted if not _is_served(entries.get(version))]
            if not missing:
                break
            if not await self._load(loop, name, missing[0], versions[missing[0]]):
                broken.add(missing[0])
        # If no wanted version can be served, a loaded one is better than none.
        self._retire(entries, wanted=wanted or served & there, there=versions.keys() | listing.unclear)

    def _is_away(self, name: str, listing: Listing, served: set[int]) -> bool:
        """Returns whether a model's folder is temporarily unreadable, and reports it once."""
        folder, unclear = listing.folder, sorted(listing.unclear & served)
        if listing.error:
            self._notices.report(
                name, f"'{folder}' cannot be read: {listing.error}.{f' {_SERVED_ON}' if served else ''}"
            )
        elif served and not listing.versions:
            self._notices.report(name, f"'{folder}' holds no whole version any more. {_SERVED_ON}")
        elif unclear:
            self._notices.report(name, f"'{folder / str(unclear[0])}' cannot be read any more. {_SERVED_ON}")
        else:
            self._notices.settle(name, f"'{folder}' can be read again")
        return bool(listing.error or (served and not listing.versions))

    @staticmethod
    def _retire(entries: dict[int, Entry], *, wanted: Collection[int], there: Collection[int]) -> None:
        for version, entry in list(entries.items()):
            if entry.state is State.AVAILABLE and version not in wanted:
                entry.state = State.UNLOADING
            elif entry.state is State.END and version not in there:
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
        """Unloads retired versions that no request uses any more, and frees their memory."""
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
            name: Name of the model.
            version: Version number; the highest available one if `None`.
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
            version = self._labeled(name, label)
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
        why = next((f". It cannot be loaded: {entry.error}" for entry in waiting if entry.state is State.END), "")
        raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {wanted}{why}")

    def _labeled(self, name: str, label: str) -> int:
        labels = self._rules.get(name, ModelRules()).labels
        if label not in labels:
            raise invalid(
                f"Unrecognized servable version label: {shortened(label)}. Labels of '{shortened(name)}' in "
                f"{CONFIG_FILE}: {', '.join(sorted(labels)) or 'none'}."
            )
        return labels[label]

    def statuses(self, name: str, *, version: int | None = None, label: str | None = None) -> dict[int, Entry]:
        """Versions of a model in any state, the highest first.

        Raises:
            ServingError: NOT_FOUND, if there is no such model or version.
        """
        number = self._labeled(name, label) if label is not None else version
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
        """Whether the server has begun to serve; later failures, or those of other models, do not change it."""
        return self._ready

    def failures(self) -> dict[str, dict[int, str]]:
        """Name -> version -> reason why it cannot be loaded."""
        return {
            name: {version: entry.error for version, entry in entries.items() if entry.state is State.END}
            for name, entries in sorted(self._entries.items())
        }


def _is_served(entry: Entry | None) -> bool:
    return entry is not None and entry.state is State.AVAILABLE


def _collect_garbage() -> None:
    # TensorFlow's loaded objects form reference cycles, and the C library keeps freed memory.
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
