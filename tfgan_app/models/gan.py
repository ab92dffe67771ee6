"""A GAN from noise as a Keras model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.config.sections import DataConfig
from tfgan_app.config.typed_fields import bounded
from tfgan_app.latents import seeded_latents
from tfgan_app.models.base import OPTIMIZER, OUTPUT, TRAINING, ImageGAN, Parts, check_images
from tfgan_app.models.keywords import Group
from tfgan_app.tasks.generate import builders
from tfgan_app.tasks.generate.config import GenerateConfig
from tfgan_app.training.task import Networks

NETWORKS = ("generator", "discriminator", "network_size", "generator_width", "discriminator_width", "latent_dim")
STYLES = ("mapping_layers", "style_mixing", "path_length_weight", "path_length_every_steps")
CODES = ("categorical_codes", "continuous_codes", "code_weight")
LOSSES = (
    "adversarial_loss",
    "real_label",
    "spectral_norm",
    "r1_weight",
    "r2_weight",
    "wgan_gp_weight",
    "penalty_every_steps",
    "orthogonal_weight",
)
SEEN = (
    "augmentation",
    "augment_probability",
    "ada_target",
    "ada_ramp_images",
    "transformed_real_weight",
    "instance_noise",
    "instance_noise_steps",
)


@dataclasses.dataclass(frozen=True)
class ImageKind:
    """Kind of the images.

    Attributes:
        channels: 3 for color, 1 for gray.
        classes: Number of classes of a conditional GAN; 0 for none.
    """

    channels: Literal[1, 3] = 3
    classes: int = bounded(0, minimum=0)


@keras.saving.register_keras_serializable(package="tfgan_app")
class GAN(ImageGAN):
    """Images from noise.

    "Generative Adversarial Nets", Goodfellow et al. 2014, arXiv:1406.2661; the keywords choose among its successors.
    `fit` takes float32 images `[batch, image_size, image_size, channels]` in [-1, 1], and with `classes` also int
    labels: `(images, labels)`; without, labels in the data set are ignored. `evaluate` gives the losses of the
    averaged generator, the discriminator's accuracies and `diversity`, 1 where images differ as much as real ones.
    `predict` takes latents, float32 `[batch, latent_dim]`, or `[latents, labels]`; `generate` draws them from a seed.

    Args:
        image_size: Height and width of the images.
        channels: 3 for color, 1 for gray.
        classes: Number of classes of a conditional GAN; 0 for none.
        latent_dim: Size of the latent vector.
        generator: Family `mlp`, `dcgan`, `resnet`, `r3gan`, `stylegan2` or `biggan`, or your own:
            `"module:function"`, a `keras.Model` or a callable that returns one; of latents, or `[latents, labels]`.
        discriminator: `same` as the generator's family, another one, or your own; of images, or
            `[labels, images]`.
        adversarial_loss: Name of a loss, or your own `tfgan_app.losses.AdversarialLoss`.
        augmentation: Augmentation of the discriminator's images: `diffaugment` or `ada` for few images; `auto` is
            `none`, as the number of images is not known here.
        ema_decay: Decay of the averaged generator.
        name: Name of the model.
        dtype: Dtype policy of the training.
        **keywords: The other settings of `tfgan_app train --task generate`, by their names.

    Raises:
        ValueError: For an unknown keyword or an invalid value.

    Examples:
        >>> import keras, numpy as np
        >>> from tfgan_app import models
        >>> gan = models.GAN(image_size=16, channels=1, generator_width=8, discriminator_width=8, r1_weight=1.0)
        >>> gan.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        >>> images = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1)).astype("float32")
        >>> history = gan.fit(images, batch_size=4, verbose=0)
        >>> gan.generate(3, seed=7).shape
        (3, 16, 16, 1)
    """

    groups = (
        Group(GenerateConfig, (*NETWORKS, *STYLES, *CODES, *LOSSES, *SEEN), fields={"generator": "architecture"}),
        Group(DataConfig, ("image_size",)),
        Group(ImageKind, ("channels", "classes")),
        TRAINING,
        OPTIMIZER,
    )

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        settings = self._settings(values)
        builders.check_settings(settings)
        shape = {"size_px": values["image_size"], "channels": values["channels"], "classes": values["classes"]}
        codes, conditional = builders.build_latent_codes(settings), values["classes"] > 0
        return Parts(
            functools.partial(builders.build_networks, settings, **shape, own=own),
            builders.build_objective(settings),
            functools.partial(builders.forward, settings=settings, codes=codes, conditional=conditional),
            # A number of images for which `auto` is no augmentation.
            discriminator_inputs=builders.build_discriminator_inputs(settings, images=builders.FEW_IMAGES),
        )

    def _output_network(self, networks: Networks, values: Mapping[str, Any]) -> keras.Model:
        settings, generator = self._settings(values), networks.generators["generator"]
        if not settings.codes:
            return generator
        latents = keras.Input((settings.latent_dim,), name="latents")
        codes = builders.build_latent_codes(settings)(latents)
        if not values["classes"]:
            return keras.Model(latents, generator(codes), name="generator_of_latents")
        labels = keras.Input((), dtype="int32", name="labels")
        return keras.Model([latents, labels], generator([codes, labels]), name="generator_of_latents")

    def _batch(self, data) -> dict[str, tf.Tensor]:
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        if isinstance(images, Mapping):
            images, labels = images.get("image"), images.get("label", labels)
        size_px, channels, classes = (self._values[name] for name in ("image_size", "channels", "classes"))
        images = check_images("images", images, channels=channels)
        if any(side not in (None, size_px) for side in images.shape[1:3]):
            raise ValueError(
                f"Expected images of {size_px} x {size_px} px, as `image_size`. Received: {list(images.shape)}."
            )
        batch = self._positioned({"image": images})
        batch["latents"] = self._draws.normal(batch["position"], [self._values["latent_dim"]], stream=0)
        return batch | ({"label": check_labels(labels, classes)} if classes else {})

    def generate(self, count: int, *, seed: int = 0, labels: Any = None, batch_size: int = 64) -> np.ndarray:
        """Draws images with the seeds `seed`, `seed + 1`, ..., like `tfgan_app predict`.

        Args:
            count: Number of images.
            seed: Seed of the first image.
            labels: One class for all, or one for each; required for a model with classes, and only there.
            batch_size: Images drawn at a time.

        Returns:
            float32 `[count, image_size, image_size, channels]` in [-1, 1].

        Raises:
            ValueError: For a count below 1, or invalid labels.
        """
        classes = self._values["classes"]
        if not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"`count` must be an integer of at least 1. Received: {count!r}.")
        if (labels is None) == bool(classes):
            wanted = f"of 0 to {classes - 1}" if classes else "None: the model has no classes"
            raise ValueError(f"`labels` must be {wanted}. Received: {labels!r}.")
        latents = seeded_latents(tf.range(seed, seed + count, dtype=tf.int64), self._values["latent_dim"]).numpy()
        inputs = latents
        if classes:
            given = np.broadcast_to(np.asarray(labels), (count,))
            inputs = [latents, check_labels(given, classes).numpy()]
        return np.clip(self.predict(inputs, batch_size=batch_size, verbose=0), -1.0, 1.0)

    def inference_model(self) -> keras.Model:
        """The averaged generator from `latents` (and `labels`) to images in [0, 1], as the commands save and export it.

        Classes are named by their numbers.
        """
        names = tuple(str(label) for label in range(self._values["classes"]))
        generator = self.averaged.generators["generator"]
        return builders.build_inference_model(generator, self._settings(self._values), class_names=names)

    def image_columns(self, batch: Any) -> list[tuple[str, Any]]:
        """Columns of a grid for `tfgan_app.callbacks.ImageGrid`.

        Args:
            batch: Latents, `[latents, labels]`, or a number of images with the seeds 0, 1, ...

        Returns:
            Header and images of one column.
        """
        if isinstance(batch, int):
            classes = self._values["classes"]
            labels = np.arange(batch) % classes if classes else None
            return [("", self.generate(batch, labels=labels))]
        return [("", self.averaged.views[OUTPUT].predict_on_batch(batch))]


def check_labels(labels: Any, classes: int) -> tf.Tensor:
    """Checks labels and converts them to int32 `[batch]`.

    Args:
        labels: Integers `[batch]` or `[batch, 1]`, from 0 on.
        classes: Number of classes.

    Raises:
        ValueError: For another shape or dtype, or no labels.
    """
    if labels is None:
        raise ValueError(f"Expected batches (images, labels), as `classes={classes}`. Received: images alone.")
    labels = tf.convert_to_tensor(labels)
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not labels.dtype.is_integer or labels.shape.rank != 1:
        raise ValueError(
            f"Expected integer labels of shape [batch]. Received: {labels.dtype.name} {list(labels.shape)}; of "
            "one-hot labels take the argmax."
        )
    message = f"Labels must be in 0 to {classes - 1}, as `classes={classes}`."
    labels = tf.cast(labels, tf.int32)
    inside = tf.reduce_all((labels >= 0) & (labels < classes))
    with tf.control_dependencies([tf.debugging.Assert(inside, [message])]):
        return tf.identity(labels)
