"""The folder of a web page, tested without a browser."""

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tfgan_app.export.web
from tfgan_app.caches import cache_folder
from tfgan_app.export.web import PageModel, write_page
from tfgan_app.export.web_runtime import CACHE, PACKAGES, copy_runtime

MODEL = PageModel("small", "A small model", scale=4, tile_px=32, halo_px=5, license="CC0-1.0", version=3)


def test_the_folder_holds_page_model_runtime_and_its_license(tmp_path):
    write_page(tmp_path / "new" / "page", tflite=b"TFL3", model=MODEL)
    page = tmp_path / "new" / "page"
    assert (page / "model.tflite").read_bytes() == b"TFL3"
    facts = json.loads((page / "model.json").read_text(encoding="utf-8"))
    assert facts == {
        "name": "small",
        "title": "A small model",
        "scale": 4,
        "tile_px": 32,
        "halo_px": 5,
        "multiple": 1,
        "dtype": "float32",
        "license": "CC0-1.0",
        "version": 3,
        "task": None,
    }
    names = {str(path.relative_to(page)) for path in page.rglob("*") if path.is_file()}
    assert {"index.html", "service_worker.js", "README.md", "runtime/LICENSE", "runtime/NOTICE"} <= names
    assert not any(Path(name).name.startswith(".") for name in names)
    for build in ("", "compat_", "threaded_"):
        assert gzip.decompress((page / f"runtime/litert_wasm_{build}internal.wasm.gz").read_bytes())[:4] == b"\0asm"


def test_the_model_may_be_a_file(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"TFL3")
    write_page(tmp_path / "page", tflite=tmp_path / "model.tflite", model=MODEL)
    assert (tmp_path / "page" / "model.tflite").read_bytes() == b"TFL3"


def test_a_package_that_is_read_only_makes_a_folder_that_is_not(tmp_path, monkeypatch):
    shutil.copytree(Path(tfgan_app.export.web.__file__).parent / "web_page", tmp_path / "web_page")
    for path in (tmp_path / "web_page").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (tmp_path / "web_page").chmod(0o555)
    monkeypatch.setattr(tfgan_app.export.web, "files", lambda package: tmp_path)
    write_page(tmp_path / "page", tflite=b"TFL3", model=MODEL)
    for path in (tmp_path / "page", *(tmp_path / "page").rglob("*")):
        assert path.stat().st_mode & 0o200, path


def test_a_folder_that_exists_is_refused(tmp_path):
    with pytest.raises(ValueError, match="exists already"):
        write_page(tmp_path, tflite=b"TFL3", model=MODEL)


def test_the_runtime_is_a_script_that_finds_its_helpers(tmp_path):
    copy_runtime(tmp_path / "runtime")
    script = (tmp_path / "runtime" / "litert.js").read_text(encoding="utf-8")
    assert "./wasm_utils.js" in script and "@litertjs" not in script.split("\n", 1)[0]
    assert (tmp_path / "runtime" / "wasm_utils.js").stat().st_size > 0


@pytest.fixture
def tarballs(tmp_path):
    """Both tarballs of the runtime in a folder, as `npm pack` leaves them."""
    copy_runtime(tmp_path / "filled_the_cache")
    folder = tmp_path / "tarballs"
    folder.mkdir()
    for package in PACKAGES:
        shutil.copy(cache_folder(CACHE) / package.tarball, folder)
    return folder


def test_tarballs_from_elsewhere_need_no_npm(tmp_path, tarballs, monkeypatch):
    monkeypatch.setenv("PATH", "")
    write_page(tmp_path / "page", tflite=b"TFL3", model=MODEL, runtime=tarballs)
    assert (tmp_path / "page" / "runtime" / "litert.js").exists()


@pytest.mark.parametrize("damage", ["changed", "cut off", "missing"])
def test_a_damaged_runtime_is_refused_and_leaves_nothing(tmp_path, tarballs, damage):
    path = tarballs / PACKAGES[0].tarball
    content = path.read_bytes()
    path.write_bytes(content[:-100] if damage == "cut off" else content[:-1] + bytes([content[-1] ^ 1]))
    if damage == "missing":
        path.unlink()
    with pytest.raises(ValueError, match=r"npm pack|damaged or another version"):
        write_page(tmp_path / "page", tflite=b"TFL3", model=MODEL, runtime=tarballs)
    assert not (tmp_path / "page").exists()
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_damaged_cache_is_filled_again(tmp_path, tarballs):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / PACKAGES[0].tarball).write_bytes(b"half a download")
    copy_runtime(tmp_path / "runtime", cache_dir=cache)
    assert (cache / PACKAGES[0].tarball).read_bytes() == (tarballs / PACKAGES[0].tarball).read_bytes()


@pytest.mark.parametrize("npm", ["missing", "failing"])
def test_without_the_runtime_one_line_says_how_to_get_it(tmp_path, monkeypatch, npm):
    (tmp_path / "bin").mkdir()
    if npm == "failing":
        script = tmp_path / "bin" / "npm"
        script.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=None)
    with pytest.raises(ValueError, match="--runtime DIR") as error:
        copy_runtime(tmp_path / "runtime", cache_dir=tmp_path / "cache")
    assert "npm pack @litertjs/core@" in str(error.value) and "\n" not in str(error.value)
    assert ("npm error network" in str(error.value)) == (npm == "failing")
    assert not (tmp_path / "runtime").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 0}, "`scale` must be a positive integer. Received: scale=0"),
        ({"tile_px": 30, "multiple": 8}, "`tile_px` must be a multiple of `multiple`, 8. Received: tile_px=30"),
        ({"dtype": "int8"}, "`dtype` must be one of float32, uint8. Received: int8"),
    ],
)
def test_facts_that_no_page_can_work_with_are_refused(changes, message):
    with pytest.raises(ValueError) as error:
        PageModel(**{"name": "m", "title": "M", "scale": 2, "tile_px": 32, "halo_px": None, **changes})
    assert str(error.value) == message


@pytest.mark.large
def test_an_installation_holds_all_that_the_page_needs(tmp_path):
    pytest.importorskip("setuptools")
    root = Path(tfgan_app.export.web.__file__).parents[2]
    if not (root / "setup.py").exists():
        pytest.skip("not a checkout")
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", tmp_path]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    page = Path("tfgan_app/export/web_page")
    installed = {path.relative_to(tmp_path) for path in (tmp_path / page).rglob("*") if path.is_file()}
    checkout = {path.relative_to(root) for path in (root / page).rglob("*") if path.is_file()}
    assert installed == checkout
