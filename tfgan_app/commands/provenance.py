"""Provenance of runs and predictions: command line, code, packages, devices and time."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tfgan_app

if TYPE_CHECKING:
    import tensorflow as tf

    from tfgan_app.commands.run_directory import RunDirectory
    from tfgan_app.config import RunConfig

PARTS = "parts"
DURATION = "duration_seconds"

_PACKAGES = (
    "tensorflow",
    "keras",
    "ai-edge-litert",
    "numpy",
    "pillow",
    "tifffile",
    "imagecodecs",
    "tensorflow-datasets",
)
"""Packages that affect the read data and the computation."""

_GIT_TIMEOUT_SECONDS = 5.0


def run_facts(config: RunConfig, strategy: tf.distribute.Strategy) -> dict[str, Any]:
    """Returns the facts about code, machine and precision for `run.json`.

    Args:
        config: Configuration with `training.precision` resolved.
        strategy: Distribution strategy of the training.
    """
    return {
        "tfgan_app": tfgan_app.__version__,
        "commit": source_commit(),
        "python": platform.python_version(),
        **_package_versions(),
        "platform": platform.platform(),
        "device": device_names(),
        "replicas": strategy.num_replicas_in_sync,
        "precision": config.training.precision,
    }


def prediction_facts(
    command_line: str, models: Sequence[Mapping[str, Any]], steps: Mapping[str, Any], results: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the content of `predict --json`: everything needed to repeat a prediction.

    Args:
        command_line: Command line of this process.
        models: Name, path and scale of each model, in the order of execution.
        steps: Settings of the steps around the models: size, borders, grain, kept regions.
        results: The written files and the failed inputs.
    """
    return {
        "tfgan_app": tfgan_app.__version__,
        "commit": source_commit(),
        **_package_versions(),
        "device": device_names(),
        "command": command_line,
        "working_directory": os.getcwd(),
        "models": list(models),
        **steps,
        **results,
    }


@contextlib.contextmanager
def recorded_part(
    run: RunDirectory, command_line: str, facts: Mapping[str, Any], *, step: Callable[[], int]
) -> Iterator[None]:
    """Records in `run.json` the part of a run that a process trains: its command, first step and last step.

    A part that was killed has no end; `duration_seconds` of the run counts only the other parts.

    Args:
        run: The run, with an existing `run.json`.
        command_line: Command line of this process.
        facts: Current `run_facts`; the part records those that differ from the run's first ones.
        step: Returns the current step of the training.
    """
    begun_with = run.read_facts()
    part = {
        "command": command_line,
        "working_directory": os.getcwd(),
        "started_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "first_step": step(),
        "last_step": None,
        "seconds": None,
        **{name: value for name, value in facts.items() if begun_with.get(name) != value},
    }
    start = time.monotonic()
    _write_part(run, part, is_new=True)
    try:
        yield
    finally:
        part |= {"last_step": step(), "seconds": round(time.monotonic() - start, 1)}
        try:
            _write_part(run, part, is_new=False)
        except (OSError, ValueError) as error:  # A full disk must not end the run.
            print(f"tfgan_app: could not record the duration of the run: {error}", file=sys.stderr)


def source_commit() -> str | None:
    """Returns the commit of the checkout that this package runs from, with `-dirty` appended after local changes.

    Returns:
        The commit; None for an installed package, or if git is not available.
    """
    root = Path(tfgan_app.__file__).resolve().parents[1]
    if not (root / ".git").exists():  # An enclosing repository is the user's own, as around a virtual environment.
        return None
    # The environment may name another repository, for example in a git hook.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def device_names() -> list[str]:
    """Returns the names of the GPUs that TensorFlow sees, else of the CPU; without TensorFlow, LiteRT uses the CPU."""
    tensorflow = sys.modules.get("tensorflow")
    gpus = [] if tensorflow is None else tensorflow.config.list_physical_devices("GPU")
    if gpus:
        details = [tensorflow.config.experimental.get_device_details(gpu) for gpu in gpus]
        return [str(found.get("device_name", gpu.name)) for found, gpu in zip(details, gpus, strict=True)]
    return [f"{_cpu_model()}, {os.cpu_count()} cores"]


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _package_versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _write_part(run: RunDirectory, part: dict[str, Any], *, is_new: bool) -> None:
    """Adds a part to `run.json` or replaces the last one; other changes to the file are kept."""
    facts = run.read_facts()
    earlier = list(facts.get(PARTS, []))
    parts = [*(earlier if is_new else earlier[:-1]), part]
    run.write_facts(facts | {PARTS: parts, DURATION: round(sum(each["seconds"] or 0.0 for each in parts), 1)})
