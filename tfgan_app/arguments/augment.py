"""Flags of `tfgan_app augment`."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import add_checkpoint, add_command, add_set, natural, positive

_AUGMENT_EPILOG = """\
DIR gets a folder for each class, as keras.utils.image_dataset_from_directory reads them, and manifest.csv:
  file, class, seed               `tfgan_app predict --seed` draws the same image
  discriminator_score             a logit, comparable only within the file
  confidence                      in the wanted class, of a classifier trained on the real images
  nearest_distance, nearest_training_image    root mean squared difference of pixels in [0, 1]
summary.json has the thresholds and the number dropped by each: --set task.min_confidence=0.5, task.copy_quantile=0.01,
task.duplicate_share=0.5, task.max_draws=10. Exit code 1: some classes are short of N.
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Write synthetic training images, one folder per class, with a run of the task augment."
    parser = add_command(commands, "augment", summary=summary, epilog=_AUGMENT_EPILOG)
    parser.add_argument("--run", required=True, metavar="DIR", help="run directory")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write, new or empty")
    parser.add_argument("--per-class", required=True, type=positive, metavar="N", help="images of each class")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="first seed of each class (default: 0)")
    parser.add_argument(
        "--batch-size", type=positive, default=250, metavar="N", help="images drawn at a time (default: 250)"
    )
    add_set(parser)
    add_checkpoint(parser)
