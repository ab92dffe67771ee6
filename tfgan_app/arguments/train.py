"""Flags of `tfgan_app train`."""

from __future__ import annotations

import argparse
import typing
from typing import Any

from tfgan_app.arguments.parsing import SOURCE_HELP, add_command, add_set, natural, positive
from tfgan_app.config.sections import Precision, Strategy
from tfgan_app.tasks import TASKS, check_task_name, load_presets

_TRAIN_EPILOG = """\
--set KEY=VALUE sets everything else (keys as in config.json; --dry-run prints them all):
  --set task.direction=b2a --set training.validate_every_steps=500 --set optimizer.clip_norm=none
Later sources win: task defaults, --preset, --config, the flags above, --set.

Presets by task; without --preset it is `default`, or the one named after task.method or task.stage. --dry-run shows
how a preset differs from its paper:
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Train a task; weights, logs and images go to a run directory."
    parser = add_command(commands, "train", summary=summary, epilog=lambda: _TRAIN_EPILOG + _preset_lines())
    parser.add_argument("--task", type=_task, metavar=f"{{{','.join(TASKS)}}}", help="task; not needed with --resume")
    parser.add_argument("--data", metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument("--run-dir", metavar="DIR", help="folder to write (default: a new folder in runs/)")
    parser.add_argument("--steps", type=positive, metavar="N", help="training steps of the whole run")
    parser.add_argument("--batch-size", type=positive, metavar="N", help="images per step")
    parser.add_argument("--image-size", type=positive, metavar="PX", help="side of the training images")
    parser.add_argument("--preset", metavar="NAME", help="named settings of the task, see below")
    parser.add_argument("--precision", choices=typing.get_args(Precision), help="compute precision")
    parser.add_argument("--seed", type=natural, metavar="N", help="seed of everything random")
    parser.add_argument("--strategy", choices=typing.get_args(Strategy), help="distribution over devices")
    parser.add_argument("--config", metavar="FILE", help="config.json, or a part of one")
    add_set(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue from the last checkpoint of --run-dir; other learning rates start a new phase",
    )
    parser.add_argument("--dry-run", action="store_true", help="only print configuration, sizes and a time estimate")


def find_problem(args: argparse.Namespace) -> str | None:
    """Returns an error message for flags that are valid only one by one, or None."""
    if args.task is None and not args.resume:
        return "the following arguments are required: --task"
    return None


def _preset_lines() -> str:
    """Returns one line for each preset of each task."""
    lines = []
    for task in TASKS:
        for name, preset in load_presets(task).items():
            paper = f" ({preset.paper.authors}, arXiv:{preset.paper.arxiv})" if preset.paper else ""
            lines.append(f"  {task:10}{name:16}{preset.summary}{paper}")
    return "\n".join(lines) + "\n"


def _task(name: str) -> str:
    try:
        return check_task_name(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
