"""What the tests of networks from image to image share."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


def random_image(*shape: int, seed: int = 0) -> np.ndarray:
    """float32 of the given shape in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def fill_zero_kernels(model: keras.Model) -> keras.Model:
    """Gives random weights to kernels that start at zero, which would hide what the layers before them do."""
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if isinstance(layer, keras.layers.Conv2D) and not np.asarray(kernel).any():
            kernel.assign(keras.random.normal(kernel.shape, stddev=0.1, seed=0))
    return model


def weights_without_gradient(model: keras.Model, inputs) -> list[str]:
    """Paths of the trainable weights that a random weighting of the outputs gives no gradient."""
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = tf.reduce_sum(outputs * random_image(*outputs.shape, seed=9))
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    pairs = zip(model.trainable_variables, gradients, strict=True)
    return [variable.path for variable, gradient in pairs if gradient is None or not np.any(gradient)]


def in_precision(policy: str, build, **options) -> keras.Model:
    """Builds a network under a dtype policy; the global one stays float32."""
    keras.config.set_dtype_policy(policy)
    try:
        return build(**options)
    finally:
        keras.config.set_dtype_policy("float32")


def with_unknown_size(model: keras.Model):
    """The model as an export traces it: height and width are known only when it runs."""
    signature = [tf.TensorSpec([None, None, None, tensor.shape[-1]]) for tensor in model.inputs]
    return tf.function(lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0]), signature)


def saved_and_loaded(model: keras.Model, path) -> keras.Model:
    """The model from a `.keras` file, loaded without running code from it."""
    model.save(path / "model.keras")
    return keras.saving.load_model(path / "model.keras", safe_mode=True)


def peak_to_peak_of_flat_middle(model: keras.Model, *, size_px: int = 96, middle_px: int = 12) -> float:
    """How much the middle of the output varies where the input is flat, relative to its size."""
    image = np.full((1, size_px, size_px, 3), 0.3, np.float32)
    output = np.asarray(model(image))[0]
    center, radius = output.shape[0] // 2, middle_px // 2
    middle = output[center - radius : center + radius, center - radius : center + radius]
    return float(np.ptp(middle, axis=(0, 1)).max() / np.abs(middle).max())


def penalty_gradients(model: keras.Model, images: np.ndarray) -> list:
    """Gradients by the weights of a gradient penalty (R1), which differentiates the network twice."""
    with tf.GradientTape() as tape:
        penalty = _penalty(model, images)
    return tape.gradient(
        penalty, [variable.value for variable in model.trainable_variables], unconnected_gradients="zero"
    )


def without_kinks(model: keras.Model) -> keras.Model:
    """Makes leaky ReLUs linear, so that numerical derivatives of a penalty, which jumps at kinks, are right."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.LeakyReLU):
            layer.negative_slope = 1.0
    return model


def slope_of_penalty(model: keras.Model, images: np.ndarray, *, variable, direction: np.ndarray) -> float:
    """The numerical derivative of the penalty as a variable moves in a direction."""
    step, start = 1e-2, np.asarray(variable)
    penalties = []
    for sign in (1, -1):
        variable.assign(start + sign * step * direction)
        penalties.append(float(_penalty(model, images)))
    variable.assign(start)
    return (penalties[0] - penalties[1]) / (2 * step)


def _penalty(model: keras.Model, images: np.ndarray):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(model(images, training=True))
    return tf.reduce_sum(tf.square(tape.gradient(total, images)))
