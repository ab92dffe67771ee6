"""Features and scores of a trained discriminator, as a model of images."""

from __future__ import annotations

import itertools

import keras
from keras import layers, ops

from tfgan_app.layers import FromUnitRange, MinibatchDeviation, gained_leaky_relu

FEATURE_GRID = 4
_NO_LABEL = -1


def build_discriminator_inference_model(discriminator: keras.Model) -> keras.Model:
    """Builds the model of a discriminator for use elsewhere; it shares the weights.

    Args:
        discriminator: Model of `image`, or `[labels, image]`, images in [-1, 1], to logits or `[logits, codes]`.

    Returns:
        Model of `images` float32 `[batch, height, width, channels]` in [0, 1] (or `[images, labels]`, labels int32
        `[batch]`, -1 for no class) to a dictionary: `features` float32 `[batch, dim]`, see `build_feature_model`, and
        `scores` float32 `[batch, 1]`, the logits.

    Raises:
        ValueError: If the discriminator has other inputs.
    """
    given = [tensor.name for tensor in discriminator.inputs]
    if given not in (["image"], ["labels", "image"]):
        raise ValueError(f"The discriminator must take an image, alone or with a label. It takes: {', '.join(given)}.")
    images = keras.Input(discriminator.inputs[-1].shape[1:], name="images")
    signed = FromUnitRange()(images)
    # One model with both heads: a file cannot hold two models of the same layers.
    heads = keras.Model(
        discriminator.inputs, [build_feature_model(discriminator).outputs[0], discriminator.outputs[0]], name="heads"
    )
    if "labels" not in given:
        features, scores = heads([signed])
        return keras.Model(images, {"features": features, "scores": scores}, name="discriminator_of_images")
    labels = keras.Input((), dtype="int32", name="labels")
    features, scores = heads([labels, signed])
    if _depends_on_labels(heads):
        features, _ = heads([ops.zeros_like(labels) + _NO_LABEL, signed])
    return keras.Model([images, labels], {"features": features, "scores": scores}, name="discriminator_of_images")


def _depends_on_labels(heads: keras.Model) -> bool:
    """Returns whether the labels reach the features; a projection uses them at the very end."""
    try:
        keras.Model(heads.inputs[-1], heads.outputs[0])
    except ValueError:
        return True
    return False


def build_feature_model(discriminator: keras.Model) -> keras.Model:
    """Builds the model of all rectified feature maps, max-pooled to 4 x 4 and concatenated.

    As in Radford et al. 2016, arXiv:1511.06434, section 5.1; hidden layers without a grid are taken unchanged. None of
    them depends on the label: a projection uses it at the very end, and elsewhere a label of no class replaces it. They
    do not depend on the other images of the batch either, whose deviation StyleGAN2's last layers see.
    """
    own = itertools.takewhile(lambda layer: not isinstance(layer, MinibatchDeviation), discriminator.layers)
    rectified = [layer.output for layer in own if _is_rectifier(layer)]
    flat = []
    for features in rectified:
        if len(features.shape) == 4:
            size = tuple(max(side // FEATURE_GRID, 1) for side in features.shape[1:3])
            features = layers.Flatten()(layers.MaxPooling2D(size)(features))
        flat.append(features)
    outputs = layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return keras.Model(discriminator.inputs, outputs, name="discriminator_features")


def _is_rectifier(layer: layers.Layer) -> bool:
    inner = getattr(layer, "layer", layer)  # Spectral normalization wraps it.
    return isinstance(inner, (layers.LeakyReLU, layers.ReLU)) or getattr(inner, "activation", 0) is gained_leaky_relu
