"""Metadata layers: identities that carry facts about a model inside of its file."""

from __future__ import annotations

import keras

from tfgan_app.layers.receptive_field_rules import POINTWISE, Window


@keras.saving.register_keras_serializable(package="tfgan_app")
class MakesColor(keras.layers.Layer):
    """Marks a model that returns color for gray inputs."""

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE


def makes_color(model: keras.Model) -> bool:
    """Whether an inference model returns color for gray inputs."""
    return any(isinstance(layer, MakesColor) for layer in model.layers)


@keras.saving.register_keras_serializable(package="tfgan_app")
class Provenance(keras.layers.Layer):
    """Identity that states the origin of a model's weights.

    Args:
        facts: Name -> text, as model cards show them: the architecture, the source file, its SHA-256 and the license.
    """

    def __init__(self, facts: dict[str, str], **kwargs):
        super().__init__(**kwargs)
        self.facts = dict(facts)

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def get_config(self):
        return {**super().get_config(), "facts": self.facts}


def provenance_of(model: keras.Model) -> dict[str, str]:
    """The facts of a model's `Provenance` layer; none for a model without one."""
    return {
        name: words for layer in model.layers if isinstance(layer, Provenance) for name, words in layer.facts.items()
    }


@keras.saving.register_keras_serializable(package="tfgan_app")
class DataWindow(keras.layers.Layer):
    """Identity that states the data values of a model of images as numbers.

    Args:
        low: Data value that 0 stands for.
        high: Data value that 1 stands for.
    """

    def __init__(self, low: float, high: float, **kwargs):
        super().__init__(**kwargs)
        self.low, self.high = float(low), float(high)

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def receptive_field(self) -> Window:
        """Looks at one pixel alone."""
        return POINTWISE

    def get_config(self):
        return {**super().get_config(), "low": self.low, "high": self.high}


def data_window_of(model: keras.Model) -> tuple[float, float] | None:
    """The window of a model's `DataWindow` layer; None for a model of 8-bit images."""
    return next(((layer.low, layer.high) for layer in model.layers if isinstance(layer, DataWindow)), None)


@keras.saving.register_keras_serializable(package="tfgan_app")
class ClassNames(keras.layers.Layer):
    """Passes int32 labels on unchanged; its configuration holds the name of each class.

    Args:
        names: One name for each class; label `i` means `names[i]`.
    """

    def __init__(self, names: list[str], **kwargs):
        super().__init__(**{"dtype": "int32", **kwargs})
        self.names = list(names)

    def call(self, labels):
        return labels

    def compute_output_shape(self, labels_shape):
        return labels_shape

    def get_config(self):
        return {**super().get_config(), "names": self.names}


def class_names_of(model: keras.Model) -> list[str]:
    """The class names in a model's `ClassNames` layer; none for a model without one."""
    return [name for layer in model.layers if isinstance(layer, ClassNames) for name in layer.names]
