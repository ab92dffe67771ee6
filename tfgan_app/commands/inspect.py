"""`tfgan_app inspect`: summary and problems of a data set."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

from tfgan_app.commands.task_report import TaskReport, report_leftovers
from tfgan_app.data.inspection import Inspection, Problem, inspect_pairs
from tfgan_app.data.labeled_inspection import inspect_labeled
from tfgan_app.data.opening import holds_pairs
from tfgan_app.data.unpaired import holds_unpaired
from tfgan_app.data.unpaired_inspection import inspect_unpaired
from tfgan_app.files import printable, write_text
from tfgan_app.image_io.file_tree import survey_folder
from tfgan_app.image_io.loading import is_image

_UNUSABLE = ("unreadable", "oversized", "unreachable")
_REPORT_EVERY_FILES = 100


def run(args: argparse.Namespace) -> int:
    """Prints the findings about a data set, and writes them as JSON if requested.

    Args:
        args: `data`, a folder of image pairs, two sets of unpaired images, or images with or without classes as a
            folder, `keras:NAME` or `tfds:NAME[:SPLIT]`; `input_range`, the values of black and white in files of more
            than 8 bits, or None; `json`, a file to write, or None.

    Returns:
        0, or 1 if some files cannot be used; each of them is named on stderr.

    Raises:
        ValueError: If there are no images.
    """
    inspect: Callable[..., Inspection]
    if holds_unpaired(args.data):
        inspect = inspect_unpaired
    else:
        inspect = inspect_pairs if holds_pairs(args.data) else inspect_labeled
    try:
        inspection = inspect(args.data, input_range=args.input_range, on_progress=_show_progress)
        inspection = _with_leftovers(inspection, args.data)
    except ValueError:
        report_leftovers(args.data, TaskReport())  # This may explain why nothing is found.
        raise
    for line in inspection.lines():
        print(printable(line))
    if args.json is not None:
        text = json.dumps(inspection.to_dict(), indent=2, ensure_ascii=False)
        write_text(args.json, f"{text}\n")
    unusable = _unusable_files(inspection)
    for found in unusable:
        print(f"tfgan_app: {printable(found)}", file=sys.stderr)
    return 1 if unusable else 0


def _with_leftovers(inspection: Inspection, source: str) -> Inspection:
    """Adds the files and folders that the image readers do not use."""
    if not Path(source).is_dir():
        return inspection
    survey = survey_folder(source, takes=is_image)
    found = (
        ("unreachable", [line for _, line in survey.problems], "Their content is left out. Repair or remove them."),
        (
            "not followed",
            [f"'{printable(path)}' {note}" for path, note in survey.notes],
            "Their images count only at their original place.",
        ),
        ("left alone", survey.kinds, "These look like images or videos and are not used. Rename or convert them."),
    )
    problems = [Problem(kind, lines, remedy) for kind, lines, remedy in found if lines]
    return dataclasses.replace(inspection, problems=[*inspection.problems, *problems])


def _unusable_files(inspection: Inspection) -> list[str]:
    return [found for problem in inspection.problems if problem.kind in _UNUSABLE for found in problem.found]


def _show_progress(done: int, total: int) -> None:
    """Shows the number of files read on one terminal line, and clears it at the end."""
    if not sys.stderr.isatty():
        return
    if done == total:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    elif done % _REPORT_EVERY_FILES == 0:
        print(f"\r{done} of {total} files read", end="", file=sys.stderr, flush=True)
