"""Settings of the task `translate`: a dataclass for each method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tfgan_app.config.methods import MethodSection
from tfgan_app.config.typed_fields import bounded, choice, model_setting, own_objects, path_setting
from tfgan_app.registry import ADVERSARIAL_LOSSES, DISCRIMINATORS, GENERATORS

UNPAIRED = ("cyclegan", "cut", "fastcut")
"""The methods for unpaired sets of images."""

Method = Literal["paired", "cyclegan", "cut", "fastcut", "style", "color"]


@dataclass(frozen=True)
class TranslateConfig(MethodSection):
    """Settings of all methods.

    Attributes:
        method: Method of training; the images decide if it is not set.
        init_from: Run directory, `.keras` file or name of a shipped model whose networks the training starts from;
            the architectures must match.
        discriminator: PatchGAN by receptive field in pixels.
        discriminator_width: Channels after the first convolution.
        discriminator_normalization: Normalization between the convolutions.
        spectral_norm: Spectral normalization of the discriminator.
        adversarial_loss: Loss of generator and discriminator.
        adversarial_weight: Factor of the adversarial loss.
        real_label: Target of the discriminator for real images; below 1 is one-sided label smoothing.
        horizontal_flip: Mirror images left and right at random.
    """

    method: Method = "paired"
    init_from: str | None = model_setting(on_resume="may_change")
    discriminator: str = choice(DISCRIMINATORS, default="patchgan_34")
    discriminator_width: int = bounded(32, minimum=1)
    discriminator_normalization: Literal["none", "instance", "batch"] = "none"
    spectral_norm: bool = False
    adversarial_loss: str = choice(
        ADVERSARIAL_LOSSES, default="non_saturating", only=("non_saturating", "least_squares")
    )
    adversarial_weight: float = bounded(0.3, minimum=0.0)
    real_label: float = bounded(1.0, above=0.5, maximum=1.0)
    horizontal_flip: bool = True


@dataclass(frozen=True)
class TwoSidedConfig(TranslateConfig):
    """Settings of the methods that learn from images of A and of B.

    Attributes:
        direction: `a2b` learns B from A, `b2a` A from B.
        generator: Architecture of the generator.
        generator_width: Channels at full resolution; none is the architecture's default.
        generator_depth: Halvings of the resolution, for the U-Nets; none fits it to the method and the image.
        generator_normalization: `auto` is the architecture's default.
        lpips_weights: File of VGG16 and LPIPS weights (.npz); LPIPS is measured if it is given.
        vertical_flip: Mirror images up and down at random.
        max_scale: Scale images at random by up to this factor, either way; 1 is off.
        max_rotation_degrees: Rotate images at random by up to this angle; 0 is off.
        color_jitter: Strength of random changes of brightness, contrast and saturation; 0 is off.
    """

    direction: Literal["a2b", "b2a"] = "a2b"
    generator: str = choice(GENERATORS, default="residual_unet")
    generator_width: int | None = bounded(None, minimum=1)
    generator_depth: int | None = bounded(None, minimum=1, maximum=10)
    generator_normalization: Literal["auto", "none", "instance", "batch"] = "auto"
    lpips_weights: str | None = path_setting(on_resume="may_change")
    vertical_flip: bool = False
    max_scale: float = bounded(1.0, minimum=1.0, maximum=4.0)
    max_rotation_degrees: float = bounded(0.0, minimum=0.0, maximum=180.0)
    color_jitter: float = bounded(0.0, minimum=0.0, below=1.0)


@dataclass(frozen=True)
class PairedConfig(TwoSidedConfig, method="paired"):
    """Settings of pix2pix and its descendants, which learn from aligned pairs.

    Attributes:
        l1_weight: Factor of the mean absolute error.
        perceptual_weight: Factor of the VGG16 feature distance; 0 is off.
        perceptual_weights: File of VGG16 weights (.npz); none downloads those of keras.applications.
        metrics: Further metrics of images, each your own `tfgan_app.registry.Metric`, as `module:attribute`.
    """

    l1_weight: float = bounded(100.0, minimum=0.0)
    perceptual_weight: float = bounded(0.0, minimum=0.0)
    perceptual_weights: str | None = path_setting()
    metrics: tuple[str, ...] = own_objects(on_resume="may_change")


@dataclass(frozen=True)
class UnpairedConfig(TwoSidedConfig):
    """Settings of the methods that learn from unpaired sets of images.

    Attributes:
        features: Network whose features FID and KID compare: `vgg16`, `inception`, or `random` weights; `auto` is
            vgg16 if `feature_weights` is given, else random.
        feature_weights: File of VGG16 weights (.npz) for `features`.
    """

    features: Literal["auto", "vgg16", "inception", "random"] = "auto"
    feature_weights: str | None = path_setting(on_resume="may_change")


@dataclass(frozen=True)
class CycleGANConfig(UnpairedConfig, method="cyclegan"):
    """Settings of CycleGAN.

    Attributes:
        cycle_weight: Factor of the cycle consistency loss, a mean absolute error.
        identity_weight: Factor of the identity loss, the mean absolute error on targets used as inputs.
        pool_size: Generated images that each discriminator may be shown again; 0 is off.
    """

    method: Method = "cyclegan"
    cycle_weight: float = bounded(10.0, minimum=0.0)
    identity_weight: float = bounded(5.0, minimum=0.0)
    pool_size: int = bounded(50, minimum=0)


@dataclass(frozen=True)
class ContrastiveConfig(UnpairedConfig):
    """Settings of CUT and FastCUT.

    Attributes:
        nce_weight: Factor of the contrastive loss of input and output patches; none is the method's default.
        nce_identity_weight: Factor of the same loss on targets used as inputs; none is the method's default.
        nce_patches: Patches that are compared in each image and layer.
        nce_dim: Units of the perceptrons that embed patches.
        flip_equivariance: Contrast half of the inputs with the output of their mirror image; none is the method's
            default.
    """

    nce_weight: float | None = bounded(None, minimum=0.0)
    nce_identity_weight: float | None = bounded(None, minimum=0.0)
    nce_patches: int = bounded(256, minimum=2)
    nce_dim: int = bounded(256, minimum=1)
    flip_equivariance: bool | None = None


@dataclass(frozen=True)
class CutConfig(ContrastiveConfig, method="cut"):
    """Settings of CUT.

    Attributes:
        nce_identity_share: Share of the targets of a batch that are used as inputs.
    """

    method: Method = "cut"
    nce_identity_share: float = bounded(1.0, above=0.0, maximum=1.0)


@dataclass(frozen=True)
class FastCutConfig(ContrastiveConfig, method="fastcut"):
    """Settings of FastCUT, whose method defaults differ from those of CUT."""

    method: Method = "fastcut"
    nce_identity_share: ClassVar[float] = 1.0


@dataclass(frozen=True)
class StyleConfig(TranslateConfig, method="style"):
    """Settings of arbitrary style transfer (AdaIN).

    Attributes:
        perceptual_weights: File of VGG16 weights (.npz); none downloads those of keras.applications.
        styles: Source of the style images; none takes `data.source`.
        style_level: Features of VGG16 whose statistics are changed: `relu4_1` captures more of the style, `relu3_1`
            trains far sooner.
        content_weight: Factor of the distance of features from their targets.
        style_weight: Factor of the distance of their statistics from the style's.
        reconstruction_weight: Factor of the mean absolute error of contents decoded with unchanged statistics.
        decoder_width: Channels of the decoder at full resolution.
    """

    method: Method = "style"
    perceptual_weights: str | None = path_setting()
    styles: str | None = path_setting(on_resume="may_change")
    style_level: Literal["relu3_1", "relu4_1"] = "relu4_1"
    content_weight: float = bounded(1.0, minimum=0.0)
    style_weight: float = bounded(1.0, minimum=0.0)
    reconstruction_weight: float = bounded(50.0, minimum=0.0)
    decoder_width: int = bounded(64, minimum=2)


@dataclass(frozen=True)
class ColorConfig(TranslateConfig, method="color"):
    """Settings of the exact color spaces, which need no training."""

    method: Method = "color"
