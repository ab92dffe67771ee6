"""Something between two models: the same network with weights in between."""

from __future__ import annotations

import keras


def blend_weights(model: keras.Model, other: keras.Model, *, share: float) -> None:
    """Moves a model's weights towards another's.

    Network interpolation: Wang et al. 2018, "ESRGAN", arXiv:1809.00219, section 3.4, equation 4. Between a model that
    was trained for fidelity and one that started from it and was trained against a discriminator, texture and noise
    grow steadily.

    Args:
        model: what is changed.
        other: a model of the same networks.
        share: 0 leaves the model as it is, 1 makes it the other.

    Raises:
        ValueError: if the weights of the two are not of the same shapes.
    """
    pairs = list(zip(model.weights, other.weights, strict=False))
    if len(model.weights) != len(other.weights) or any(a.shape != b.shape for a, b in pairs):
        raise ValueError(
            "Models to blend must be of the same network. Received: "
            f"{model.count_params():,} and {other.count_params():,} parameters, or the same number laid out otherwise."
        )
    for mine, theirs in pairs:
        if "float" in mine.dtype:
            mine.assign((1.0 - share) * mine + share * theirs)
