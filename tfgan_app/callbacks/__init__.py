"""Callbacks for logs, image grids, validation, checkpoints and guards during training.

They count training steps (`StepCallback`). Their order in `fit(callbacks=[...])` matters:

- `NonFiniteGuard` first, so that nothing of a broken step is saved;
- `Validation` after `ScalarLog`, whose log it reads;
- `Checkpointing` last, so that a resumed run finds everything that was written before its checkpoint.
"""

from __future__ import annotations

from tfgan_app.callbacks.checkpointing import Checkpointing
from tfgan_app.callbacks.events import ABOUT_FIGURES, EventLog, read_events, say_line
from tfgan_app.callbacks.grids import ImageGrids
from tfgan_app.callbacks.guards import HealthMonitor, NonFiniteError, NonFiniteGuard
from tfgan_app.callbacks.image_grid import ImageGrid
from tfgan_app.callbacks.metrics_file import read_metrics
from tfgan_app.callbacks.progress import ProgressBar
from tfgan_app.callbacks.report import write_examples, write_report
from tfgan_app.callbacks.report_results import METRICS, find_baseline, find_interval
from tfgan_app.callbacks.report_study import STUDY_FILE
from tfgan_app.callbacks.scalars import ScalarLog
from tfgan_app.callbacks.step_callback import StepCallback
from tfgan_app.callbacks.stop_signals import StopOnSignal
from tfgan_app.callbacks.validation import Validation

__all__ = [
    "ABOUT_FIGURES",
    "METRICS",
    "STUDY_FILE",
    "Checkpointing",
    "EventLog",
    "HealthMonitor",
    "ImageGrid",
    "ImageGrids",
    "NonFiniteError",
    "NonFiniteGuard",
    "ProgressBar",
    "ScalarLog",
    "StepCallback",
    "StopOnSignal",
    "Validation",
    "find_baseline",
    "find_interval",
    "read_events",
    "read_metrics",
    "say_line",
    "write_examples",
    "write_report",
]
