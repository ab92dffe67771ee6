"""The names of the classes, kept inside of a saved model."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable(package="tfgan_app")
class ClassNames(keras.layers.Layer):
    """Passes int32 labels on unchanged; its configuration tells what each number means.

    Args:
        names: one name for each class; label `i` means `names[i]`.
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
    """What the labels of a model mean: the names in its `ClassNames` layer, none for a model without one."""
    return [name for layer in model.layers if isinstance(layer, ClassNames) for name in layer.names]
