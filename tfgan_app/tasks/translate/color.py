"""The method `color`: exact color conversions without training."""

from __future__ import annotations

from typing import Any, NoReturn

from tfgan_app.config import RunConfig
from tfgan_app.layers import CONVERSIONS


def refuse_training(config: RunConfig, **options: Any) -> NoReturn:
    """Refuses the training; names the commands that convert colors.

    Args:
        config: The run's configuration.
        **options: As for `Task`.

    Raises:
        ValueError: Always. One line.
    """
    del config, options
    raise ValueError(
        "Color conversions are exact and need no training. Use `tfgan_app predict --model color:rgb_to_lab --input "
        "IMAGES --output OUTPUT` or `tfgan_app export --run color:rgb_to_lab --format saved_model`, with any of "
        f"{', '.join(CONVERSIONS)}."
    )
