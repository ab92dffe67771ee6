"""Features of a random network, without download or classes."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgan_app.metrics.features import FeatureNetwork, to_rgb

RANDOM_PX = 32
RANDOM_DIM = 64

_WIDTHS = (32, 64, 128)


def build_random_features() -> FeatureNetwork:
    """Builds 64 features of a convolutional network with fixed random weights.

    Random embeddings rank generators sensibly where ImageNet's features mean little: "Reliable Fidelity and
    Diversity Metrics for Generative Models", Naeem et al. 2020, arXiv:2002.09797 (their R64).
    Deviations: three convolutions instead of VGG16, mean instead of maximum pooling, and images reduced to
    32 x 32 by bilinear interpolation with antialiasing. They see layout, color and coarse texture, not what
    an image shows; finer detail than 32 px hold does not count.

    Returns:
        The network; it has the same weights everywhere.
    """
    inputs = keras.Input((RANDOM_PX, RANDOM_PX, 3), dtype="float32")
    x = inputs
    for width in _WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, activation="relu", dtype="float32")(x)
        x = layers.AveragePooling2D(2, dtype="float32")(x)
    x = layers.Flatten(dtype="float32")(x)
    model = keras.Model(inputs, layers.Dense(RANDOM_DIM, use_bias=False, dtype="float32")(x), name="random_features")
    # NumPy's stream, as Keras' may change with its version.
    rng = np.random.default_rng(0)
    shapes = [weight.shape for weight in model.weights]
    model.set_weights([rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[:-1])), shape) for shape in shapes])

    def prepare(images):
        resized = tf.image.resize(to_rgb(images), (RANDOM_PX, RANDOM_PX), method="bilinear", antialias=True)
        return resized / 127.5 - 1.0

    resize = f"{RANDOM_PX} x {RANDOM_PX} px, bilinear, antialiased"
    protocol = {"features_trained_on": "nothing", "features_resize": resize}
    return FeatureNetwork(model, name="random_convolutions", prepare=prepare, protocol=protocol)
