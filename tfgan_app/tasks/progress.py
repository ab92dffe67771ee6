"""Says how far long reading of images is, and which of them cannot be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tfgan_app.data.checking import find_readable_images
from tfgan_app.data.labeled import LabeledImages

EVERY_SECONDS = 5.0


class LeftOut(str):
    """A line for the user on images that a task leaves out: the command that reports it ends with exit code 1."""

    def __new__(cls, problem: str) -> LeftOut:
        return super().__new__(cls, f"left out: {problem}")


def progress_reporter(report: Callable[[str], Any], verb: str) -> Callable[[int, int], None]:
    """Builds a callback of (done, total) that reports every few seconds; short work stays silent.

    Args:
        report: Called with a line such as "loaded 3,000 of 20,000".
        verb: What is done, in the past tense.
    """
    last = time.monotonic()

    def on_progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > EVERY_SECONDS:
            last = time.monotonic()
            report(f"{verb} {done:,} of {total:,}")

    return on_progress


def readable_images(
    images: LabeledImages, report: Callable[[str], Any], *, input_range: tuple[float, float] | None = None
) -> LabeledImages:
    """The images that can be read.

    Args:
        images: Any.
        report: Called with a line about each of the others, on ranges of values that were taken, and on the progress.
        input_range: The setting `data.input_range`.
    """
    return find_readable_images(
        images,
        on_skip=lambda name, problem: report(LeftOut(problem)),
        on_progress=progress_reporter(report, "checked"),
        on_note=report,
        input_range=input_range,
    )
