"""Settings of the whole suite, made before anything imports TensorFlow."""

import os
import pathlib
import sys

import pytest

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if "PYTEST_XDIST_WORKER" in os.environ:  # The workers share the cores: threads of their own only get into their way.
    for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(_variable, "1")


# These take longest, and what ends last should be short, so that no worker waits for another.
_FIRST = ("serving", "commands", "tasks", "contract", "training", "export")


def pytest_configure(config):
    """Keeps the order of `pytest_collection_modifyitems`; otherwise the files with most tests come first."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Moves the rooms with the longest tests to the front."""
    rooms = {name: place for place, name in enumerate(_FIRST)}
    here = pathlib.Path(__file__).parent
    depth = len(here.parts)
    items.sort(key=lambda item: rooms.get(item.path.parts[depth] if here in item.path.parents else "", len(rooms)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keeps the files of `serving` on one worker, as they share models that take long to export and to load."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "serving" if "/serving/" in file else file

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def _session_folder(tmp_path_factory):
    """Tells helpers that are no fixtures where they may keep what the tests of a process share."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TFGAN_APP_TESTS_FOLDER", str(tmp_path_factory.mktemp("session")))
        yield


@pytest.fixture(autouse=True)
def _float32_policy():
    """Puts the global dtype policy back, so that no test decides the precision of the next."""
    yield
    keras = sys.modules.get("keras")
    if keras is not None:
        keras.config.set_dtype_policy("float32")


@pytest.fixture
def ghostscript(tmp_path_factory, monkeypatch):
    """A file that is there once one of the programs was called that Pillow calls; fakes of them are on the path."""
    folder = tmp_path_factory.mktemp("programs")
    trace = folder / "called"
    for name in ("gs", "gswin32c", "gswin64c", "djpeg"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho called >> '{trace}'\necho 10.0\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return trace
