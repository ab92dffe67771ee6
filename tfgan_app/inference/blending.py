"""Network interpolation: a model with weights between those of two others."""

from __future__ import annotations

from collections import Counter

import keras

from tfgan_app.layers import ClipToUnitRange, FromUnitRange, ToUnitRange

_AROUND = (keras.layers.InputLayer, keras.layers.Rescaling, ClipToUnitRange, FromUnitRange, ToUnitRange)


def blend_weights(model: keras.Model, other: keras.Model, *, share: float) -> None:
    """Moves a model's weights toward another's.

    Network interpolation: Wang et al. 2018, "ESRGAN", arXiv:1809.00219, section 3.4, equation 4. Between a model
    trained for fidelity and one fine-tuned from it against a discriminator, texture and noise grow steadily.

    Args:
        model: The model to change.
        other: A model with the same networks.
        share: 0 leaves the model unchanged, 1 makes it equal to the other.

    Raises:
        ValueError: If the weights differ in shape, or the layers differ.
    """
    pairs = list(zip(model.weights, other.weights, strict=False))
    if len(model.weights) != len(other.weights) or any(a.shape != b.shape for a, b in pairs):
        raise ValueError(
            "Models to blend must be of the same network. Received: "
            f"{model.count_params():,} and {other.count_params():,} parameters, or the same number in other shapes."
        )
    differing = _layers_of(model) ^ _layers_of(other)
    if differing:
        kinds = ", ".join(sorted({kind for kind, _, _ in differing}))
        raise ValueError(f"Models to blend must be of the same network. Received: equal shapes, but different {kinds}.")
    for mine, theirs in pairs:
        if "float" in mine.dtype:
            mine.assign((1.0 - share) * mine + share * theirs)


def _layers_of(model: keras.Model) -> set[tuple[str, str, int]]:
    """Kind, activation and number of the layers of a network, without the layers around it that set its value range.

    Weights trained for other activations, or with another skip, fit by shape but give wrong results.
    """
    kinds = Counter(
        (type(layer).__name__, _activation(layer))
        for layer in model._flatten_layers(include_self=False)
        if not isinstance(layer, (keras.Model, *_AROUND)) and _activation(layer) != "Activation linear"
    )
    return {(*kind, count) for kind, count in kinds.items()}


def _activation(layer: keras.Layer) -> str:
    slope = getattr(layer, "negative_slope", "")
    activation = getattr(layer, "activation", None)
    if activation is None:
        return str(slope)
    name = str(keras.activations.serialize(activation))
    return f"Activation {name}" if isinstance(layer, keras.layers.Activation) else name
