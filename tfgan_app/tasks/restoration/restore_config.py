"""Settings and named recipes of the task `restore`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tfgan_app.config.typed_fields import bounded, choice
from tfgan_app.registry import DEGRADATIONS, INPAINTERS, RESTORERS
from tfgan_app.tasks.preset import Preset
from tfgan_app.tasks.restoration.config import (
    ADVERSARIAL_DEVIATIONS,
    ADVERSARIAL_STAGE,
    IMAGE_PRESET,
    REAL_ESRGAN,
    ImageTaskConfig,
)


@dataclass(frozen=True)
class RestoreConfig(ImageTaskConfig):
    """Settings of `restore`, besides those of `ImageTaskConfig`.

    Attributes:
        degradation: Degradations that the network learns to undo, in order: `denoise`, `deblur`, `jpeg`,
            `colorize`, `real` (the second-order blur, noise and JPEG of Real-ESRGAN); or `inpaint` alone.
        share_untouched: Share of the training images without degradation, so that the network leaves clean images
            alone; with `colorize`, none.
        share_skipped: Share of the images that each of several degradations except `colorize` skips, so that the
            network learns single and combined ones. Held-out images get all of them.
        noise_sigma_255: Range of the standard deviation of noise, where white is 255.
        jpeg_quality: Range of the quality of JPEG.
        mask: Kind of holes for `inpaint`, as in LaMa; `mixed` takes all of them.
        generator: Architecture: `nafnet`, `unet` (DRUNet), or `gated` for holes; `auto` is `gated` for `inpaint`,
            else `nafnet`.
        generator_size: Size of `nafnet` and `unet`: `light` for CPUs, or `paper` as published.
        generator_width: Channels at full resolution; none is the architecture's default.
    """

    degradation: tuple[str, ...] = choice(
        DEGRADATIONS,
        default=("denoise", "jpeg"),
        only=("denoise", "deblur", "jpeg", "colorize", "real"),
        also=("inpaint",),
    )
    share_untouched: float = bounded(0.05, minimum=0.0, below=1.0)
    share_skipped: float = bounded(0.3, minimum=0.0, below=1.0)
    noise_sigma_255: tuple[float, float] = (0.0, 55.0)
    jpeg_quality: tuple[float, float] = (5.0, 95.0)
    mask: Literal["mixed", "thin", "medium", "thick", "boxes"] = "mixed"
    generator: str = choice({**dict.fromkeys(RESTORERS), **dict.fromkeys(INPAINTERS)}, default="auto", also=("auto",))
    generator_size: Literal["light", "paper"] | None = None
    generator_width: int | None = bounded(None, minimum=1)


DEFAULT_PRESET: dict[str, Any] = {
    **IMAGE_PRESET,
    "data.image_size": 96,
    "training.steps": 4000,
    "training.batch_size": 8,
    "training.best_metric": "psnr",
    "optimizer.generator_learning_rate": 1e-3,
}
"""The fidelity stage."""

GAN_PRESET: dict[str, Any] = {
    **DEFAULT_PRESET,
    "data.image_size": 128,
    **ADVERSARIAL_STAGE,
}
"""The adversarial stage; give it `task.init_from`."""

PRESETS = {
    "default": Preset(DEFAULT_PRESET, summary="noise and JPEG blocks undone, faithful, on two CPU cores"),
    "gan": Preset(
        GAN_PRESET,
        summary="the adversarial stage, with more texture; give it task.init_from",
        paper=REAL_ESRGAN,
        deviations=ADVERSARIAL_DEVIATIONS,
    ),
}
