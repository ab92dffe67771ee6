"""Settings and named recipes of the task `generate`."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from tfgan_app.tasks.loss_names import AdversarialLossName
from tfgan_app.typed_fields import bounded, model_setting, path_setting

Architecture = Literal["mlp", "dcgan", "resnet", "r3gan"]


@dataclasses.dataclass(frozen=True)
class GenerateConfig:
    """Settings of `generate`.

    Attributes:
        init_from: run directory, `.keras` file or name of a shipped model whose networks the training starts from;
            they must be alike.
        architecture: family of the generator and the discriminator.
        discriminator: family of the discriminator where it is to be another one.
        generator_width: channels of the generator; none is the architecture's own.
        discriminator_width: channels of the discriminator; none is the architecture's own.
        latent_dim: size of the latent vector, codes included.
        conditional: learn each class by itself, from class folders or labelled data.
        categorical_codes: size of InfoGAN's categorical code; 0 for none.
        continuous_codes: number of InfoGAN's continuous codes.
        code_weight: factor of InfoGAN's mutual-information loss.
        colours: `gray` or `rgb` pictures; `auto` is gray where every training picture is.
        horizontal_flip: mirror training pictures left and right at random.
        adversarial_loss: what the two players play for.
        real_label: target of the discriminator for real pictures; below 1 is one-sided label smoothing.
        spectral_norm: spectral normalisation of the discriminator.
        r1_weight: factor (gamma) of the zero-centred gradient penalty on real pictures.
        r2_weight: factor (gamma) of the same on generated pictures.
        wgan_gp_weight: factor (lambda) of the one-centred gradient penalty between them.
        penalty_every_steps: penalties are computed in every so many steps, with as many times the weight.
        augmentation: of what the discriminator sees, for small data sets: `diffaugment` always, `ada` as much
            as keeps the discriminator from memorising; `auto` is diffaugment below 10,000 training pictures.
        augment_probability: of each transform, at the start; none is 1, and 0 where `ada` adapts it.
        ada_target: where `ada` holds the share of real pictures judged right, as `2 * share - 1`.
        ada_ramp_images: pictures over which `ada` may move the probability from 0 to 1 (the paper, whose trainings
            see 25 million: 500,000).
        transformed_real_weight: above 0, the discriminator sees pictures as they are, and augmented real ones are
            a further term of this weight that it has to judge real.
        instance_noise: standard deviation of noise on what the discriminator sees (pictures are in [-1, 1]).
        instance_noise_steps: steps over which it fades to nothing; 0 keeps it.
        features: network whose features FID and the other metrics compare: a `classifier` trained on the data's
            own classes, `vgg16`, `inception`, or `random` weights; `auto` is the first of classifier, vgg16 (where
            `feature_weights` is given) and random that there is.
        feature_weights: file of VGG16 weights (.npz).
        max_generated_pictures: at most this many pictures are generated for the metrics.
    """

    init_from: str | None = model_setting()
    architecture: Architecture = "dcgan"
    discriminator: Literal["same", "mlp", "dcgan", "resnet", "r3gan"] = "same"
    generator_width: int | None = bounded(None, minimum=1)
    discriminator_width: int | None = bounded(None, minimum=1)
    latent_dim: int = bounded(64, minimum=1, maximum=4096)
    conditional: bool = False
    categorical_codes: int = bounded(0, minimum=0)
    continuous_codes: int = bounded(0, minimum=0)
    code_weight: float = bounded(1.0, minimum=0.0)
    colours: Literal["auto", "gray", "rgb"] = "auto"
    horizontal_flip: bool = False
    adversarial_loss: AdversarialLossName = "relativistic"
    real_label: float = bounded(1.0, above=0.5, maximum=1.0)
    spectral_norm: bool = False
    r1_weight: float = bounded(0.0, minimum=0.0)
    r2_weight: float = bounded(0.0, minimum=0.0)
    wgan_gp_weight: float = bounded(0.0, minimum=0.0)
    penalty_every_steps: int = bounded(1, minimum=1)
    augmentation: Literal["auto", "none", "diffaugment", "ada"] = "auto"
    augment_probability: float | None = bounded(None, minimum=0.0, maximum=1.0)
    ada_target: float = bounded(0.6, above=-1.0, below=1.0)
    ada_ramp_images: int = bounded(100_000, minimum=1)
    transformed_real_weight: float = bounded(0.0, minimum=0.0)
    instance_noise: float = bounded(0.0, minimum=0.0)
    instance_noise_steps: int = bounded(0, minimum=0)
    features: Literal["auto", "classifier", "vgg16", "inception", "random"] = "auto"
    feature_weights: str | None = path_setting()
    max_generated_pictures: int = bounded(10_000, minimum=10)

    @property
    def codes(self) -> int:
        """Numbers that InfoGAN's head gives: logits of the category, and the mean of each continuous code."""
        return self.categorical_codes + self.continuous_codes


DEFAULT_PRESET: dict[str, Any] = {
    "data.image_size": 28,
    "data.load_scale": 1.0,
    "data.max_val_pictures": 2000,
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
"""What measured best per minute on two CPU cores, on Fashion-MNIST's training pictures."""

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

PRESETS = {"default": DEFAULT_PRESET, "r3gan": R3GAN_PRESET, "wgan_gp": WGAN_GP_PRESET, "sngan": SNGAN_PRESET}
