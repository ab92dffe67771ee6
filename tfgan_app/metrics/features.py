"""Feature networks of the set metrics, identified by a digest of their weights."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgan_app.files import first_line
from tfgan_app.layers import build_vgg16_features

INCEPTION_PX = 299
VGG16_MIN_PX = 32

_PIXELS_AT_ONCE = 2**20
_MAX_BATCH = 256


class FeatureNetwork:
    """Computes features of 8-bit images, batch by batch, in float32.

    Args:
        model: float32 `[batch, height, width, channels]` to `[batch, dim]`.
        name: Short name, for the protocol.
        prepare: uint8 `[batch, height, width, 1 or 3]` to the model's input.
        protocol: Further fields of the protocol, such as `features_resize`.

    Attributes:
        name: Short name.
        digest: First 12 hexadecimal digits of the SHA-256 of the weights' bytes, in the model's order.
        dim: Number of features.
    """

    def __init__(
        self, model: keras.Model, *, name: str, prepare: Callable[[tf.Tensor], tf.Tensor], protocol: dict[str, str]
    ):
        self.name = name
        self.dim = int(model.output_shape[-1])
        self.digest = _weights_digest(model)
        self._prepare = prepare
        self._protocol = protocol
        self._compute = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Computes the features of images.

        Args:
            images: uint8 `[count, height, width, 1 or 3]`; gray is repeated if the network needs RGB.

        Returns:
            float32 `[count, dim]`.

        Raises:
            ValueError: For other images.
        """
        check_images(images)
        features = np.empty((len(images), self.dim), np.float32)
        start = 0
        size = 1  # The first image gives the size of the network's input.
        while start < len(images):
            inputs = self._prepare(tf.convert_to_tensor(images[start : start + size]))
            features[start : start + size] = self._compute(inputs)
            start += size
            size = max(1, min(_MAX_BATCH, _PIXELS_AT_ONCE // (inputs.shape[1] * inputs.shape[2])))
        return features

    def protocol(self) -> dict[str, str]:
        """Description of the features, as fields that `check_comparable` compares."""
        return {"features": self.name, "features_digest": self.digest, **self._protocol}


def build_inception_features() -> FeatureNetwork:
    """Builds the 2,048 globally averaged features of `keras.applications`' ImageNet InceptionV3.

    "Rethinking the Inception Architecture for Computer Vision", Szegedy et al. 2016, arXiv:1512.00567.
    Images become 299 x 299 by bilinear interpolation with antialiasing and are not rounded to 8 bits again:
    the point of "On Aliased Resizing and Surprising Subtleties in GAN Evaluation", Parmar et al. 2022,
    arXiv:2104.11222 (which takes the bicubic filter; bilinear cannot overshoot [0, 255]). Deviation: the
    weights are not those of the original FID (TensorFlow's graph of December 2015), so that values are
    comparable among themselves but not with published ones.

    Returns:
        The network; its weights are downloaded the first time.

    Raises:
        ValueError: If the download fails.
    """
    return _inception_features("imagenet")


def _inception_features(weights: str | None) -> FeatureNetwork:
    try:
        with _float32():
            model = keras.applications.InceptionV3(include_top=False, pooling="avg", weights=weights)
    except Exception as error:  # Keras raises a bare one when the download fails.
        raise ValueError(
            "The weights of InceptionV3 could not be downloaded. Give VGG16's as a file (features `vgg16`), or use "
            "features that need none: `classifier` (images with classes) or `random`. "
            f"Received: {first_line(error)}"
        ) from error

    def prepare(images):
        resized = tf.image.resize(to_rgb(images), (INCEPTION_PX, INCEPTION_PX), method="bilinear", antialias=True)
        return resized / 127.5 - 1.0

    resize = f"{INCEPTION_PX} x {INCEPTION_PX} px, bilinear, antialiased"
    protocol = {"features_trained_on": "ImageNet", "features_resize": resize}
    return FeatureNetwork(model, name="inception_v3", prepare=prepare, protocol=protocol)


def build_vgg16_feature_network(*, weights: str | Path) -> FeatureNetwork:
    """Builds the 512 globally averaged activations `relu5_3` of an ImageNet VGG16.

    Simonyan & Zisserman 2015, arXiv:1409.1556. The last level alone: of all five joined (1,472 features) the
    ones with the largest activations would decide the distance, and its bias grows with the number of features.
    Images are taken at their own size; those with a side below 32 px, which five levels need, are enlarged
    until it is, bilinearly.

    Args:
        weights: `.npz` as `tfgan_app.layers.build_vgg16_features` reads it.

    Returns:
        The network.

    Raises:
        ValueError: When the file does not hold VGG16's weights.
    """
    with _float32():
        vgg = build_vgg16_features(weights=weights)
        pooled = layers.GlobalAveragePooling2D()(vgg.outputs[-1])
    model = keras.Model(vgg.inputs, pooled, trainable=False)

    def prepare(images):
        rgb = to_rgb(images) / 127.5 - 1.0
        height, width = rgb.shape[1:3]
        scale = VGG16_MIN_PX / min(height, width)
        return tf.image.resize(rgb, (round(height * scale), round(width * scale))) if scale > 1 else rgb

    resize = f"none; bilinear to a short side of {VGG16_MIN_PX} px where it is less"
    protocol = {"features_trained_on": "ImageNet", "features_resize": resize}
    return FeatureNetwork(model, name="vgg16_relu5_3", prepare=prepare, protocol=protocol)


def check_images(images: np.ndarray) -> None:
    """Checks that images fit the feature networks.

    Args:
        images: uint8 `[count, height, width, 1 or 3]`.

    Raises:
        ValueError: For any others.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "Images must be uint8 [count, height, width, 1 or 3]. "
            f"Received: {images.dtype} {list(images.shape)}; convert them first."
        )


def to_rgb(images: tf.Tensor) -> tf.Tensor:
    """Repeats gray: uint8 `[batch, height, width, 1 or 3]` to float32 `[batch, height, width, 3]` in [0, 255]."""
    images = tf.cast(images, tf.float32)
    return tf.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def _weights_digest(model: keras.Model) -> str:
    digest = hashlib.sha256()
    for values in model.get_weights():
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def _float32():
    """Context that builds networks in float32: features must not depend on the precision of a training."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
