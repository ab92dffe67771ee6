"""Settings and named recipes of the task `generate`."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from tfgan_app.config.typed_fields import bounded, choice, model_setting, path_setting
from tfgan_app.registry import (
    ADVERSARIAL_LOSSES,
    DISCRIMINATOR_AUGMENTATIONS,
    IMAGE_DISCRIMINATORS,
    NOISE_GENERATORS,
)
from tfgan_app.tasks.preset import Paper, Preset


@dataclasses.dataclass(frozen=True)
class GenerateConfig:
    """Settings of `generate`.

    Attributes:
        init_from: Run directory, `.keras` file or name of a shipped model whose networks the training starts from;
            the architectures must match.
        architecture: Family of the generator and the discriminator.
        discriminator: Family of the discriminator, if different.
        network_size: Size of `resnet` and `stylegan2`: `light` for CPUs, or `paper` as published (`resnet`: for 32 px,
            as wide at every resolution).
        generator_width: Channels of the generator; none is the architecture's default.
        discriminator_width: Channels of the discriminator; none is the architecture's default.
        latent_dim: Size of the latent vector, codes included.
        mapping_layers: Layers of the mapping network of `stylegan2`.
        style_mixing: Share of the images of a training for which `stylegan2` mixes two styles.
        conditional: Learn to generate each class, from class folders or labeled data.
        captions: Learn to draw what a text describes, from a folder of images with captions.
        caption_tokens: Tokens of a caption; longer ones are cut.
        vocabulary_size: Maximum number of token ids, learned from the training captions.
        text_width: Channels of the text encoders.
        text_blocks: Transformer blocks of the text encoders.
        mismatch_weight: Weight of real images with another image's caption, which the discriminator has to tell from
            those with their own.
        categorical_codes: Size of InfoGAN's categorical code; 0 for none.
        continuous_codes: Number of InfoGAN's continuous codes.
        code_weight: Factor of InfoGAN's mutual-information loss.
        colors: `gray` or `rgb` images; `auto` is gray if every training image is.
        horizontal_flip: Mirror training images left and right at random.
        adversarial_loss: Adversarial loss of generator and discriminator.
        real_label: Target of the discriminator for real images; below 1 is one-sided label smoothing.
        spectral_norm: Spectral normalization of the discriminator.
        r1_weight: Factor (gamma) of the zero-centered gradient penalty on real images.
        r2_weight: Factor (gamma) of the same on generated images.
        wgan_gp_weight: Factor (lambda) of the one-centered gradient penalty between them.
        penalty_every_steps: Interval in steps of the penalties, by which their weights are multiplied.
        orthogonal_weight: Factor of the orthogonal regularization of the generator.
        path_length_weight: Factor of the path-length regularization of `stylegan2`.
        path_length_every_steps: Its interval in steps, by which it is multiplied.
        augmentation: Augmentation of the discriminator's images, for small data sets: `diffaugment` always, `ada` as
            much as keeps the discriminator from memorizing; `auto` is diffaugment below 10,000 training images.
        augment_probability: Initial probability of each transform; none is 1, or 0 if `ada` adapts it.
        ada_target: Target of `ada` for `2 * share - 1`, with the share of real images classified correctly.
        ada_ramp_images: Images over which `ada` may move the probability from 0 to 1 (the paper, whose trainings
            see 25 million: 500,000).
        transformed_real_weight: Above 0, the discriminator sees images as they are, and augmented real ones are
            a further term of this weight that it has to classify as real.
        instance_noise: Standard deviation of noise on the discriminator's images (in [-1, 1]).
        instance_noise_steps: Steps over which it fades to zero; 0 keeps it.
        features: Network whose features FID and the other metrics compare: a `classifier` trained on the data's
            own classes, `vgg16`, `inception`, or `random` weights; `auto` is the first of classifier, vgg16 (where
            `feature_weights` is given) and random that is available.
        feature_weights: File of VGG16 weights (.npz).
        max_generated_images: Maximum images generated for the metrics.
    """

    init_from: str | None = model_setting(on_resume="may_change")
    architecture: str = choice(NOISE_GENERATORS, default="dcgan")
    discriminator: str = choice(IMAGE_DISCRIMINATORS, default="same", also=("same",))
    network_size: Literal["light", "paper"] = "light"
    generator_width: int | None = bounded(None, minimum=1)
    discriminator_width: int | None = bounded(None, minimum=1)
    latent_dim: int = bounded(64, minimum=1, maximum=4096)
    mapping_layers: int = bounded(2, minimum=1, maximum=32)
    style_mixing: float = bounded(0.9, minimum=0.0, maximum=1.0)
    conditional: bool = False
    captions: bool = False
    caption_tokens: int = bounded(16, minimum=1, maximum=256)
    vocabulary_size: int = bounded(512, minimum=16, maximum=8192)
    text_width: int = bounded(64, minimum=4, maximum=1024)
    text_blocks: int = bounded(2, minimum=0, maximum=24)
    mismatch_weight: float = bounded(1.0, minimum=0.0)
    categorical_codes: int = bounded(0, minimum=0)
    continuous_codes: int = bounded(0, minimum=0)
    code_weight: float = bounded(1.0, minimum=0.0)
    colors: Literal["auto", "gray", "rgb"] = "auto"
    horizontal_flip: bool = False
    adversarial_loss: str = choice(ADVERSARIAL_LOSSES, default="relativistic")
    real_label: float = bounded(1.0, above=0.5, maximum=1.0)
    spectral_norm: bool = False
    r1_weight: float = bounded(0.0, minimum=0.0)
    r2_weight: float = bounded(0.0, minimum=0.0)
    wgan_gp_weight: float = bounded(0.0, minimum=0.0)
    penalty_every_steps: int = bounded(1, minimum=1)
    orthogonal_weight: float = bounded(0.0, minimum=0.0)
    path_length_weight: float = bounded(0.0, minimum=0.0)
    path_length_every_steps: int = bounded(4, minimum=1)
    augmentation: str = choice(DISCRIMINATOR_AUGMENTATIONS, default="auto", also=("auto", "none"))
    augment_probability: float | None = bounded(None, minimum=0.0, maximum=1.0)
    ada_target: float = bounded(0.6, above=-1.0, below=1.0)
    ada_ramp_images: int = bounded(100_000, minimum=1)
    transformed_real_weight: float = bounded(0.0, minimum=0.0)
    instance_noise: float = bounded(0.0, minimum=0.0)
    instance_noise_steps: int = bounded(0, minimum=0)
    features: Literal["auto", "classifier", "vgg16", "inception", "random"] = "auto"
    feature_weights: str | None = path_setting(on_resume="may_change")
    max_generated_images: int = bounded(10_000, minimum=10)

    @property
    def codes(self) -> int:
        """Number of outputs of InfoGAN's head: logits of the category, and the mean of each continuous code."""
        return self.categorical_codes + self.continuous_codes


DEFAULT_PRESET: dict[str, Any] = {
    "data.image_size": 28,
    "data.load_scale": 1.0,
    "data.max_val_images": 2000,
    "training.steps": 6000,
    "training.batch_size": 64,
    "training.ema_decay": 0.998,
    "training.sample_every_steps": 500,
    "training.validate_every_steps": 1000,
    "training.checkpoint_every_steps": 1000,
    "training.best_metric": "fid",
    "optimizer.generator_learning_rate": 2e-3,
    "optimizer.discriminator_learning_rate": 2e-3,
    "optimizer.beta_1": 0.0,
    "optimizer.beta_2": 0.99,
    "optimizer.schedule": "cosine",
    "optimizer.warmup_steps": 100,
    "task.r1_weight": 1.0,
    "task.penalty_every_steps": 4,
}
"""Best result per minute on two CPU cores, on Fashion-MNIST's training images."""

TEXT_PRESET: dict[str, Any] = {
    **DEFAULT_PRESET,
    "data.image_size": 32,
    "training.ema_decay": 0.999,
    "task.captions": True,
    "task.latent_dim": 32,
}
"""The default recipe with captions; its sample are the bundled emoji and their names."""

R3GAN_PRESET: dict[str, Any] = {
    **DEFAULT_PRESET,
    "training.ema_decay": 0.999,
    "optimizer.generator_learning_rate": 2e-4,
    "optimizer.discriminator_learning_rate": 2e-4,
    "task.architecture": "r3gan",
    "task.adversarial_loss": "relativistic",
    "task.r1_weight": 1.0,
    "task.r2_weight": 1.0,
    "task.penalty_every_steps": 1,
}
"""The modern baseline, for GPUs and long trainings: Huang et al. 2024, arXiv:2501.05441, sized by the widths."""

WGAN_GP_PRESET: dict[str, Any] = {
    **DEFAULT_PRESET,
    "training.discriminator_steps": 5,
    "training.ema_decay": 0.999,
    "optimizer.generator_learning_rate": 1e-4,
    "optimizer.discriminator_learning_rate": 1e-4,
    "optimizer.beta_2": 0.9,
    "optimizer.schedule": "linear",
    "task.architecture": "resnet",
    "task.adversarial_loss": "wasserstein",
    "task.r1_weight": 0.0,
    "task.wgan_gp_weight": 10.0,
    "task.penalty_every_steps": 1,
}
"""Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1 and section 5.3, sized by the widths."""

SNGAN_PRESET: dict[str, Any] = {
    **DEFAULT_PRESET,
    "training.discriminator_steps": 5,
    "training.ema_decay": 0.999,
    "optimizer.generator_learning_rate": 2e-4,
    "optimizer.discriminator_learning_rate": 2e-4,
    "optimizer.beta_2": 0.9,
    "optimizer.schedule": "linear",
    "task.architecture": "resnet",
    "task.adversarial_loss": "hinge",
    "task.spectral_norm": True,
    "task.r1_weight": 0.0,
}
"""Miyato et al. 2018, arXiv:1802.05957, section 4 with the hinge loss, sized by the widths."""

_RESIDUAL_PAPER: dict[str, Any] = {
    "data.image_size": 32,
    "training.batch_size": 64,
    "training.ema_decay": 0.0,
    "training.validate_every_steps": 5000,
    "optimizer.generator_learning_rate": 2e-4,
    "optimizer.discriminator_learning_rate": 2e-4,
    "optimizer.warmup_steps": 0,
    "task.latent_dim": 128,
    "task.network_size": "paper",
    "task.augmentation": "none",
}

_RESIDUAL_DEVIATIONS = (
    "the generator's batch is the discriminator's, 64 (authors' code: 128)",
    "the rate is constant for half of the steps and then falls to 2 % (authors' code: it falls from the start, to 0)",
)

WGAN_GP_PAPER_PRESET: dict[str, Any] = {
    **WGAN_GP_PRESET,
    **_RESIDUAL_PAPER,
    "training.steps": 100_000,
    "task.generator_width": 128,
}
"""Gulrajani et al. 2017, section 5.3, and the authors' gan_cifar_resnet.py, without classes."""

SNGAN_PAPER_PRESET: dict[str, Any] = {**SNGAN_PRESET, **_RESIDUAL_PAPER, "training.steps": 50_000}
"""Miyato et al. 2018, appendix B, table 4, and the authors' sn_cifar10_unconditional.yml."""

STYLEGAN2_PRESET: dict[str, Any] = {
    **DEFAULT_PRESET,
    "task.architecture": "stylegan2",
    "task.adversarial_loss": "non_saturating",
    "task.r1_weight": 1.0,
    "task.penalty_every_steps": 16,
    "task.path_length_weight": 2.0,
}
"""Karras et al. 2020, arXiv:1912.04958, sized by the widths."""

STYLEGAN2_PAPER_PRESET: dict[str, Any] = {
    **STYLEGAN2_PRESET,
    "data.image_size": 1024,
    "training.steps": 780_000,
    "training.batch_size": 32,
    "training.ema_decay": 0.998,
    "training.sample_every_steps": 5000,
    "training.validate_every_steps": 20_000,
    "training.checkpoint_every_steps": 5000,
    "optimizer.schedule": "constant",
    "optimizer.warmup_steps": 0,
    "task.network_size": "paper",
    "task.latent_dim": 512,
    "task.mapping_layers": 8,
    "task.horizontal_flip": True,
    "task.augmentation": "none",
    "task.r1_weight": 10.0,
}
"""Karras et al. 2020, configuration F of the authors' code for FFHQ."""

BIGGAN_PRESET: dict[str, Any] = {
    **DEFAULT_PRESET,
    "training.discriminator_steps": 2,
    "training.batch_size": 32,
    "training.ema_decay": 0.999,
    "optimizer.generator_learning_rate": 2e-4,
    "optimizer.discriminator_learning_rate": 4e-4,
    "optimizer.beta_2": 0.999,
    "optimizer.schedule": "linear",
    "task.architecture": "biggan",
    "task.adversarial_loss": "hinge",
    "task.spectral_norm": True,
    "task.orthogonal_weight": 1e-4,
    "task.r1_weight": 0.0,
}
"""Brock et al. 2019, arXiv:1809.11096, sized by the widths; with classes by `task.conditional`."""

BIGGAN_DEVIATIONS = (
    "28 px and narrow networks (paper: 128 px and more, 96 channels at full resolution)",
    "no classes unless `task.conditional=true` is set, 64 latents (paper: 1,000 classes, 120 latents)",
    "a batch of 32 and 6,000 steps (paper: 2,048), with rates of 2e-4 and 4e-4 that fall (paper: 5e-5 and 2e-4)",
    "DiffAugment for few images, and averaged weights with a decay of 0.999 (paper: 0.9999)",
)

R3GAN_DEVIATIONS = (
    "blocks as wide inside as outside, in one group (paper: inverted bottlenecks of grouped convolutions)",
    "one block at each resolution (paper: two); widths double with each halving (paper: equal)",
    "bilinear interpolation (paper: the filter 1/4, 1/2, 1/4)",
    "constant gamma and Adam moments, 2 % of the rate at the end (paper: all three follow cosines of their own)",
    "a batch of 64 and 6,000 steps (paper: 512, and 200,000,000 images), and DiffAugment for few images (paper: ADA)",
)
_R3GAN = Paper("Huang et al. 2024", "2501.05441")
_WGAN_GP = Paper("Gulrajani et al. 2017", "1704.00028")
_STYLEGAN2 = Paper("Karras et al. 2020", "1912.04958")
_BIGGAN = Paper("Brock et al. 2019", "1809.11096")
_SNGAN = Paper("Miyato et al. 2018", "1802.05957")

_WGAN_GP_PAPER = Preset(
    WGAN_GP_PAPER_PRESET,
    summary="WGAN-GP as published for CIFAR-10, for GPUs",
    paper=_WGAN_GP,
    deviations=(*_RESIDUAL_DEVIATIONS, "features are summed over pixels (authors' code: averaged)"),
)
_SNGAN_PAPER = Preset(
    SNGAN_PAPER_PRESET,
    summary="SNGAN as published for CIFAR-10, for GPUs",
    paper=_SNGAN,
    deviations=_RESIDUAL_DEVIATIONS,
)

_STYLEGAN2_PAPER = Preset(
    STYLEGAN2_PAPER_PRESET,
    summary="StyleGAN2 as published for faces of 1024 px, for GPUs",
    paper=_STYLEGAN2,
    deviations=(
        "the rates and moments of Adam are not lowered for lazy regularization, which is added to the other losses",
        "path lengths are of images of one style",
    ),
)

R3GAN = Preset(R3GAN_PRESET, summary="R3GAN's losses and networks", paper=_R3GAN, deviations=R3GAN_DEVIATIONS)

PRESETS = {
    "default": Preset(DEFAULT_PRESET, summary="best per minute on two CPU cores"),
    "text": Preset(
        TEXT_PRESET,
        summary="images of captions",
        paper=Paper("Reed et al. 2016", "1605.05396"),
        deviations=(
            "a Transformer trained with the GAN (paper: a recurrent encoder trained before)",
            "relativistic loss, R1, projection and DiffAugment (paper: cross-entropy, concatenation)",
            "no interpolation between texts (paper: GAN-INT)",
        ),
    ),
    "r3gan": R3GAN,
    "stylegan2": Preset(
        STYLEGAN2_PRESET, summary="StyleGAN2 at a size for CPUs", paper=_STYLEGAN2, exact=_STYLEGAN2_PAPER
    ),
    "stylegan2_paper": _STYLEGAN2_PAPER,
    "biggan": Preset(BIGGAN_PRESET, summary="BigGAN at a size for CPUs", paper=_BIGGAN, deviations=BIGGAN_DEVIATIONS),
    "wgan_gp": Preset(WGAN_GP_PRESET, summary="WGAN-GP at a size for CPUs", paper=_WGAN_GP, exact=_WGAN_GP_PAPER),
    "wgan_gp_paper": _WGAN_GP_PAPER,
    "sngan": Preset(SNGAN_PRESET, summary="SNGAN at a size for CPUs", paper=_SNGAN, exact=_SNGAN_PAPER),
    "sngan_paper": _SNGAN_PAPER,
}
