"""Presets of the task `translate`."""

from __future__ import annotations

from typing import Any

from tfgan_app.tasks.preset import Paper, Preset

DEFAULT_PRESET: dict[str, Any] = {
    "data.image_size": 64,
    "training.steps": 4000,
    "training.batch_size": 8,
    "training.ema_decay": 0.999,
    "optimizer.generator_learning_rate": 5e-4,
    "optimizer.discriminator_learning_rate": 2e-4,
    "optimizer.beta_1": 0.9,
    "optimizer.beta_2": 0.99,
    "optimizer.clip_norm": 200.0,
    "optimizer.schedule": "cosine",
    "optimizer.warmup_steps": 200,
    "task.max_scale": 1.1,
    "task.max_rotation_degrees": 8.0,
}
"""Best result per minute on two CPU cores, on training pairs set aside for the choice."""

PIX2PIX_PRESET: dict[str, Any] = {
    "data.image_size": 256,
    "training.steps": 100_000,
    "training.batch_size": 1,
    "training.ema_decay": 0.0,
    "optimizer.schedule": "linear",
    "task.generator": "unet",
    "task.generator_normalization": "batch",
    "task.discriminator": "patchgan_70",
    "task.discriminator_width": 64,
    "task.discriminator_normalization": "batch",
    "task.adversarial_weight": 1.0,
}
"""The paper's recipe: Isola et al. 2017, arXiv:1611.07004, section 6.2."""

_UNPAIRED: dict[str, Any] = {
    "training.steps": 4000,
    "training.batch_size": 4,
    "training.ema_decay": 0.998,
    "training.validate_every_steps": 500,
    "training.best_metric": "fid",
    "optimizer.generator_learning_rate": 4e-4,
    "optimizer.schedule": "linear",
    "task.generator_width": 16,
    "task.adversarial_loss": "least_squares",
    "task.adversarial_weight": 1.0,
}

CYCLEGAN_PRESET: dict[str, Any] = {**_UNPAIRED, "task.method": "cyclegan", "task.identity_weight": 0.0}
"""Zhu et al. 2017, arXiv:1703.10593, section 4 and appendix 7.1, at a size for CPUs.

The generator starts as a copy of its input, and an identity loss would keep it there, as seen over 500 steps."""

_CONTRASTIVE: dict[str, Any] = {**_UNPAIRED, "task.nce_patches": 64, "task.nce_dim": 64}

CUT_PRESET: dict[str, Any] = {**_CONTRASTIVE, "task.method": "cut", "task.nce_identity_share": 0.5}
"""Park et al. 2020, arXiv:2007.15651, at a size for CPUs; half of the targets, which saves time."""

FASTCUT_PRESET: dict[str, Any] = {**_CONTRASTIVE, "task.method": "fastcut"}
"""Its faster variant."""

_PAPER: dict[str, Any] = {
    "data.image_size": 256,
    "training.steps": 200_000,
    "training.batch_size": 1,
    "training.ema_decay": 0.0,
    "training.validate_every_steps": 5000,
    "training.best_metric": "fid",
    "optimizer.schedule": "linear",
    "task.generator": "resnet_9",
    "task.discriminator": "patchgan_70",
    "task.discriminator_width": 64,
    "task.discriminator_normalization": "instance",
    "task.adversarial_loss": "least_squares",
    "task.adversarial_weight": 1.0,
}
"""The papers' networks, batch and rates, for GPUs: arXiv:1703.10593, appendix 7; arXiv:2007.15651, appendix C."""

_PIX2PIX = Paper("Isola et al. 2017", "1611.07004")

PAIRED_PRESETS = {
    "default": Preset(DEFAULT_PRESET, summary="pairs, best per minute on two CPU cores"),
    "pix2pix": Preset(
        PIX2PIX_PRESET,
        summary="pairs, the published recipe at 256 px, for GPUs",
        paper=_PIX2PIX,
        deviations=(
            "the U-Net enlarges by interpolation and a pixel shuffle (paper: transposed convolutions)",
            "dropout is off when images are made (paper: on, the only noise)",
            "the innermost blocks are not normalized (one pixel has no statistics)",
            "100,000 steps, for any number of pairs (paper: 200 epochs)",
        ),
    ),
}

_UNPAIRED_DEVIATIONS = (
    "200,000 steps, for any number of images (authors' code: 200 epochs, 400 for CUT)",
    "the rate falls to 2 % in the second half (authors' code: to 0)",
)


def _unpaired_presets(method: str, values: dict[str, Any], paper: Paper, name: str) -> dict[str, Preset]:
    """The presets of a method at a size for CPUs, and as published."""
    exact = Preset(
        {**_PAPER, "task.method": method},
        summary=f"{name} as published at 256 px, for GPUs",
        paper=paper,
        deviations=_UNPAIRED_DEVIATIONS,
    )
    ours = Preset(values, summary=f"no pairs, {name} at a size for CPUs", paper=paper, exact=exact)
    return {method: ours, f"{method}_paper": exact}


_CUT = Paper("Park et al. 2020", "2007.15651")

UNPAIRED_PRESETS = {
    **_unpaired_presets("cyclegan", CYCLEGAN_PRESET, Paper("Zhu et al. 2017", "1703.10593"), "CycleGAN"),
    **_unpaired_presets("cut", CUT_PRESET, _CUT, "CUT"),
    **_unpaired_presets("fastcut", FASTCUT_PRESET, _CUT, "FastCUT"),
}

STYLE_PRESET: dict[str, Any] = {
    "data.image_size": 64,
    "data.load_scale": 1.5,
    "training.steps": 3000,
    "training.batch_size": 4,
    "training.ema_decay": 0.99,
    "training.best_metric": "transfer_distance",
    "optimizer.generator_learning_rate": 1e-3,
    "optimizer.beta_1": 0.9,
    "optimizer.beta_2": 0.999,
    "optimizer.schedule": "cosine",
    "optimizer.warmup_steps": 50,
    "task.method": "style",
    "task.style_level": "relu3_1",
    "task.decoder_width": 32,
    "task.adversarial_weight": 0.0,
}
"""Huang & Belongie 2017, arXiv:1703.06868, at a size and rate for CPUs, with a level that trains fast."""

STYLE_PAPER_PRESET: dict[str, Any] = {
    **STYLE_PRESET,
    "data.image_size": 256,
    "data.load_scale": 2.0,
    "training.steps": 160_000,
    "training.batch_size": 8,
    "training.validate_every_steps": 5000,
    "optimizer.generator_learning_rate": 1e-4,
    "task.style_level": "relu4_1",
    "task.decoder_width": 64,
}
"""Section 6.2 of the same, for GPUs: crops of 256 px out of 512, 160,000 steps of 8."""

_ADAIN = Paper("Huang & Belongie 2017", "1703.06868")

_STYLE_PAPER = Preset(
    STYLE_PAPER_PRESET,
    summary="AdaIN as published at 256 px, for GPUs",
    paper=_ADAIN,
    deviations=(
        "VGG16 features (paper: VGG19)",
        "a further reconstruction loss of contents, task.reconstruction_weight=50 (paper: none)",
        "the averaged weights, training.ema_decay=0.99 (paper: the last ones)",
        "warm-up and a cosine of the rate (authors' code: it falls by 1 / (1 + 5e-5 step))",
    ),
)

STYLE_PRESETS = {
    "style": Preset(STYLE_PRESET, summary="any style, AdaIN at a size for CPUs", paper=_ADAIN, exact=_STYLE_PAPER),
    "style_paper": _STYLE_PAPER,
}

_COLOR = Preset({"task.method": "color"}, summary="exact color spaces, which need no training")

PRESETS = PAIRED_PRESETS | UNPAIRED_PRESETS | STYLE_PRESETS | {"color": _COLOR}
