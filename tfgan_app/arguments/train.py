"""What `tfgan_app train` takes."""

from __future__ import annotations

import argparse
import typing
from typing import Any

from tfgan_app.arguments.parsing import SOURCE_HELP, add_command, add_set, natural, positive
from tfgan_app.config.sections import Precision, Strategy
from tfgan_app.tasks import TASKS, check_task_name, load_presets

_TRAIN_EPILOG = """\
Everything else is set with --set KEY=VALUE (keys are those of config.json; --dry-run prints them all):
  --set task.direction=b2a --set training.validate_every_steps=500 --set optimizer.clip_norm=none
Later wins: task defaults, --preset, --config, the flags above, --set.

Presets by task; without --preset it is `default`, or the one by the name of task.method or task.stage. --dry-run says
how one departs from its paper:
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Train a task; what it learns, logs and draws goes to a run directory."
    parser = add_command(commands, "train", summary=summary, epilog=lambda: _TRAIN_EPILOG + _preset_lines())
    parser.add_argument("--task", type=_task, metavar=f"{{{','.join(TASKS)}}}", help="what to train; --resume knows it")
    parser.add_argument("--data", metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument("--run-dir", metavar="DIR", help="where to write; a new folder in runs/ by default")
    parser.add_argument("--steps", type=positive, metavar="N", help="training steps of the whole run")
    parser.add_argument("--batch-size", type=positive, metavar="N", help="images per step")
    parser.add_argument("--image-size", type=positive, metavar="PX", help="side of the training images")
    parser.add_argument("--preset", metavar="NAME", help="a named set of values of the task, see below")
    parser.add_argument("--precision", choices=typing.get_args(Precision), help="compute precision")
    parser.add_argument("--seed", type=natural, metavar="N", help="seed of everything random")
    parser.add_argument("--strategy", choices=typing.get_args(Strategy), help="distribution over devices")
    parser.add_argument("--config", metavar="FILE", help="a config.json, or part of one")
    add_set(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the last checkpoint of --run-dir; other rates begin a new phase",
    )
    parser.add_argument("--dry-run", action="store_true", help="print configuration, sizes and time estimate only")


def find_problem(args: argparse.Namespace) -> str | None:
    """What is wrong with flags that are right one by one, or None."""
    if args.task is None and not args.resume:
        return "the following arguments are required: --task"
    return None


def _preset_lines() -> str:
    """A line for each preset of each task."""
    lines = []
    for task in TASKS:
        for name, preset in load_presets(task).items():
            paper = f" ({preset.paper.authors}, arXiv:{preset.paper.arxiv})" if preset.paper else ""
            lines.append(f"  {task:10}{name:15}{preset.summary}{paper}")
    return "\n".join(lines) + "\n"


def _task(name: str) -> str:
    try:
        return check_task_name(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
