"""Run directory: the files of a run, and the checks for resuming it."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfgan_app import config as configs
from tfgan_app.callbacks.report import REPORT_FILE
from tfgan_app.config import RunConfig
from tfgan_app.files import printable, write_text
from tfgan_app.tasks import load_task

CONFIG_FILE = "config.json"
FACTS_FILE = "run.json"


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """A run directory.

    Attributes:
        path: The folder.
    """

    path: Path

    def check_unused(self) -> None:
        """Raises ValueError if the folder holds a run already."""
        if (self.path / CONFIG_FILE).exists():
            raise ValueError(
                f"`--run-dir` must be a new folder. Received: {self.path}, which holds a run; add `--resume` "
                "to continue it, or name another folder."
            )

    @classmethod
    def new(cls, path: str | None, task_name: str) -> RunDirectory:
        """Returns the directory of a new run: `path`, or `runs/TASK-DATE-TIME`; the first write creates it."""
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        return cls(Path(path) if path else Path("runs") / f"{task_name}-{stamp}")

    @classmethod
    def existing(cls, path: str | None) -> RunDirectory:
        """Returns the directory of an existing run.

        Raises:
            ValueError: If there is none.
        """
        if not path:
            raise ValueError("`--resume` needs `--run-dir`, the run to continue. Received none.")
        if not (Path(path) / CONFIG_FILE).is_file():
            raise ValueError(f"Expected a run directory (with {CONFIG_FILE}). Received: {path}.")
        return cls(Path(path))

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints and inference models."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Folder of image grids and examples."""
        return self.path / "samples"

    def read_config(self) -> tuple[RunConfig, type]:
        """Returns the run's configuration and the class of its task."""
        values = configs.load_json(self.path / CONFIG_FILE)
        task_class = load_task(str(values.get("task_name")))
        return configs.from_dict(values, task_class.config_class), task_class

    def write_config(self, config: RunConfig) -> None:
        """Writes `config.json` atomically."""
        self._write(CONFIG_FILE, configs.to_json(config))

    def read_facts(self) -> dict[str, Any]:
        """Reads `run.json`: facts beside the configuration, such as `data_fingerprint` and versions."""
        return configs.load_json(self.path / FACTS_FILE)

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Writes `run.json` atomically."""
        self._write(FACTS_FILE, json.dumps(facts, indent=2) + "\n")

    def is_finished(self, step: int) -> bool:
        """Returns whether a training to `step` has also completed everything after its last step."""
        files = (self.path / REPORT_FILE, self.checkpoints / "last.keras")
        return self.read_facts().get("finished_step", -1) >= step and all(file.is_file() for file in files)

    def mark_finished(self, step: int) -> None:
        """Records that the run is complete; the last write of a training."""
        self.add_facts(finished_step=step)

    def add_facts(self, **facts: Any) -> None:
        """Adds facts to `run.json`, in place of those of the same names."""
        self.write_facts(self.read_facts() | facts)

    def _write(self, name: str, text: str) -> None:
        write_text(self.path / name, text)


@contextlib.contextmanager
def hinting_at_moved_data(config: RunConfig, *, data_flag: str = "--set data.source=") -> Iterator[None]:
    """Adds a hint to errors about a missing path of the configuration: the flag that sets its new place.

    Args:
        config: Configuration of a run.
        data_flag: Flag of the current command that sets the place of the images.

    Raises:
        ValueError: Instead of an error from the block that names such a path.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        for key, place in configs.local_paths(config).items():
            if printable(place) in printable(str(error)) and not Path(place).exists():
                flag = data_flag if key == "data.source" else f"--set {key}="
                raise ValueError(f"{error} If it has moved, add `{flag}PATH`.") from error
        raise


def check_resumable(saved: RunConfig, wanted: RunConfig) -> None:
    """Refuses to resume a run with settings that change its computation.

    The field of each setting states whether it may change (`on_resume`). Some settings do not affect the weights of any
    step: the initial weights, because each checkpoint holds its own; the length of the run, because the length of the
    schedule is fixed at the start; the place of the images, because their fingerprint is compared; and settings of
    evaluation and sampling. The pretrained weights of a loss do affect them.

    Args:
        saved: The run's configuration.
        wanted: Configuration to resume with.

    Raises:
        ValueError: If a setting must not change; names each one with its old and new value.
    """
    changes = {
        key: values for key, values in configs.diff(saved, wanted).items() if configs.resume_rule(saved, key) == "fixed"
    }
    if changes:
        listed = "; ".join(f"{key} was {old!r}, now {new!r}" for key, (old, new) in changes.items())
        raise ValueError(
            f"`--resume` cannot change what the run computes: {listed}. Leave these as they were, or start a new run "
            "from this one with `--set task.init_from=RUN`."
        )
