"""The discriminator of a run, which only its checkpoints hold."""

from __future__ import annotations

import sys

import keras

from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.tasks.base import Task
from tfgan_app.training.checkpoints import Checkpoints


def load_discriminator(directory: RunDirectory, task: Task) -> keras.Model:
    """Builds the one discriminator of a run, with the weights of its newest good checkpoint, in float32.

    Args:
        directory: of the run.
        task: of the run, with its configuration.

    Raises:
        ValueError: when there is no good checkpoint, or it is of other networks.
    """
    discriminators = task.build_networks().discriminators
    found = Checkpoints(directory.checkpoints).restore_discriminators(discriminators, on_damaged=_tell)
    if found is None:
        raise ValueError(
            f"Expected a good checkpoint (step-*.npz) in {directory.checkpoints}, which holds the discriminator. "
            "Found none; train the run on, or copy its checkpoints back."
        )
    return discriminators["discriminator"]


def _tell(path, reason: str) -> None:
    print(f"tfgan_app: checkpoint {path.name} cannot be used ({reason}); trying the one before", file=sys.stderr)
