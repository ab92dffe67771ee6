"""LiteRT's web runtime, downloaded from the npm registry for the first page and kept in the user's cache."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tfgan_app.caches import cache_folder

VERSION = "2.5.3"

CACHE = "web_runtime"
"""Folder of the user's cache that keeps the tarballs."""

_BUILDS = ("litert_wasm_internal", "litert_wasm_compat_internal", "litert_wasm_threaded_internal")
"""The plain build needs relaxed SIMD, the compatible one does not, and the threaded one needs a cross-origin isolated
page. The package's fourth build, for JavaScript promise integration, only serves partly delegated models."""

_SUFFIXES = (".js", ".wasm")
_MAX_MEMBER_BYTES = 2**25
_NPM_SECONDS = 300
_NOTICE = f"""LiteRT for the web (@litertjs/core and @litertjs/wasm-utils {VERSION})
Copyright 2025 Google LLC, Apache License 2.0: see LICENSE beside this file.
https://github.com/google-ai-edge/LiteRT, https://www.npmjs.com/package/@litertjs/core

litert.js and wasm_utils.js are the packages' dist/index.js; the import of the second in the first is relative here.
The litert_wasm_* files are as the package has them; the .wasm files are compressed by gzip. They contain further
open-source software that LiteRT is built of, among it TensorFlow Lite, XNNPACK, FlatBuffers, Eigen, Abseil and
Emscripten's runtime, each under its own license.
"""


@dataclass(frozen=True)
class NpmPackage:
    """One pinned package of the npm registry.

    Attributes:
        name: Its name, with the scope.
        integrity: SHA-512 of its tarball in base64, as in package-lock.json.
    """

    name: str
    integrity: str

    @property
    def tarball(self) -> str:
        """File name of the tarball that `npm pack` writes."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{VERSION}.tgz"


CORE = NpmPackage(
    "@litertjs/core", "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ=="
)
WASM_UTILS = NpmPackage(
    "@litertjs/wasm-utils", "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ=="
)
PACKAGES = (CORE, WASM_UTILS)
_PACK = f"npm pack {' '.join(f'{package.name}@{VERSION}' for package in PACKAGES)}"


def copy_runtime(folder: Path, *, tarballs: str | os.PathLike | None = None, cache_dir: Path | None = None) -> None:
    """Writes the runtime in the form that the exported page loads.

    The two tarballs come from `tarballs`, from the cache, or from the npm registry through the `npm` client. Their
    SHA-512 is checked every time, and none of their scripts is run.

    Args:
        folder: Destination; it is created.
        tarballs: Folder that holds both tarballs, for machines without npm or network.
        cache_dir: Folder that keeps downloaded tarballs; by default the user's cache.

    Raises:
        ValueError: If a tarball is not available or not the pinned one. One line with what to do.
    """
    source = Path(tarballs) if tarballs is not None else _cached(cache_dir or cache_folder(CACHE))
    core = _members(
        source, CORE, ["dist/index.js", *(f"wasm/{build}{suffix}" for build in _BUILDS for suffix in _SUFFIXES)]
    )
    utils = _members(source, WASM_UTILS, ["dist/index.js"])
    folder.mkdir(parents=True)
    script = core["dist/index.js"].replace(WASM_UTILS.name.encode(), b"./wasm_utils.js")
    (folder / "litert.js").write_bytes(_without_source_map(script))
    (folder / "wasm_utils.js").write_bytes(_without_source_map(utils["dist/index.js"]))
    for build in _BUILDS:
        (folder / f"{build}.js").write_bytes(core[f"wasm/{build}.js"])
        # Without a time stamp, so that two exports are equal.
        (folder / f"{build}.wasm.gz").write_bytes(gzip.compress(core[f"wasm/{build}.wasm"], 6, mtime=0))
    (folder / "NOTICE").write_text(_NOTICE, encoding="utf-8")


def _cached(cache: Path) -> Path:
    """The cache with both tarballs in it, downloaded if they are missing or damaged."""
    if all(_digest(cache / package.tarball) == package.integrity for package in PACKAGES):
        return cache
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError(
            f"The web page needs LiteRT's web runtime, which npm downloads. There is no npm here: run `{_PACK}` on "
            "another machine and give the folder with `--runtime DIR`."
        )
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as new:
        _download(npm, Path(new))
        for package in PACKAGES:
            _checked(Path(new) / package.tarball, package)
            os.replace(Path(new) / package.tarball, cache / package.tarball)
    return cache


def _download(npm: str, folder: Path) -> None:
    names = [f"{package.name}@{VERSION}" for package in PACKAGES]
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), *names]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False)
        problem = "" if done.returncode == 0 else (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        last = problem.splitlines()[-1]
        raise ValueError(
            f"npm could not download LiteRT's web runtime ({last}). Try again with network access, or run `{_PACK}` on "
            "another machine and give the folder with `--runtime DIR`."
        )


def _checked(path: Path, package: NpmPackage) -> Path:
    digest = _digest(path)
    if digest is None:
        raise ValueError(f"'{path}' does not exist: create it with `{_PACK}`.")
    if not hmac.compare_digest(digest, package.integrity):
        raise ValueError(f"'{path}' is damaged or another version: expected {package.name} {VERSION}. Remove it.")
    return path


def _digest(path: Path) -> str | None:
    """SHA-512 of a file in base64, as npm states it; None without such a file."""
    if not path.is_file():
        return None
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def _members(folder: Path, package: NpmPackage, names: list[str]) -> dict[str, bytes]:
    """Files of a package's tarball by name, read in one pass."""
    path = _checked(folder / package.tarball, package)
    found = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            name = member.name.removeprefix("package/")
            if name in names and member.isfile() and member.size <= _MAX_MEMBER_BYTES:
                found[name] = archive.extractfile(member).read()
    if missing := [name for name in names if name not in found]:
        raise ValueError(f"'{path}' lacks {missing[0]}: expected {package.name} {VERSION}. Remove it.")
    return found


def _without_source_map(script: bytes) -> bytes:
    """The script without its reference to a source map, which the page does not include."""
    return script.split(b"\n//# sourceMappingURL=")[0] + b"\n"
