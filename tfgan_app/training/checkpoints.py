"""Checkpoints: atomic writes (temporary file, sync, rename), checksums verified on load."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfgan_app.files import atomic_path
from tfgan_app.training.adversarial_trainer import AdversarialTrainer

CONTENTS = "contents"
"""Entry of a checkpoint that holds a digest of the names, shapes and dtypes of all others."""

DISCRIMINATOR = "discriminator/"
"""Prefix of the names of the discriminators' entries."""

_NAME = re.compile(r"step-(\d+)\.npz")


class Checkpoints:
    """The latest states of a training, one file each: `step-0001000.npz`.

    A checkpoint is a plain `.npz` of every variable (networks, averaged weights, both optimizers, step and
    seed): no pickle, and the zip checksum of each entry is verified on reading.

    Args:
        directory: Folder of the checkpoints; created on the first save.
        keep: Number of newest checkpoints to keep.
    """

    def __init__(self, directory: str | Path, *, keep: int = 3):
        self.directory = Path(directory)
        self.keep = keep

    def paths(self) -> list[Path]:
        """Paths of the existing checkpoints, oldest first."""
        found = [(int(m[1]), path) for path in self.directory.glob("step-*.npz") if (m := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(found)]

    def newest_step(self) -> int | None:
        """The step of the newest intact checkpoint; `None` without one."""
        for path, _ in self._good(lambda path, reason: None, set_aside=False):
            return int(_NAME.fullmatch(path.name)[1])
        return None

    def newest_state(self) -> dict[str, np.ndarray] | None:
        """The arrays of the newest intact checkpoint by name; `None` without one."""
        return next((state for _, state in self._good(lambda path, reason: None, set_aside=False)), None)

    def save(self, trainer: AdversarialTrainer) -> Path:
        """Writes the trainer's state under its step, then deletes all but the newest `keep` checkpoints.

        Raises:
            OSError: When it cannot be written (a full disk); earlier checkpoints are untouched.
        """
        path = self.directory / f"step-{int(trainer.step.numpy()):07d}.npz"
        with atomic_path(path, sync=True) as unfinished:
            state: dict[str, Any] = {name: np.asarray(v.value) for name, v in state_variables(trainer).items()}
            np.savez(unfinished, **(state | {CONTENTS: _contents(state)}))
        for leftover in self.directory.glob(".tmp-*"):
            leftover.unlink(missing_ok=True)
        for old in self.paths()[: -self.keep]:
            old.unlink(missing_ok=True)
        return path

    def restore(
        self, trainer: AdversarialTrainer, *, on_damaged: Callable[[Path, str], None], set_aside: bool = True
    ) -> int | None:
        """Loads the newest intact checkpoint into the trainer.

        Args:
            trainer: Built and compiled; its variables must be those of the checkpoint.
            on_damaged: Called with each unreadable checkpoint and the reason; the one before it is tried next.
            set_aside: Rename damaged ones to `*.damaged`.

        Returns:
            The step of the checkpoint, or `None` without an intact one.

        Raises:
            ValueError: If an intact checkpoint holds the variables of other networks.
        """
        for path, state in self._good(on_damaged, set_aside=set_aside):
            _assign(path, state, state_variables(trainer))
            return int(trainer.step.numpy())
        return None

    def restore_discriminators(
        self, discriminators: Mapping[str, keras.Model], *, on_damaged: Callable[[Path, str], None]
    ) -> Path | None:
        """Loads the discriminators of the newest intact checkpoint, without a trainer.

        Args:
            discriminators: Models by name, as the task builds them.
            on_damaged: As in `restore`; nothing is renamed.

        Returns:
            The checkpoint, or `None` without an intact one.

        Raises:
            ValueError: If an intact checkpoint holds the variables of other networks.
        """
        for path, state in self._good(on_damaged, set_aside=False):
            variables = _numbered({f"{DISCRIMINATOR}{name}": model.variables for name, model in discriminators.items()})
            _assign(path, {name: v for name, v in state.items() if name.startswith(DISCRIMINATOR)}, variables)
            return path
        return None

    def _good(
        self, on_damaged: Callable[[Path, str], None], *, set_aside: bool
    ) -> Iterator[tuple[Path, dict[str, np.ndarray]]]:
        """Yields the readable checkpoints, newest first."""
        for path in reversed(self.paths()):
            try:
                state = _read(path)
            except OSError as error:  # May be readable later.
                on_damaged(path, str(error))
                continue
            except Exception as error:  # Damaged zip archives fail in many ways.
                on_damaged(path, str(error) or type(error).__name__)
                if set_aside:
                    path.replace(path.with_suffix(".damaged"))
                continue
            yield path, state


def state_variables(trainer: AdversarialTrainer) -> dict:
    """All variables of a training's state, under names that are the same in every process."""
    groups = {
        **{f"generator/{name}": model.variables for name, model in trainer.networks.generators.items()},
        **{f"{DISCRIMINATOR}{name}": model.variables for name, model in trainer.networks.discriminators.items()},
        **{f"average/{name}": model.variables for name, model in trainer.averaged.generators.items()},
        "generator_optimizer": trainer.generator_optimizer.variables,
        "discriminator_optimizer": trainer.discriminator_optimizer.variables,
        "trainer": trainer.state_variables,
    }
    return _numbered(groups)


def _numbered(groups: Mapping[str, list]) -> dict:
    return {f"{group}/{index:04d}": v for group, members in groups.items() for index, v in enumerate(members)}


def _assign(path: Path, state: dict[str, np.ndarray], variables: dict):
    _check_fits(path, state, variables)
    for name, variable in variables.items():
        variable.assign(state[name])


def _read(path: Path) -> dict[str, np.ndarray]:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
        state = {name: archive[name] for name in archive.files}
    # Zip's checksums cover single entries; the digest of the contents reveals missing ones.
    if not np.array_equal(state.pop(CONTENTS, None), _contents(state)):
        raise ValueError("its table of contents is damaged")
    return state


def _contents(state: dict[str, np.ndarray]) -> np.ndarray:
    described = sorted((name, value.shape, value.dtype.str) for name, value in state.items())
    return np.frombuffer(hashlib.sha256(repr(described).encode()).digest(), np.uint8)


def _check_fits(path: Path, state: dict[str, np.ndarray], variables: dict):
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    if expected != {name: value.shape for name, value in state.items()}:
        raise ValueError(
            f"The checkpoint {path} must hold the variables of the configuration's networks. It holds those of "
            "others: config.json or the program has changed since; restore it, or start a new run."
        )
