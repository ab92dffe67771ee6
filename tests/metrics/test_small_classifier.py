"""The classifier of the study: plans of its batches, learning, determinism."""

import numpy as np
import pytest

from tfgan_app.metrics import SmallClassifier, plan_batches, small_classifier


def test_a_batch_has_its_share_of_synthetic_images():
    plan = plan_batches(10, 30, steps=7, seed=0, share=0.25, batch=8)
    assert plan.shape == (7, 8)
    assert ((plan >= 10).sum(axis=1) == 2).all()
    assert plan.min() >= 0
    assert plan.max() < 40


def test_synthetic_images_take_part_until_a_share_of_the_steps():
    plan = plan_batches(10, 30, steps=10, seed=0, share=1.0, until=0.4, batch=4)
    assert (plan[:4] >= 10).all()
    assert (plan[4:] < 10).all()


def test_one_kind_alone_fills_the_batches():
    assert plan_batches(5, 0, steps=3, seed=0).max() < 5
    only = plan_batches(0, 5, steps=3, seed=0, until=0.3)
    assert set(only.ravel()) == set(range(5))


def test_every_image_comes_once_before_any_twice():
    plan = plan_batches(16, 0, steps=4, seed=1, batch=8)
    assert sorted(plan[:2].ravel()) == sorted(plan[2:].ravel()) == list(range(16))
    assert (plan != plan_batches(16, 0, steps=4, seed=2, batch=8)).any()


@pytest.fixture(scope="module")
def images():
    """Dark images of class 0 and light ones of class 1."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(2), 16)
    return (rng.integers(0, 80, (32, 16, 16, 1)) + 150 * labels[:, None, None, None]).astype(np.uint8), labels


@pytest.fixture(scope="module")
def classifier():
    return SmallClassifier((16, 16, 1), classes=2, steps=20, width=4, augment=lambda images, seed: 1.0 - images)


def _train(classifier, labeled, seed, augmented=False):
    images, labels = labeled
    plan = plan_batches(len(images), 0, steps=20, seed=seed, batch=8)
    return classifier.train(images, np.eye(2)[labels], plan, seed=seed, augmented=augmented)


def test_it_learns_and_the_same_seed_gives_the_same_weights(classifier, images):
    trained = _train(classifier, images, 0)
    assert (classifier.predict(trained, images[0]).argmax(1) == images[1]).all()
    other = _train(classifier, images, 1)
    again = _train(classifier, images, 0)
    for first, second in zip(trained["weights"], again["weights"], strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((a != b).any() for a, b in zip(trained["weights"], other["weights"], strict=True))


def test_only_an_augmented_training_sees_augmented_images(classifier, images):
    # The augmentation inverts: a classifier that has seen nothing else takes dark for light.
    inverted = _train(classifier, images, 0, augmented=True)
    assert (classifier.predict(inverted, 255 - images[0]).argmax(1) == images[1]).all()
    assert (classifier.predict(inverted, images[0]).argmax(1) == images[1]).mean() < 0.6


def test_unlike_plans_and_too_few_classes_are_refused(classifier, images):
    with pytest.raises(ValueError, match="plan of 20 steps. Received: 3"):
        classifier.train(images[0], np.eye(2)[images[1]], np.zeros((3, 4), int), seed=0, augmented=False)
    with pytest.raises(ValueError, match="at least 2 classes. Received: 1"):
        SmallClassifier((16, 16, 1), classes=1, steps=1)


@pytest.mark.parametrize(("share", "expected"), [(0.005, 1), (0.995, 7)])
def test_a_share_is_rounded_neither_to_none_nor_to_all(share, expected):
    plan = plan_batches(10, 30, steps=4, seed=0, share=share, until=0.001, batch=8)
    assert (plan >= 10).sum(axis=1).tolist() == [expected, 0, 0, 0]


def test_large_images_are_reduced_by_area(monkeypatch):
    monkeypatch.setattr(small_classifier, "_CHUNK", 2)
    classifier = SmallClassifier((128, 64, 1), classes=2, steps=1, width=2)
    images = np.random.default_rng(0).integers(0, 256, (5, 128, 64, 1), np.uint8)
    reduced = classifier._reduced(images)
    assert reduced.dtype == np.uint8
    expected = images.reshape(5, 64, 2, 64, 1).mean(axis=2)
    assert np.abs(reduced - expected).max() <= 0.5
