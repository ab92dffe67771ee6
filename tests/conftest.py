"""Settings of the whole suite, made before anything imports TensorFlow."""

import os
import sys

import pytest

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if "PYTEST_XDIST_WORKER" in os.environ:  # The workers share the cores: threads of their own only get into their way.
    for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(_variable, "1")


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
