"""`tfgan_app.train`: trains a task and returns its run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tfgan_app.api.errors import one_line_errors
from tfgan_app.api.run import Run
from tfgan_app.api.settings import as_assignments, path_text
from tfgan_app.commands.train import TrainOptions
from tfgan_app.commands.train import train as train_run


@one_line_errors()
def train(
    task: str | None = None,
    *,
    data: str | os.PathLike | None = None,
    steps: int | None = None,
    image_size: int | None = None,
    batch_size: int | None = None,
    run_dir: str | os.PathLike | None = None,
    preset: str | None = None,
    precision: str | None = None,
    seed: int | None = None,
    strategy: str | None = None,
    config: str | os.PathLike | None = None,
    set: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> Run:
    """Trains a new run or resumes one, like the command `train`.

    An interrupt (the stop button of a notebook, Ctrl-C) ends the training after the current step with everything
    saved; `resume` continues from there.

    Args:
        task: `"translate"`, `"generate"`, `"upscale"`, `"restore"` or `"augment"`; not needed with `resume`.
        data: A folder of images, `keras:NAME` or `tfds:NAME`; by default the bundled sample of the task.
        steps: Training steps of the whole run.
        image_size: Side of the training images in pixels.
        batch_size: Images per step.
        run_dir: A new folder; by default one in `runs/`.
        preset: Name of a preset of the task.
        precision: `"auto"`, `"float32"`, `"mixed_float16"` or `"mixed_bfloat16"`.
        seed: Seed of everything random.
        strategy: Distribution over devices.
        config: A `config.json`, or part of one.
        set: Any other settings of `config.json`, by dotted key.
        resume: Whether to continue the run in `run_dir`.

    Returns:
        The `Run`.

    Raises:
        ValueError: If a setting, the data or the folder cannot be used. The message is one line.

    Examples:
        >>> import tfgan_app as tfgan
        >>> run = tfgan.train(
        ...     "translate", data="pairs", steps=2, image_size=32, batch_size=2, run_dir="runs/new",
        ...     set={"task.l1_weight": 50, "task.generator_width": 4, "task.discriminator_width": 4},
        ... )  # doctest: +ELLIPSIS
        report: ...
        >>> run.step
        2
    """
    options = TrainOptions(
        task=task,
        data=path_text(data),
        run_dir=path_text(run_dir),
        steps=steps,
        image_size=image_size,
        batch_size=batch_size,
        preset=preset,
        precision=precision,
        seed=seed,
        strategy=strategy,
        config=path_text(config),
        set=as_assignments(set),
        resume=resume,
        command_line="tfgan_app.train(...)",
    )
    if task is None and not resume:
        raise ValueError("`task` must be one of the tasks, such as 'translate'. Received none.")
    directory, _ = train_run(options)
    return Run(directory.path)
