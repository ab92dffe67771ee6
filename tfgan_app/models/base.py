"""Base class of the GANs as Keras models: construction from keywords, batches, saving and export."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import keras
import tensorflow as tf

from tfgan_app.config.sections import OptimizerConfig, TrainingConfig
from tfgan_app.keras_compat import in_safe_mode
from tfgan_app.layers import FromUnitRange, ToUnitRange
from tfgan_app.models.keywords import (
    Group,
    check_keywords,
    import_path,
    keyword_errors,
    own_builder,
    signature_of,
)
from tfgan_app.registry import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES, is_own
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.task import DiscriminatorInputs, GeneratorOutputs, Networks, Objective

TRAINING = Group(TrainingConfig, ("ema_decay", "discriminator_steps", "seed"))
OPTIMIZER = Group(OptimizerConfig, ("clip_norm", "normalize_gradients"))

OUTPUT = "output"
"""Name of the view of the averaged networks that is called and exported."""


@dataclasses.dataclass(frozen=True)
class Parts:
    """The parts of a model.

    Attributes:
        build_networks: Builds the networks under the current dtype policy.
        objective: Losses and their weights.
        forward: `(networks, batch, training) -> GeneratorOutputs`.
        discriminator_inputs: Augmentation, noise and pools of the discriminators' images.
        measures: Further figures of `evaluate` by name: `(batch, outputs) -> float32 scalar`.
    """

    build_networks: Callable[[], Networks]
    objective: Objective
    forward: Callable[[Networks, dict, bool], GeneratorOutputs]
    discriminator_inputs: DiscriminatorInputs = dataclasses.field(default_factory=DiscriminatorInputs)
    measures: Mapping[str, Callable] = dataclasses.field(default_factory=dict)


class ImageGAN(AdversarialTrainer):
    """A GAN as a Keras model.

    A subclass states `groups`, the names in a batch and how its parts are built.

    Args:
        name: Name of the model.
        dtype: Dtype policy of the training, such as `"mixed_bfloat16"`; None is the global one. The averaged networks
            compute in float32 unless they are copies of a user's model.
        **keywords: Those of the class.

    Raises:
        ValueError: For an unknown keyword or an invalid value.
    """

    groups: ClassVar[tuple[Group, ...]] = (TRAINING, OPTIMIZER)
    batch_names: ClassVar[tuple[str, ...]] = ("input", "target")
    own_networks: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    own_losses: ClassVar[tuple[str, ...]] = ("adversarial_loss",)

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        cls.__signature__ = signature_of(cls.groups)

    def __init__(self, *, name: str | None = None, dtype: Any = None, **keywords: Any):
        values = check_keywords(self.groups, keywords, objects=(*self.own_networks, *self.own_losses))
        own = {n: own_builder(n, values[n]) for n in self.own_networks if _is_object(values.get(n))}
        policy = keras.dtype_policies.get(dtype) if dtype is not None else keras.config.dtype_policy()
        with keyword_errors():
            parts = self._build_parts(values, own)
            networks = _under(policy, parts.build_networks)
            averaged = _under("float32", parts.build_networks)
        averaged.views[OUTPUT] = self._output_network(averaged, values)
        objective = parts.objective
        if _is_object(values.get("adversarial_loss")) and objective.adversarial_loss is not None:
            objective = dataclasses.replace(objective, adversarial_loss=values["adversarial_loss"])
        super().__init__(
            networks,
            averaged,
            objective=objective,
            forward=parts.forward,
            discriminator_inputs=parts.discriminator_inputs,
            measures=parts.measures,
            **{key: values[key] for group in (TRAINING, OPTIMIZER) for key in group.names},
            global_batch_size=None,
            name=name or type(self).__name__.lower(),
            dtype=policy,
            autocast=False,
        )
        # Keras would track the networks in a dictionary, and save them from there.
        self._values = types.MappingProxyType(values)
        self._track_networks()

    def _track_networks(self) -> None:
        """Sets the networks as attributes, so that Keras saves and lists them."""
        for name, model in {**self.networks.generators, **self.networks.discriminators}.items():
            setattr(self, name, model)
        for name, model in self.averaged.generators.items():
            setattr(self, f"averaged_{name}", model)

    def _build_parts(self, values: dict[str, Any], own: Mapping[str, Callable[[], keras.Model]]) -> Parts:
        raise NotImplementedError

    @classmethod
    def _settings(cls, values: Mapping[str, Any], **fixed: Any) -> Any:
        """The configuration section of the method; keywords that are objects keep their default there."""
        group = cls.groups[0]
        named = {name: values[name] for name in group.names if not _is_object(values[name])}
        given = {group.fields.get(name, name): value for name, value in named.items()}
        return group.kind(**given, **fixed)

    def call(self, inputs, training=False):
        """Runs the averaged generator in inference mode.

        Args:
            inputs: float32 images `[batch, height, width, channels]` in [-1, 1].
            training: Ignored.
        """
        del training
        return self.averaged.views[OUTPUT](inputs, training=False)

    def _output_network(self, networks: Networks, values: Mapping[str, Any]) -> keras.Model:
        """The generator that is called and exported; shares the weights of `networks`."""
        del values
        return networks.generators["generator"]

    def train_step(self, data) -> dict[str, tf.Tensor]:
        """One update of all networks; `data` is a batch of the data set."""
        return self._scalars(super().train_step(self._batch(data)))

    def test_step(self, data) -> dict[str, tf.Tensor]:
        """The losses and figures of the averaged generator; `data` is a batch of the data set."""
        return self._scalars(super().test_step(self._batch(data)))

    def _scalars(self, logs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Scalar logs for Keras' callbacks; with several workers they keep the axis that Keras averages over."""
        several = self.distribute_strategy.cluster_resolver is not None
        return logs if several else {name: tf.reshape(value, []) for name, value in logs.items()}

    def _batch(self, data) -> dict[str, tf.Tensor]:
        """A batch of the data set, converted for the train step."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        names = self.batch_names
        if sample_weight is not None:
            raise ValueError(f"{type(self).__name__} takes no sample weights. Leave them out of the data set.")
        if isinstance(x, Mapping) and y is None and set(names) <= set(x):
            found = {name: x[name] for name in names}
        elif isinstance(x, Mapping) or y is None:
            kind = f"keys {', '.join(x)}" if isinstance(x, Mapping) else "one tensor"
            raise ValueError(f"Expected batches ({', '.join(names)}), or a dictionary of these. Received: {kind}.")
        else:
            found = dict(zip(names, (x, y), strict=True))
        return self._positioned(
            {name: check_images(name, value, channels=self._channels(name)) for name, value in found.items()}
        )

    def _channels(self, name: str) -> int:
        """Number of channels of a part of the batch."""
        del name
        return 3

    def get_config(self) -> dict[str, Any]:
        """The keywords, with users' networks as their configuration."""
        config = dict(self._values)
        networks = {**self.networks.generators, **self.networks.discriminators}
        for name in (*self.own_networks, *self.own_losses):
            if not _is_object(config.get(name)) and not is_own(str(config.get(name))):
                continue
            if name in self.own_losses:
                config[name] = config[name] if isinstance(config[name], str) else _loss_path(name, config[name])
            else:
                config[name] = keras.saving.serialize_keras_object(networks.get(name, config[name]))
        dtype = keras.dtype_policies.serialize(self.dtype_policy)
        return {**config, "name": self.name, "dtype": dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ImageGAN:
        """Builds the model of a configuration, with fresh weights.

        Raises:
            ValueError: If a file that is loaded in Keras' safe mode names code to import.
        """
        named = [value for name in (*cls.own_networks, *cls.own_losses) if is_own(str(value := config.get(name)))]
        if named and in_safe_mode():
            raise ValueError(
                f"The file names code to import: {named[0]!r}. If you trust it, load it with safe_mode=False."
            )
        networks = {
            name: keras.saving.deserialize_keras_object(value)
            for name, value in config.items()
            if name in (*cls.own_networks, "dtype") and isinstance(value, dict)
        }
        return cls(**{**config, **networks})

    def get_compile_config(self) -> dict[str, Any]:
        """The two optimizers."""
        if not self.compiled:
            return {}
        names = ("generator_optimizer", "discriminator_optimizer")
        return {name: keras.optimizers.serialize(getattr(self, name)) for name in names}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with the optimizers of `get_compile_config`."""
        if config:
            self.compile(**{name: keras.optimizers.deserialize(value) for name, value in config.items()})

    def export(self, filepath: str | Path, format: str = "tf_saved_model", **options: Any) -> None:
        """Exports the averaged generator alone, as `keras.Model.export` does: images in and out in [-1, 1].

        Args:
            filepath: Path of the export.
            format: A format of `keras.Model.export`: `"tf_saved_model"`, `"onnx"` ...
            **options: Other options of `keras.Model.export`.
        """
        self.averaged.views[OUTPUT].export(str(filepath), format=format, **options)

    def inference_model(self) -> keras.Model:
        """The averaged generator between images in [0, 1], as the commands save, serve and export it.

        Saved as `.keras`, it is a `--model` of `tfgan_app predict`, `export` and `serve`. It shares the weights.
        """
        network = self.averaged.views[OUTPUT]
        images = keras.Input(network.inputs[0].shape[1:], name="images")
        outputs = network(FromUnitRange(name="from_unit_range")(images))
        return keras.Model(images, ToUnitRange(name="to_unit_range")(outputs), name=self.name)

    def image_columns(self, batch: Any) -> list[tuple[str, Any]]:
        """Columns of a grid for `tfgan_app.callbacks.ImageGrid`: input, output and, if given, target.

        Args:
            batch: Inputs, or a tuple of inputs and targets, float32 `[count, height, width, channels]` in [-1, 1].

        Returns:
            Header and images of each column.
        """
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        columns = [("input", x), ("output", self.predict_on_batch(x))]
        return columns if y is None else [*columns, ("target", y)]


def check_images(name: str, images: Any, *, channels: int | None = 3) -> tf.Tensor:
    """Checks images and converts them to float32.

    Args:
        name: Name of the part of the batch, for messages.
        images: Images of the data set.
        channels: Required number of channels; None takes any number.

    Raises:
        ValueError: For another dtype, rank or number of channels.
    """
    images = tf.convert_to_tensor(images)
    if not images.dtype.is_floating:
        raise ValueError(
            f"Expected `{name}` as float32 images in [-1, 1]. Received: {images.dtype.name}; for 8 bits take "
            "images / 127.5 - 1."
        )
    rank, found = images.shape.rank, images.shape[-1] if images.shape.rank else None
    if rank != 4 or (channels is not None and found not in (None, channels)):
        wanted = f"[batch, height, width, {channels or 'channels'}]"
        raise ValueError(f"Expected `{name}` of shape {wanted}. Received: {list(images.shape)}.")
    return tf.cast(images, tf.float32)


def _is_object(value: Any) -> bool:
    """Whether a keyword's value is a user's object instead of a name or a number."""
    return value is not None and not isinstance(value, (str, bool, int, float, tuple))


def _under(policy: Any, build: Callable[[], Networks]) -> Networks:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return build()
    finally:
        keras.config.set_dtype_policy(before)


def _loss_path(name: str, loss: Any) -> str:
    known = [row for table in (ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES) for row in table if table[row] is loss]
    path = known[0] if known else import_path(loss)
    if path is None:
        raise ValueError(
            f"`{name}` must be saved by name. Received: {loss!r}; give it as 'module:attribute' of a module that can "
            "be imported where the model is loaded."
        )
    return path
