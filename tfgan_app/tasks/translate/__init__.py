"""The task `translate`: images of one kind into images of another."""

import os

from tfgan_app.registry import Table
from tfgan_app.tasks.methods import MethodChoice
from tfgan_app.tasks.translate.config import TranslateConfig
from tfgan_app.tasks.translate.presets import PRESETS

METHODS = Table(
    "a method of translate",
    {
        "paired": "tfgan_app.tasks.translate.paired:PairedTranslation",
        "cyclegan": "tfgan_app.tasks.translate.cyclegan:CycleTranslation",
        "cut": "tfgan_app.tasks.translate.contrastive:ContrastiveTranslation",
        "fastcut": "tfgan_app.tasks.translate.contrastive:ContrastiveTranslation",
        "style": "tfgan_app.tasks.translate.style:StyleTransfer",
        "color": "tfgan_app.tasks.translate.color:refuse_training",
    },
)
"""Value of `task.method` -> its task class, or a function that refuses the training."""

UNPAIRED_METHOD = "cut"
"""Default method for unpaired sets of images."""


def detect_method(source: str | None) -> str:
    """Detects the method that fits the images of a source.

    Args:
        source: A folder, `tfds:NAME`, or None for the bundled pairs.

    Returns:
        `paired`; or `UNPAIRED_METHOD` for a set of TensorFlow Datasets, and for two folders in which no name of the
        one is found in the other.

    Raises:
        ValueError: For two folders in which some names match but most do not.
    """
    if source is None:
        return "paired"
    if source.startswith("tfds:"):
        return UNPAIRED_METHOD
    from tfgan_app.data.unpaired import matching_share

    share = matching_share(os.path.expanduser(source))
    if share is None or share >= 0.5:
        return "paired"
    if share == 0.0:
        return UNPAIRED_METHOD
    raise ValueError(
        f"Expected images of A and B in {source} that match by their names, or sets without matches. {share:.0%} "
        "of the names match: set `task.method` to paired, or to one of the others: cyclegan, cut, fastcut."
    )


TRANSLATE = MethodChoice(config_class=TranslateConfig, presets=PRESETS, methods=METHODS, detect=detect_method)
