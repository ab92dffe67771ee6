"""Losses, networks, initial weights and orientations of `upscale` and `restore`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgan_app.config import RunConfig
from tfgan_app.layers import provenance_of
from tfgan_app.losses import (
    ADVERSARIAL_LOSSES,
    REAL_ESRGAN_LEVELS,
    RECONSTRUCTION_LOSSES,
    build_perceptual_loss,
    sub_pixel_bias_loss,
)
from tfgan_app.networks import CROP_DISCRIMINATORS, INPAINTERS, RESTORERS, UPSCALERS
from tfgan_app.registry import is_own
from tfgan_app.tasks.restoration.config import ImageTaskConfig
from tfgan_app.tasks.starting import (
    GENERATOR,
    check_same_activations,
    difference,
    inner_generator,
    load_origin,
    take_discriminators,
)
from tfgan_app.training.task import UNIT_RANGE, GeneratorOutputs, Networks, Objective

SUB_PIXEL_BIAS = "sub_pixel_bias"


def build_objective(settings: ImageTaskConfig) -> Objective:
    """The losses of the run's stage.

    Raises:
        ValueError: If the settings contradict each other.
    """
    weights = {settings.pixel_loss: settings.pixel_weight}
    if settings.perceptual_weight:
        weights["perceptual"] = settings.perceptual_weight
    if not any(weights.values()):
        raise ValueError("`task.pixel_weight` or `task.perceptual_weight` must be above 0. Received: 0 for both.")
    if bias := getattr(settings, "sub_pixel_weight", 0.0):
        weights[SUB_PIXEL_BIAS] = bias
    logged_as = {settings.pixel_loss: UNIT_RANGE}
    if settings.stage == "psnr":
        return Objective(adversarial_loss=None, auxiliary_weights=weights, logged_as=logged_as)
    loss = ADVERSARIAL_LOSSES[settings.adversarial_loss]
    if settings.real_label != 1.0 and not loss.takes_label:
        known = ", ".join(name for name, row in ADVERSARIAL_LOSSES.items() if row.takes_label)
        raise ValueError(
            f"`task.real_label` applies to the losses {known}. Received: {settings.real_label} with "
            f"task.adversarial_loss={settings.adversarial_loss}. Set it to 1, or choose one of these."
        )
    return Objective(
        adversarial_loss=loss,
        adversarial_weight=settings.adversarial_weight,
        auxiliary_weights=weights,
        logged_as=logged_as,
        real_label=settings.real_label,
    )


def build_generator(build: Callable, options: dict[str, Any], *, name: str, **fixed) -> keras.Model:
    """Builds a generator with the options that are set.

    Args:
        build: Builder from a table of networks.
        options: `task.generator_...` by the name of the builder's argument; None keeps the builder's default.
        name: Name of the builder in its table.
        **fixed: Arguments of every run of the task.

    Raises:
        ValueError: If an option is set that the network does not have.
    """
    chosen = {option: value for option, value in options.items() if value is not None}
    if unknown := chosen.keys() - inspect.signature(build).parameters.keys():
        raise ValueError(f"`task.generator={name}` has no {', '.join(sorted(unknown))} to set.")
    return build(name=GENERATOR, **fixed, **chosen)


def check_run(config: RunConfig) -> None:
    """Checks for settings of a run that would be ignored or harmful at its stage.

    Raises:
        ValueError: For the first such setting.
    """
    data, settings = config.data, config.task
    if data.resize != "none" or data.load_scale != 1.0:
        raise ValueError(
            "`data.resize` must be none and `data.load_scale` 1: images are cropped, not resized. "
            f"Received: {data.resize}, {data.load_scale}."
        )
    if not settings.image_scales:
        raise ValueError("`task.image_scales` must have at least one number; 1 keeps the size of the images.")
    if getattr(settings, "low_res", None) and settings.image_scales != (1.0,):
        raise ValueError(
            "`task.image_scales` is for computed low resolution; images of `task.low_res` have one scale. "
            f"Received: {settings.image_scales}."
        )
    if settings.stage == "psnr" and config.training.discriminator_steps > 1:
        raise ValueError(
            "`training.discriminator_steps` is for task.stage=gan. "
            f"Received: {config.training.discriminator_steps} at the stage psnr, which has no discriminator."
        )
    if settings.stage == "gan" and config.optimizer.muon_learning_rate is not None:
        raise ValueError(
            "`task.stage=gan` needs the rates of `--preset gan`; Muon is for the stage psnr. "
            f"Received: optimizer.muon_learning_rate={config.optimizer.muon_learning_rate}. "
            "Add `--preset gan`, or set it to none."
        )


def build_discriminators(
    settings: ImageTaskConfig, *, channels: int, own: Mapping[str, Callable[[], keras.Model]]
) -> dict[str, keras.Model]:
    """The discriminator of the stage `gan`, or a user's own; none at the stage `psnr`."""
    if settings.stage == "psnr":
        return {}
    if "discriminator" in own:
        return {"discriminator": own["discriminator"]()}
    build = CROP_DISCRIMINATORS[settings.discriminator]
    return {
        "discriminator": build(
            channels=channels, width=settings.discriminator_width, spectral_norm=settings.spectral_norm
        )
    }


def build_upscale_networks(
    settings: Any, *, own: Mapping[str, Callable[[], keras.Model]], channels: int = 3
) -> Networks:
    """Builds the generator and the stage's discriminator of `upscale` under the current dtype policy.

    Args:
        settings: Settings of the task.
        own: Builders of a user's own `generator` or `discriminator`.
        channels: Channels of the images.
    """
    options = {
        "size": settings.generator_size,
        "width": settings.generator_width,
        "blocks": settings.generator_blocks,
        "activation": settings.generator_activation,
    }

    def make() -> keras.Model:
        fixed = {"scale": settings.scale, **_channels_of(channels)}
        return build_generator(UPSCALERS[settings.generator], options, name=settings.generator, **fixed)

    discriminators = build_discriminators(settings, channels=channels, own=own)
    return Networks({GENERATOR: own.get(GENERATOR, make)()}, discriminators)


def _channels_of(channels: int) -> dict[str, int]:
    """The argument `channels` of a generator; none for RGB, which a user's own builder may know alone."""
    return {} if channels == 3 else {"channels": channels}


def build_restore_networks(
    settings: Any, *, has_holes: bool, own: Mapping[str, Callable[[], keras.Model]], channels: int = 3
) -> Networks:
    """Builds the generator and the stage's discriminator of `restore` under the current dtype policy.

    Args:
        settings: Settings of the task.
        has_holes: Whether the generator takes `[image, mask]`.
        own: Builders of a user's own `generator` or `discriminator`.
        channels: Channels of the images.

    Raises:
        ValueError: If the settings name a generator for another kind of degradation.
    """
    table, automatic = (INPAINTERS, "gated") if has_holes else (RESTORERS, "nafnet")
    name = automatic if settings.generator == "auto" else settings.generator
    if name not in table and not is_own(name):
        kind = "holes" if has_holes else "images without holes"
        raise ValueError(f"`task.generator` for {kind} must be one of auto, {', '.join(table)}. Received: {name}.")
    options = {"size": settings.generator_size, "width": settings.generator_width}
    make = own.get(GENERATOR, lambda: build_generator(table[name], options, name=name, **_channels_of(channels)))
    return Networks({GENERATOR: make()}, build_discriminators(settings, channels=channels, own=own))


def restore(generator: keras.Model, damaged: tf.Tensor, *, has_holes: bool, training: bool) -> tf.Tensor:
    """Runs a generator of `restore` on degraded images.

    Args:
        generator: Model of `damaged`, or of `[image, mask]` if that has holes.
        damaged: float32 `[batch, height, width, channels]` in [-1, 1]; with holes, the fourth channel is 1 in known
            pixels and -1 in holes.
        has_holes: Whether it has such a channel.
        training: Whether layers such as dropout are active.
    """
    inputs = [damaged[..., :3], 0.5 - 0.5 * damaged[..., 3:]] if has_holes else damaged
    return generator(inputs, training=training)


def with_sub_pixel_bias(
    outputs: GeneratorOutputs, target: tf.Tensor, output: tf.Tensor, *, settings: Any
) -> GeneratorOutputs:
    """Adds the sub-pixel bias loss, if it has a weight.

    Args:
        outputs: Outputs of the forward pass.
        target: float32 `[batch, height, width, 3]`.
        output: float32 of the same shape.
        settings: Settings of `upscale`.
    """
    if not settings.sub_pixel_weight:
        return outputs
    bias = sub_pixel_bias_loss(target, output, scale=settings.scale)
    return dataclasses.replace(outputs, auxiliary={**outputs.auxiliary, SUB_PIXEL_BIAS: bias})


def build_image_loss(settings: ImageTaskConfig) -> Callable[[Any, Any, Any], dict[str, Any]]:
    """Builds a function `(target, output, pixel_target) -> auxiliary losses by name` of images in [-1, 1].

    Its variables are made here: call it before the train step is traced.
    """
    pixel = RECONSTRUCTION_LOSSES[settings.pixel_loss]
    if not settings.perceptual_weight:
        return lambda target, output, pixel_target: {settings.pixel_loss: pixel(pixel_target, output)}
    perceptual = build_perceptual_loss(
        weights=settings.perceptual_weights, level_weights=REAL_ESRGAN_LEVELS, taken="before_relu"
    )
    return lambda target, output, pixel_target: {
        settings.pixel_loss: pixel(pixel_target, output),
        "perceptual": perceptual(target, output),
    }


def stage_outputs(stage: str, target: tf.Tensor, output: tf.Tensor, auxiliary: dict[str, Any]) -> GeneratorOutputs:
    """Outputs of one forward pass, for the losses of a stage."""
    adversarial = {} if stage == "psnr" else {"discriminator": (target, output, None)}
    return GeneratorOutputs(adversarial, auxiliary, output=output)


def start_from(networks: Networks, source: str | None, *, report: Callable[[str], Any]) -> None:
    """Loads the weights of trained networks into those of a run.

    Only the last layer may have another shape, as that of `compact` at another scale. It then keeps its fresh weights,
    as in "Enhanced Deep Residual Networks for Single Image Super-Resolution" (Lim et al. 2017, arXiv:1707.02921,
    section 3.3), which trains one scale from another.

    Args:
        networks: Fresh networks.
        source: Run directory, `.keras` file or name of a shipped model of the same task; None changes nothing.
        report: Called with messages on loaded weights and on layers that start fresh.

    Raises:
        ValueError: For an unknown model, or one whose generator does not match.
    """
    if source is None:
        return
    origin, generator = load_origin(source), networks.generators[GENERATOR]
    if provenance_of(origin.generators[GENERATOR]):
        return  # The generator is the imported network, with its weights.
    trained = inner_generator(origin.generators[GENERATOR], GENERATOR, source=source)
    values = trained.get_weights()
    shapes, wanted = [value.shape for value in values], [tuple(weight.shape) for weight in generator.weights]
    last = [layer for layer in generator.layers if layer.weights][-1]
    shared = len(wanted) - len(last.weights)
    if len(shapes) != len(wanted) or shapes[:shared] != wanted[:shared]:
        raise ValueError(
            f"`task.init_from` must be a run with the same generator: task.generator, its size, width and blocks, and "
            f"task.scale (only `compact` may have another). Received: '{source}', which is another: "
            f"{difference(values, generator.weights)}."
        )
    check_same_activations(trained, generator, source=source, setting="task.generator_activation")
    if shapes != wanted:
        values[shared:] = generator.get_weights()[shared:]
        report(f"the last layer, {last.name}, starts fresh: '{source}' has another scale")
    generator.set_weights(values)
    take_discriminators(networks, origin, taken=[GENERATOR], report=report)


def crop(images: tf.Tensor, first: tf.Tensor, *, size_px: int) -> tf.Tensor:
    """Crops a square from each image.

    Args:
        images: `[batch, height, width, channels]`.
        first: int32 `[batch, 2]`, the first row and column of each square.
        size_px: Side of the squares.
    """
    for axis in (1, 2):
        images = tf.gather(images, first[:, axis - 1, None] + tf.range(size_px), axis=axis, batch_dims=1)
    return tf.ensure_shape(images, [None, size_px, size_px, images.shape[-1]])


def random_dihedral(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Rotates and flips each image into one of the eight orientations of a square.

    Args:
        images: `[batch, size, size, channels]`, of any dtype.
        draws: float32 `[batch, 3]`, uniform in [0, 1).
    """
    size_px, channels = images.shape[2:]
    mirrored, flipped, transposed = tf.unstack(draws < 0.5, axis=1)
    straight = tf.range(size_px)
    rows = tf.where(flipped[:, None], straight[::-1], straight)
    columns = tf.where(mirrored[:, None], straight[::-1], straight)
    # One gather of whole pixels: reversals and transpositions of images take ten times as long on a CPU.
    places = tf.where(
        transposed[:, None, None],
        rows[:, None, :] * size_px + columns[:, :, None],
        rows[:, :, None] * size_px + columns[:, None, :],
    )
    pixels = tf.reshape(images, [-1, size_px**2, channels])
    pixels = tf.gather(pixels, tf.reshape(places, [-1, size_px**2]), batch_dims=1)
    return tf.reshape(pixels, [-1, size_px, size_px, channels])
