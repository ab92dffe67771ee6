"""The eight orientations of an image, each mapped back."""

import numpy as np
import tensorflow as tf

from tfgan_app.inference.predictor import self_ensemble


def enlarge(images):
    """Doubles the size; output pixels depend on the orientation."""
    rows = tf.range(1.0, 1.0 + tf.cast(tf.shape(images)[1], tf.float32))[None, :, None, None]
    return tf.repeat(tf.repeat(images * rows, 2, axis=1), 2, axis=2)


def expected_of(image):
    """The same with NumPy's rotations instead of flips and transposes."""
    results = []
    for mirrored in (False, True):
        for turns in range(4):
            laid = np.rot90(image[:, ::-1] if mirrored else image, turns)
            output = np.rot90(enlarge(np.ascontiguousarray(laid)[None]).numpy()[0], -turns)
            results.append(output[:, ::-1] if mirrored else output)
    return np.mean(results, axis=0)


def test_it_is_the_mean_over_all_rotations_and_reflections():
    images = np.random.default_rng(0).uniform(0, 1, (2, 3, 5, 3)).astype(np.float32)
    outputs = self_ensemble(enlarge, images)
    assert outputs.shape == (2, 6, 10, 3) and outputs.dtype == np.float32
    for output, image in zip(outputs, images, strict=True):
        np.testing.assert_allclose(output, expected_of(image), rtol=1e-5)


def test_the_model_is_shown_eight_different_images():
    seen = set()

    def forward(images):
        seen.add((images.shape, images.tobytes()))
        return images

    images = np.arange(18, dtype=np.float32).reshape(1, 2, 3, 3)
    np.testing.assert_allclose(self_ensemble(forward, images), images)
    assert len(seen) == 8 and {shape[1:3] for shape, _ in seen} == {(2, 3), (3, 2)}


def test_a_model_may_answer_with_tensors_or_arrays():
    images = np.random.default_rng(1).uniform(0, 1, (1, 4, 7, 3)).astype(np.float32)
    as_arrays = self_ensemble(lambda laid: enlarge(laid).numpy(), images)
    np.testing.assert_array_equal(as_arrays, self_ensemble(enlarge, images))
    assert isinstance(as_arrays, np.ndarray)
