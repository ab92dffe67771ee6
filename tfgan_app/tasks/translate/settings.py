"""Which settings of `translate` belong to which of its methods."""

from __future__ import annotations

import dataclasses

from tfgan_app.tasks.translate.config import TranslateConfig

_UNPAIRED = ("cyclegan", "cut", "fastcut")
_CONTRASTIVE = ("cut", "fastcut")
USED_BY = {
    "l1_weight": ("paired",),
    "perceptual_weight": ("paired",),
    "perceptual_weights": ("paired",),
    "cycle_weight": ("cyclegan",),
    "identity_weight": ("cyclegan",),
    "pool_size": ("cyclegan",),
    "nce_weight": _CONTRASTIVE,
    "nce_identity_weight": _CONTRASTIVE,
    "nce_patches": _CONTRASTIVE,
    "flip_equivariance": _CONTRASTIVE,
    "features": _UNPAIRED,
    "feature_weights": _UNPAIRED,
}
"""Setting -> the methods that use it; all others are every method's."""


def check_used(settings: TranslateConfig) -> None:
    """Refuses what the user has set, and the method would ignore.

    Raises:
        ValueError: naming the first such setting, its value and the methods that use it.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    for name, methods in USED_BY.items():
        value = getattr(settings, name)
        if value != defaults[name] and settings.method not in methods:
            raise ValueError(
                f"`task.{name}` is for `task.method` {' or '.join(methods)}. "
                f"Received: {value!r} for {settings.method}; leave it out, or set `task.method`."
            )
