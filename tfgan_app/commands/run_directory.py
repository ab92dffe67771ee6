"""A run directory: what a training writes down about itself, and how it is taken up again."""

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
    """The folder of one run.

    Attributes:
        path: the folder.
    """

    path: Path

    def check_unused(self) -> None:
        """Raises ValueError when there is a run in the folder already."""
        if (self.path / CONFIG_FILE).exists():
            raise ValueError(
                f"`--run-dir` must be a new folder. Received: {self.path}, which holds a run; add `--resume` "
                "to go on with it, or name another folder."
            )

    @classmethod
    def new(cls, path: str | None, task_name: str) -> RunDirectory:
        """A folder for a new run: `path`, or `runs/TASK-DATE-TIME`; it is made when something is written."""
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        return cls(Path(path) if path else Path("runs") / f"{task_name}-{stamp}")

    @classmethod
    def existing(cls, path: str | None) -> RunDirectory:
        """The folder of a run that has been started.

        Raises:
            ValueError: when there is none.
        """
        if not path:
            raise ValueError("`--resume` needs `--run-dir` to name the run to go on with. Received: none.")
        if not (Path(path) / CONFIG_FILE).is_file():
            raise ValueError(f"Expected a run directory (with {CONFIG_FILE}). Received: {path}.")
        return cls(Path(path))

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints and inference models go."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Where grids and examples go."""
        return self.path / "samples"

    def read_config(self) -> tuple[RunConfig, type]:
        """The run's configuration and the class of its task."""
        values = configs.load_json(self.path / CONFIG_FILE)
        task_class = load_task(str(values.get("task_name")))
        return configs.from_dict(values, task_class.config_class), task_class

    def write_config(self, config: RunConfig) -> None:
        """Writes `config.json`, whole or not at all."""
        self._write(CONFIG_FILE, configs.to_json(config))

    def read_facts(self) -> dict[str, Any]:
        """What the run was started with, beside its configuration: `data_fingerprint`, versions."""
        return configs.load_json(self.path / FACTS_FILE)

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Writes `run.json`, whole or not at all."""
        self._write(FACTS_FILE, json.dumps(facts, indent=2) + "\n")

    def is_finished(self, step: int) -> bool:
        """Whether a training to `step` has done all that comes after its last step."""
        files = (self.path / REPORT_FILE, self.checkpoints / "last.keras")
        return self.read_facts().get("finished_step", -1) >= step and all(file.is_file() for file in files)

    def mark_finished(self, step: int) -> None:
        """Notes that everything is written, as the last thing of all."""
        self.add_facts(finished_step=step)

    def add_facts(self, **facts: Any) -> None:
        """Adds to `run.json`, or replaces what it has of the same names."""
        self.write_facts(self.read_facts() | facts)

    def _write(self, name: str, text: str) -> None:
        write_text(self.path / name, text)


@contextlib.contextmanager
def hinting_at_moved_data(config: RunConfig, *, data_flag: str = "--set data.source=") -> Iterator[None]:
    """Adds to an error about a path of the configuration that is not there (any more) how to name its new place.

    Args:
        config: of a run.
        data_flag: what names the place of its images in the command at hand.

    Raises:
        ValueError: in place of one from inside that names such a path.
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
    """Refuses to go on with a run under settings that would make it another run.

    The field of each setting says whether it may change (`on_resume`). The weights of no step depend on what a run
    started from, since each checkpoint holds its own; nor on the length of the run, since that of the schedule is fixed
    when it starts; nor on the place of the images, since their fingerprint is compared; nor on settings of measuring
    and of drawing with a trained network. They do depend on the weights that a loss looks through.

    Args:
        saved: the run's configuration.
        wanted: what it is to go on with.

    Raises:
        ValueError: naming each such setting, with its old and new value.
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
