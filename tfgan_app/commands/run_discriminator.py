"""Discriminator of a run, which only its checkpoints hold."""

from __future__ import annotations

import sys

import keras

from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.tasks.base import Task
from tfgan_app.training.checkpoints import Checkpoints


def load_discriminator(directory: RunDirectory, task: Task) -> keras.Model:
    """Builds the only discriminator of a run in float32, with the weights of the newest intact checkpoint.

    Args:
        directory: The run directory.
        task: Task of the run, with its configuration.

    Raises:
        ValueError: If there is no intact checkpoint, or it belongs to other networks.
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
