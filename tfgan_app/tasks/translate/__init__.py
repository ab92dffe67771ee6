"""Pictures of one kind into pictures of another."""

from tfgan_app.tasks.choice import MethodChoice
from tfgan_app.tasks.translate.config import PRESETS, TranslateConfig

METHODS = {
    "paired": "tfgan_app.tasks.translate.paired:PairedTranslation",
    "style": "tfgan_app.tasks.translate.style:StyleTransfer",
    "colour": "tfgan_app.tasks.translate.colour:refuse_training",
}
"""Value of `task.method` -> the class that trains it, or what says why none does."""


def detect_method(source: str | None) -> str:
    """The method that the pictures of a source are for.

    Args:
        source: a folder, `tfds:NAME`, or None for the bundled pairs.
    """
    del source
    return "paired"


TRANSLATE = MethodChoice(config_class=TranslateConfig, presets=PRESETS, methods=METHODS, detect=detect_method)
