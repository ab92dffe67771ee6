"""Which settings of `translate` belong to which of its methods."""

from __future__ import annotations

import dataclasses

from tfgan_app.tasks.translate.config import TranslateConfig

UNPAIRED = ("cyclegan", "cut", "fastcut")
"""The methods for sets of pictures that do not belong together."""

_CONTRASTIVE = ("cut", "fastcut")
USED_BY = {
    "l1_weight": ("paired",),
    "metrics": ("paired",),
    "perceptual_weight": ("paired",),
    "perceptual_weights": ("paired", "style"),
    "cycle_weight": ("cyclegan",),
    "identity_weight": ("cyclegan",),
    "pool_size": ("cyclegan",),
    "nce_weight": _CONTRASTIVE,
    "nce_identity_weight": _CONTRASTIVE,
    "nce_identity_share": ("cut",),
    "nce_patches": _CONTRASTIVE,
    "nce_dim": _CONTRASTIVE,
    "flip_equivariance": _CONTRASTIVE,
    "features": UNPAIRED,
    "feature_weights": UNPAIRED,
    "styles": ("style",),
    "style_level": ("style",),
    "content_weight": ("style",),
    "style_weight": ("style",),
    "reconstruction_weight": ("style",),
    "decoder_width": ("style",),
}
"""Setting -> the methods that use it; all others are every method's."""

UNUSED_BY = {
    "style": (
        "direction",
        "generator",
        "generator_width",
        "generator_depth",
        "generator_normalization",
        "lpips_weights",
        "vertical_flip",
        "max_scale",
        "max_rotation_degrees",
        "colour_jitter",
    ),
}
"""Method -> the settings that it does not use."""


def check_used(settings: TranslateConfig) -> None:
    """Refuses what the user has set, and the method would ignore.

    Raises:
        ValueError: naming the first such setting, its value and the methods that use it.
    """
    for field in dataclasses.fields(settings):
        value, methods = getattr(settings, field.name), USED_BY.get(field.name, (settings.method,))
        unused = settings.method not in methods or field.name in UNUSED_BY.get(settings.method, ())
        if unused and value != field.default:
            belongs = f"is for `task.method` {' or '.join(methods)}"
            if settings.method in methods:
                belongs = f"is not for `task.method` {settings.method}"
            raise ValueError(f"`task.{field.name}` {belongs}. Received: {value!r} for {settings.method}; leave it out.")
