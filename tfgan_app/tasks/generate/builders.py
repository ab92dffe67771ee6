"""Networks, losses and forward pass of `generate`, from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.augmentation import DISCRIMINATOR_AUGMENTATIONS
from tfgan_app.layers import ClassNames, LatentCodes, PromptTokens, ToUnitRange
from tfgan_app.losses import ADVERSARIAL_LOSSES, GRADIENT_PENALTIES, information_loss
from tfgan_app.networks import IMAGE_DISCRIMINATORS, NOISE_GENERATORS
from tfgan_app.networks.heads import grid_px
from tfgan_app.networks.stylegan2 import style_networks
from tfgan_app.networks.text_encoder import build_text_encoder, text_discriminator, text_generator, with_vectors
from tfgan_app.tasks.generate.config import GenerateConfig
from tfgan_app.tasks.generate.styles import build_regularizers, draw_mixed
from tfgan_app.tokens import Vocabulary
from tfgan_app.training.task import DiscriminatorInputs, GeneratorOutputs, Networks, Objective

PAPER_WIDTHS = {"generator": 256, "discriminator": 128}
"""Sizes of SNGAN's networks for 32 px, at every resolution."""

PUBLISHED = ("resnet", "stylegan2")
"""Families with networks of a published size."""

FEW_IMAGES = 10_000
"""Training images below which `auto` augments the discriminator's images."""


def check_settings(settings: GenerateConfig) -> None:
    """Checks settings; raises ValueError for those that contradict each other."""
    if settings.captions and settings.conditional:
        raise ValueError("`task.captions` and `task.conditional` are two conditions. Received both: leave one out.")
    codes = settings.categorical_codes + settings.continuous_codes
    if codes >= settings.latent_dim:
        raise ValueError(
            f"`task.latent_dim` must be larger than the {codes} codes in it. Received: {settings.latent_dim}."
        )
    loss = settings.adversarial_loss
    if settings.real_label != 1.0 and not ADVERSARIAL_LOSSES[loss].takes_label:
        known = ", ".join(name for name, row in ADVERSARIAL_LOSSES.items() if row.takes_label)
        raise ValueError(
            f"`task.real_label` other than 1 applies to the losses {known}. Received: {settings.real_label} for {loss}."
        )
    if settings.transformed_real_weight and settings.augmentation in ("auto", "none"):
        raise ValueError(
            "`task.transformed_real_weight` needs a transform: set `task.augmentation` to diffaugment or ada. "
            f"Received: {settings.augmentation}."
        )
    if settings.network_size == "paper" and not {*PUBLISHED} & {settings.architecture, settings.discriminator}:
        raise ValueError(
            f"`task.network_size=paper` is for `task.architecture={PUBLISHED[0]}` or {PUBLISHED[1]}, which have one "
            "published size. "
            f"Received: {settings.architecture}."
        )
    if loss == "wasserstein" and not (_penalties(settings) or settings.spectral_norm):
        raise ValueError(
            "`task.adversarial_loss=wasserstein` needs a Lipschitz bound on the discriminator: set "
            "`task.wgan_gp_weight=10` or `task.spectral_norm=true`. Received: neither."
        )


def build_objective(settings: GenerateConfig) -> Objective:
    """The losses and their weights."""

    def code_loss(outputs, codes):
        return information_loss(outputs, codes, categories=settings.categorical_codes)

    return Objective(
        adversarial_loss=ADVERSARIAL_LOSSES[settings.adversarial_loss],
        real_label=settings.real_label,
        penalties=_penalties(settings),
        penalty_every_steps=settings.penalty_every_steps,
        mismatch_weight=settings.mismatch_weight if settings.captions else 0.0,
        code_loss=code_loss if settings.codes else None,
        code_weight=settings.code_weight,
        regularizers=build_regularizers(settings, codes=build_latent_codes(settings) if settings.codes else None),
        monitored=("diversity",),
    )


def _penalties(settings: GenerateConfig) -> tuple:
    weights = {name: getattr(settings, f"{name}_weight") for name in GRADIENT_PENALTIES}
    return tuple((GRADIENT_PENALTIES[name], weight) for name, weight in weights.items() if weight)


def build_discriminator_inputs(settings: GenerateConfig, *, images: int) -> DiscriminatorInputs:
    """Preparation of the discriminator's images, for a number of training images."""
    name = settings.augmentation
    if name == "auto":
        name = "diffaugment" if images < FEW_IMAGES else "none"
    adapts = name == "ada" and not settings.transformed_real_weight
    probability = settings.augment_probability
    if probability is None:
        probability = 0.0 if adapts else 1.0
    return DiscriminatorInputs(
        augmentation=None if name == "none" else DISCRIMINATOR_AUGMENTATIONS[name](),
        probability=probability,
        target=settings.ada_target if adapts else None,
        ramp_images=settings.ada_ramp_images,
        transformed_real_weight=settings.transformed_real_weight,
        noise_sigma=settings.instance_noise,
        noise_steps=settings.instance_noise_steps,
    )


def build_networks(
    settings: GenerateConfig,
    *,
    size_px: int,
    channels: int,
    classes: int = 0,
    vocabulary: Vocabulary | None = None,
    own: Mapping[str, Callable[[], keras.Model]] | None = None,
) -> Networks:
    """Builds generator and discriminator under the current dtype policy.

    Args:
        settings: Settings of the task.
        size_px: Height and width of the images.
        channels: 1 or 3.
        classes: Number of classes of a conditional GAN; 0 for none.
        vocabulary: Vocabulary of the captions; None for none.
        own: Builders of a user's own `generator` or `discriminator`.
    """
    own = own or {}
    shape = {"size_px": size_px, "channels": channels}
    if vocabulary is not None:
        return _text_networks(settings, shape, vocabulary)
    shared = {**shape, "classes": classes}
    generator = own["generator"]() if "generator" in own else _build_generator(settings, shared)
    if settings.path_length_weight and style_networks(generator) is None:
        raise ValueError(
            "`task.path_length_weight` needs a generator with styles: set `task.architecture=stylegan2`. "
            f"Received: {settings.architecture}."
        )
    discriminator = own["discriminator"]() if "discriminator" in own else _build_discriminator(settings, shared)
    return Networks({"generator": generator}, {"discriminator": discriminator})


def _text_networks(settings: GenerateConfig, shape: dict[str, int], vocabulary: Vocabulary) -> Networks:
    """Networks whose condition is a text, each with an encoder of its own."""
    dim = settings.text_width
    encoders = [
        build_text_encoder(
            vocabulary_size=vocabulary.size, length=vocabulary.length, dim=dim, blocks=settings.text_blocks
        )
        for _ in range(2)
    ]
    shared = {**shape, "classes": dim}
    generator = _build_generator(settings, shared, latent_dim=settings.latent_dim + dim)
    discriminator = _build_discriminator(settings, shared)
    return Networks(
        {"generator": text_generator(with_vectors(generator), encoders[0], latent_dim=settings.latent_dim)},
        {"discriminator": text_discriminator(with_vectors(discriminator), encoders[1])},
    )


def _build_generator(settings: GenerateConfig, shared: dict[str, int], *, latent_dim: int | None = None) -> keras.Model:
    return NOISE_GENERATORS[settings.architecture](
        latent_dim=latent_dim or settings.latent_dim, **shared, **_generator_options(settings, shared["size_px"])
    )


def _build_discriminator(settings: GenerateConfig, shared: dict[str, int]) -> keras.Model:
    family = settings.architecture if settings.discriminator == "same" else settings.discriminator
    # Batch normalization would tie each image's gradient to the other images (Gulrajani et al. 2017, section 4),
    # and its gain would undo the bound of spectral normalization.
    bounded = _penalties(settings) or settings.spectral_norm
    options = {"normalization": "none"} if family == "dcgan" and bounded else {}
    return IMAGE_DISCRIMINATORS[family](
        codes=settings.codes,
        spectral_norm=settings.spectral_norm,
        **shared,
        **options,
        **_size(settings, family, "discriminator", size_px=shared["size_px"]),
    )


def forward(
    networks: Networks,
    batch: dict,
    training: bool,
    *,
    settings: GenerateConfig,
    codes: LatentCodes,
    conditional: bool,
    tokens: np.ndarray | None = None,
) -> GeneratorOutputs:
    """Draws an image for each real one, of the same class or caption if conditional.

    Args:
        networks: Result of `build_networks`.
        batch: `image`, float32 `[batch, size, size, channels]` in [-1, 1]; `latents`, float32 `[batch, latent_dim]`;
            and, if conditional, `label`, int32 `[batch]`.
        training: Whether layers such as dropout are active.
        settings: Settings of the task.
        codes: Result of `build_latent_codes`.
        conditional: Whether the networks take labels, or the tokens of captions.
        tokens: Tokens of the caption of each label, int32 `[captions, length]`; None if they take the labels.
    """
    condition = batch["label"] if conditional else None
    if conditional and tokens is not None:
        condition = tf.gather(tf.constant(tokens), condition)
    latents = codes(batch["latents"])
    inputs = latents if condition is None else [latents, condition]
    generator = networks.generators["generator"]
    mixed = training and not settings.codes and settings.style_mixing > 0
    fake = draw_mixed(generator, latents, condition) if mixed else generator(inputs, training=training)
    return GeneratorOutputs(
        {"discriminator": (batch["image"], fake, condition)},
        codes=latents[:, : settings.codes],
        monitored={"diversity": _relative_spread(fake, batch["image"])},
        output=fake,
    )


def _relative_spread(fake: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """Spread of the images of a batch relative to that of real ones; 1 for a single image."""
    spreads = [tf.reduce_mean(tf.math.reduce_std(tf.cast(images, tf.float32), axis=0)) for images in (fake, real)]
    return tf.where(tf.shape(fake)[0] > 1, spreads[0] / (spreads[1] + 1e-6), 1.0)


def _generator_options(settings: GenerateConfig, size_px: int) -> dict[str, Any]:
    options: dict[str, Any] = _size(settings, settings.architecture, "generator", size_px=size_px)
    if settings.architecture == "stylegan2":
        options |= {"mapping_layers": settings.mapping_layers, "mixing": settings.style_mixing}
    return options


def _size(settings: GenerateConfig, family: str, side: str, *, size_px: int) -> dict[str, int]:
    """Widths and depths of a network that differ from the architecture's defaults."""
    width = getattr(settings, f"{side}_width")
    if settings.network_size == "light" or family not in PUBLISHED:
        return {} if width is None else {"width": width}
    if family == "stylegan2":
        return {"width": width or min(512, 2**15 // grid_px(size_px)), "max_width": max(width or 0, 512)}
    width = width or PAPER_WIDTHS[side]
    blocks = {"halvings": 2, "plain_blocks": 2} if side == "discriminator" else {}
    return {"width": width, "max_width": width, **blocks}


def build_latent_codes(settings: GenerateConfig) -> LatentCodes:
    """Builds the layer that turns the first latents into codes."""
    return LatentCodes(settings.categorical_codes, settings.continuous_codes, dtype="float32", name="codes")


def build_inference_model(
    generator: keras.Model,
    settings: GenerateConfig,
    *,
    class_names: tuple[str, ...] = (),
    vocabulary: Vocabulary | None = None,
) -> keras.Model:
    """The generator from standard normal `latents` (and `labels` or `tokens`) to images in [0, 1]; shares its weights.

    Args:
        generator: Generator of `build_networks`.
        settings: Settings of the task.
        class_names: Names of the labels; empty for a generator without labels.
        vocabulary: Vocabulary of the tokens; None for a generator without text.
    """
    latents = keras.Input((settings.latent_dim,), name="latents")
    codes = build_latent_codes(settings)(latents) if settings.codes else latents
    if class_names:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        images = generator([codes, ClassNames(list(class_names), name="class_names")(labels)])
    elif vocabulary is not None:
        tokens = keras.Input((vocabulary.length,), dtype="int32", name="tokens")
        inputs = [latents, tokens]
        images = generator([codes, PromptTokens(vocabulary.to_config(), name="prompt_tokens")(tokens)])
    else:
        inputs, images = latents, generator(codes)
    return keras.Model(inputs, ToUnitRange(name="to_unit_range")(images), name="generate")
