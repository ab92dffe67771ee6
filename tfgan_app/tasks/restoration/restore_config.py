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
    """Settings of `restore`, beside those of `ImageTaskConfig`.

    Attributes:
        degradation: What images suffer, one after the other, and the network undoes: `denoise`, `deblur`, `jpeg`,
            `colorize`, `real` (the second-order blur, noise and JPEG of Real-ESRGAN); or `inpaint` alone.
        share_untouched: Share of the training images that suffer nothing, so that the network leaves such alone;
            with `colorize`, none.
        share_skipped: Of several degradations, the share of images that each one but `colorize` spares, so that the
            network knows them one by one and together. Held-out images suffer all of them.
        noise_sigma_255: Range of the standard deviation of noise, where white is 255.
        jpeg_quality: Range of the quality of JPEG.
        mask: Kind of holes for `inpaint`, as of LaMa; `mixed` takes all of them.
        generator: Architecture: `nafnet`, `unet` (DRUNet), or `gated` for holes; `auto` is `gated` for `inpaint`,
            else `nafnet`.
        generator_size: Of `nafnet` and `unet`: `light` for CPUs, or `paper` as published.
        generator_width: Channels at full resolution; none is the architecture's own.
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
"""The stage of fidelity."""

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
