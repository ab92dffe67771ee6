"""Common settings of `upscale` and `restore`: a fidelity stage, then an adversarial one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tfgan_app.config.typed_fields import bounded, choice, model_setting, own_objects, path_setting
from tfgan_app.registry import ADVERSARIAL_LOSSES, CROP_DISCRIMINATORS, RECONSTRUCTION_LOSSES
from tfgan_app.tasks.preset import Paper


@dataclass(frozen=True)
class ImageTaskConfig:
    """Common settings of the tasks that recover images.

    Attributes:
        stage: `psnr` minimizes pixel (and perceptual) losses alone; `gan` adds a discriminator.
        init_from: Run directory, `.keras` file or name of a shipped model whose networks the training starts from;
            the architectures must match.
        pixel_loss: Distance between pixels.
        pixel_weight: Its factor.
        perceptual_weight: Factor of the distance between VGG16 features, before their ReLU; 0 is off.
        perceptual_weights: File of VGG16 weights (.npz); none downloads those of keras.applications.
        adversarial_loss: Loss of generator and discriminator at the stage `gan`.
        adversarial_weight: Its factor for the generator.
        discriminator: `unet` classifies every pixel (Real-ESRGAN), `vgg` the whole crop (SRGAN).
        discriminator_width: Its channels at full resolution.
        spectral_norm: Spectral normalization of the discriminator.
        real_label: 1, or less for one-sided label smoothing.
        flips_and_turns: Rotate and flip each crop at random, into one of eight orientations.
        image_scales: Shares of its size at which each image is trained on, if it then holds a crop.
        candidates: Crops from which the one with most detail is chosen; 1 takes every crop.
        val_crop_px: Largest side of the center crops of held-out images that are measured; none measures all
            of them. Images given with `evaluate --data` are measured whole.
        lpips_weights: File of VGG16 and LPIPS weights (.npz), to measure LPIPS too.
        metrics: Further metrics of images, each your own `tfgan_app.registry.Metric`, as `module:attribute`.
    """

    stage: Literal["psnr", "gan"] = "psnr"
    init_from: str | None = model_setting(on_resume="may_change")
    pixel_loss: str = choice(RECONSTRUCTION_LOSSES, default="l1")
    pixel_weight: float = bounded(1.0, minimum=0.0)
    perceptual_weight: float = bounded(0.0, minimum=0.0)
    perceptual_weights: str | None = path_setting()
    adversarial_loss: str = choice(ADVERSARIAL_LOSSES, default="relativistic_average")
    adversarial_weight: float = bounded(0.1, minimum=0.0)
    discriminator: str = choice(CROP_DISCRIMINATORS, default="unet")
    discriminator_width: int = bounded(32, minimum=1)
    spectral_norm: bool = True
    real_label: float = bounded(1.0, above=0.0, maximum=1.0)
    flips_and_turns: bool = True
    image_scales: tuple[float, ...] = bounded((1.0,), minimum=0.1, maximum=1.0)
    candidates: int = bounded(1, minimum=1, maximum=16)
    val_crop_px: int | None = bounded(512, minimum=16)
    lpips_weights: str | None = path_setting(on_resume="may_change")
    metrics: tuple[str, ...] = own_objects(on_resume="may_change")


IMAGE_PRESET: dict[str, Any] = {
    "data.load_scale": 1.0,
    "data.resize": "none",
    "training.ema_decay": 0.999,
    "training.sample_every_steps": 1000,
    "training.validate_every_steps": 1000,
    "training.checkpoint_every_steps": 1000,
    "training.best_metric": "psnr_y",
    "optimizer.beta_1": 0.9,
    "optimizer.beta_2": 0.99,
    "optimizer.schedule": "cosine",
    "optimizer.warmup_steps": 200,
}
"""Common values of the presets of both tasks."""

ADVERSARIAL_STAGE: dict[str, Any] = {
    "optimizer.generator_learning_rate": 1e-4,
    "optimizer.discriminator_learning_rate": 5e-4,
    "task.stage": "gan",
    "task.pixel_weight": 0.5,
    "task.perceptual_weight": 1.0,
    "task.adversarial_weight": 1.0,
}
"""The losses of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 4.1; its pixels span 1, these 2). Deviations:
VGG16 in place of VGG19; the relativistic average loss of ESRGAN; ten times the adversarial weight, with which an image
gets a fifth as much gradient from the discriminator as from the features (a fiftieth had no visible effect); five times
the rate for the discriminator, which stayed at chance with less."""

REAL_ESRGAN = Paper("Wang et al. 2021", "2107.10833")

ADVERSARIAL_DEVIATIONS = (
    "VGG16 features (paper: VGG19)",
    "relativistic average loss, as of ESRGAN (paper: plain)",
    "ten times the adversarial weight, five times the discriminator's rate",
    "the generator is not RRDB unless task.generator says so",
)
"""Deviations of `ADVERSARIAL_STAGE` from the paper."""
