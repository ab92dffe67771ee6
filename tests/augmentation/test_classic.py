"""Classic augmentation: shifts, mirroring, erasing, and their draws."""

import numpy as np
import tensorflow as tf

from tfgan_app.augmentation import ClassicAugmentation

OFF = {"horizontal_flip": False, "shift": 0.0, "scale": 0.0}


def _images(count=64):
    return tf.random.stateless_uniform([count, 12, 12, 1], [1, 2])


def test_nothing_asked_for_changes_nothing():
    images = _images()
    np.testing.assert_allclose(ClassicAugmentation(**OFF)(images, tf.constant([0, 0])), images, atol=1e-6)


def test_the_mirror_turns_about_half_of_the_images_over():
    images = _images()
    turned = ClassicAugmentation(**OFF | {"horizontal_flip": True})(images, tf.constant([0, 0])).numpy()
    is_same = np.isclose(turned, images, atol=1e-5).all(axis=(1, 2, 3))
    is_mirrored = np.isclose(turned, images[:, :, ::-1], atol=1e-5).all(axis=(1, 2, 3))
    assert (is_same ^ is_mirrored).all()
    assert 20 <= is_mirrored.sum() <= 44


def test_shifts_stay_within_their_share():
    images = np.zeros((64, 20, 20, 1), np.float32)
    images[:, 10, 10] = 1.0
    moved = ClassicAugmentation(**OFF | {"shift": 0.2})(tf.constant(images), tf.constant([3, 4])).numpy()[..., 0]
    rows, columns = np.meshgrid(np.arange(20), np.arange(20), indexing="ij")
    found = [(np.average(rows, weights=each), np.average(columns, weights=each)) for each in moved]
    offsets = np.abs(np.array(found) - 10.0)
    assert offsets.max() <= 4.5
    assert offsets.max(axis=0).min() > 2.0


def test_erasing_puts_the_mean_into_a_rectangle_of_its_share_of_images():
    images = _images(256)
    erased = ClassicAugmentation(**OFF | {"erase": 0.5})(images, tf.constant([5, 6])).numpy()
    changed = ~np.isclose(erased, images, atol=1e-6)[..., 0]
    share = changed.any(axis=(1, 2)).mean()
    assert 0.4 < share < 0.6
    assert 0.01 < changed.mean(axis=(1, 2))[changed.any(axis=(1, 2))].mean() < 0.25
    means = np.asarray(images).mean(axis=(1, 2, 3))[:, None, None].repeat(12, 1).repeat(12, 2)
    np.testing.assert_allclose(erased[..., 0][changed], means[changed], atol=1e-5)


def test_the_seed_decides():
    augment = ClassicAugmentation(erase=0.5, rotation_degrees=10.0)
    first, again, other = (augment(_images(), tf.constant([7, step])).numpy() for step in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
