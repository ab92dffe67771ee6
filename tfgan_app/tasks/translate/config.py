"""Settings and named recipes of the task `translate`."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from tfgan_app.registry import ADVERSARIAL_LOSSES, DISCRIMINATORS, GENERATORS
from tfgan_app.tasks.preset import Paper, Preset
from tfgan_app.typed_fields import bounded, choice, model_setting, own_objects, path_setting


@dataclasses.dataclass(frozen=True)
class TranslateConfig:
    """Settings of `translate`.

    Attributes:
        method: how it is learned; what the pictures are for where it is not set.
        init_from: run directory, `.keras` file or name of a shipped model whose networks the training starts from;
            they must be alike.
        direction: `a2b` learns B from A, `b2a` A from B.
        generator: architecture of the generator.
        generator_width: channels at full resolution; none is the architecture's own.
        generator_depth: halvings of the resolution, for the U-Nets; none fits it to the method and the picture.
        generator_normalization: `auto` is the architecture's own choice.
        discriminator: PatchGAN by receptive field in pixels.
        discriminator_width: channels after the first convolution.
        discriminator_normalization: normalisation between the convolutions.
        spectral_norm: spectral normalisation of the discriminator.
        adversarial_loss: what the two players play for.
        adversarial_weight: factor of the adversarial loss.
        l1_weight: factor of the mean absolute error.
        perceptual_weight: factor of the VGG16 feature distance; 0 leaves it out.
        perceptual_weights: file of VGG16 weights (.npz); none downloads those of keras.applications.
        lpips_weights: file of VGG16 and LPIPS weights (.npz); where it is given, LPIPS is measured too.
        metrics: further metrics of images, each a `tfgan_app.registry.Metric` of your own, as `module:attribute`.
        real_label: target of the discriminator for real pictures; below 1 is one-sided label smoothing.
        horizontal_flip: mirror pairs left and right at random.
        vertical_flip: mirror pairs up and down at random.
        max_scale: scale pairs at random by up to this factor, either way; 1 is off.
        max_rotation_degrees: rotate pairs at random by up to this angle; 0 is off.
        colour_jitter: strength of random changes of brightness, contrast and saturation; 0 is off.
        cycle_weight: factor of the mean absolute error after there and back (`cyclegan`).
        identity_weight: factor of the mean absolute error of a target taken for an input (`cyclegan`).
        pool_size: generated pictures that each discriminator may be shown again (`cyclegan`); 0 is off.
        nce_weight: factor of the contrast of input and output patches (`cut`, `fastcut`); none is the method's own.
        nce_identity_weight: factor of the same of a target taken for an input; none is the method's own.
        nce_patches: patches that are compared in each picture and layer.
        nce_identity_share: share of the targets of a batch that are taken for inputs.
        nce_dim: units of the perceptrons that patches are compared by.
        flip_equivariance: contrast half of the inputs with the output of their mirror image; none is the method's own.
        features: network whose features FID and KID of unpaired methods compare: `vgg16`, `inception`, or `random`
            weights; `auto` is vgg16 where `feature_weights` is given, else random.
        feature_weights: file of VGG16 weights (.npz) for `features`.
        styles: source of the pictures whose style is taken (`style`); none takes those of `data.source`.
        style_level: features of VGG16 that are given another style: `relu4_1` has seen more of it, `relu3_1` is learned
            to be drawn from far sooner (`style`).
        content_weight: factor of the distance of features from those that were aimed at (`style`).
        style_weight: factor of the distance of their statistics from the style's (`style`).
        reconstruction_weight: factor of the mean absolute error of contents that are decoded as they are (`style`).
        decoder_width: channels of the decoder at full resolution (`style`).
    """

    method: Literal["paired", "cyclegan", "cut", "fastcut", "style", "colour"] = "paired"
    init_from: str | None = model_setting()
    direction: Literal["a2b", "b2a"] = "a2b"
    generator: str = choice(GENERATORS, default="residual_unet")
    generator_width: int | None = bounded(None, minimum=1)
    generator_depth: int | None = bounded(None, minimum=1, maximum=10)
    generator_normalization: Literal["auto", "none", "instance", "batch"] = "auto"
    discriminator: str = choice(DISCRIMINATORS, default="patchgan_34")
    discriminator_width: int = bounded(32, minimum=1)
    discriminator_normalization: Literal["none", "instance", "batch"] = "none"
    spectral_norm: bool = False
    adversarial_loss: str = choice(
        ADVERSARIAL_LOSSES, default="non_saturating", only=("non_saturating", "least_squares")
    )
    adversarial_weight: float = bounded(0.3, minimum=0.0)
    l1_weight: float = bounded(100.0, minimum=0.0)
    perceptual_weight: float = bounded(0.0, minimum=0.0)
    perceptual_weights: str | None = path_setting()
    lpips_weights: str | None = path_setting()
    metrics: tuple[str, ...] = own_objects()
    real_label: float = bounded(1.0, above=0.5, maximum=1.0)
    horizontal_flip: bool = True
    vertical_flip: bool = False
    max_scale: float = bounded(1.0, minimum=1.0, maximum=4.0)
    max_rotation_degrees: float = bounded(0.0, minimum=0.0, maximum=180.0)
    colour_jitter: float = bounded(0.0, minimum=0.0, below=1.0)
    # Of the unpaired methods.
    cycle_weight: float = bounded(10.0, minimum=0.0)
    identity_weight: float = bounded(5.0, minimum=0.0)
    pool_size: int = bounded(50, minimum=0)
    nce_weight: float | None = bounded(None, minimum=0.0)
    nce_identity_weight: float | None = bounded(None, minimum=0.0)
    nce_identity_share: float = bounded(1.0, above=0.0, maximum=1.0)
    nce_patches: int = bounded(256, minimum=2)
    nce_dim: int = bounded(256, minimum=1)
    flip_equivariance: bool | None = None
    features: Literal["auto", "vgg16", "inception", "random"] = "auto"
    feature_weights: str | None = path_setting()
    # Of the method `style`.
    styles: str | None = path_setting()
    style_level: Literal["relu3_1", "relu4_1"] = "relu4_1"
    content_weight: float = bounded(1.0, minimum=0.0)
    style_weight: float = bounded(1.0, minimum=0.0)
    reconstruction_weight: float = bounded(50.0, minimum=0.0)
    decoder_width: int = bounded(64, minimum=2)


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
"""What trained best per minute on two CPU cores, on training pairs that were set aside for choosing it."""

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

The generator starts as a copy of its input, where an identity loss would hold it: seen over 500 steps."""

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
            "100,000 steps, whatever the number of pairs (paper: 200 epochs)",
        ),
    ),
}

_UNPAIRED_DEVIATIONS = (
    "200,000 steps, whatever the number of images (authors' code: 200 epochs, of CUT 400)",
    "the rate falls to 2 % in the second half (authors' code: to 0)",
)


def _unpaired_presets(method: str, values: dict[str, Any], paper: Paper, name: str) -> dict[str, Preset]:
    """The recipe of a method at a size for CPUs, and as published."""
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
"""Huang & Belongie 2017, arXiv:1703.06868, at a size and rate for CPUs, from a level that is soon drawn from."""

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
"""Its section 6.2, for GPUs: crops of 256 px out of 512, 160,000 steps of 8."""

_ADAIN = Paper("Huang & Belongie 2017", "1703.06868")

_STYLE_PAPER = Preset(
    STYLE_PAPER_PRESET,
    summary="AdaIN as published at 256 px, for GPUs",
    paper=_ADAIN,
    deviations=(
        "VGG16 features (paper: VGG19)",
        "a further loss of contents that are decoded as they are, task.reconstruction_weight=50 (paper: none)",
        "the averaged weights, training.ema_decay=0.99 (paper: the last ones)",
        "warm-up and a cosine of the rate (authors' code: it falls by 1 / (1 + 5e-5 step))",
    ),
)

STYLE_PRESETS = {
    "style": Preset(STYLE_PRESET, summary="any style, AdaIN at a size for CPUs", paper=_ADAIN, exact=_STYLE_PAPER),
    "style_paper": _STYLE_PAPER,
}

_COLOUR = Preset({"task.method": "colour"}, summary="exact color spaces, which need no training")

PRESETS = PAIRED_PRESETS | UNPAIRED_PRESETS | STYLE_PRESETS | {"colour": _COLOUR}
