"""Messages on the progress of reading images, and on unreadable ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tfgan_app.data.checking import find_readable_images
from tfgan_app.data.labeled import LabeledImages

EVERY_SECONDS = 5.0


class LeftOut(str):
    """A message on images that a task leaves out; a command that reports it ends with exit code 1."""

    def __new__(cls, problem: str) -> LeftOut:
        return super().__new__(cls, f"left out: {problem}")


def progress_reporter(report: Callable[[str], Any], verb: str) -> Callable[[int, int], None]:
    """Builds a callback of (done, total) that reports every few seconds; short work stays silent.

    Args:
        report: Called with messages such as "loaded 3,000 of 20,000".
        verb: The action, in the past tense.
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
    """The readable ones among images.

    Args:
        images: Images to check.
        report: Called with messages on unreadable images, on assumed value ranges, and on progress.
        input_range: The setting `data.input_range`.
    """
    return find_readable_images(
        images,
        on_skip=lambda name, problem: report(LeftOut(problem)),
        on_progress=progress_reporter(report, "checked"),
        on_note=report,
        input_range=input_range,
    )
