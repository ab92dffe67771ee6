"""The linear probe on data whose answer is known."""

import sys

import numpy as np

from tfgan_app.metrics import linear_probe


def test_separable_classes_are_told_apart_from_few_labels():
    rng = np.random.default_rng(0)
    labels, test_labels = np.tile(np.arange(3), 5), np.tile(np.arange(3), 50)
    centers = 4.0 * np.eye(3, 20)

    def around(classes):
        return centers[classes] + 0.3 * rng.normal(size=(len(classes), 20))

    predicted, _ = linear_probe(around(labels), labels, around(test_labels), classes=3)
    assert (predicted == test_labels).mean() > 0.98


def test_noise_takes_the_largest_penalty_and_chance_accuracy():
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(2), 50)
    predicted, penalty = linear_probe(rng.normal(size=(100, 300)), labels, rng.normal(size=(400, 300)), classes=2)
    assert penalty >= 10.0
    assert 0.35 < (predicted == np.tile(np.arange(2), 200)).mean() < 0.65


def test_the_left_out_error_is_that_of_leaving_images_out():
    """The penalty chosen in closed form is the one that a loop over left-out images would choose."""
    rng = np.random.default_rng(3)
    features = rng.normal(size=(12, 4))
    labels = (features[:, 0] + 0.8 * rng.normal(size=12) > 0).astype(int)
    _, penalty = linear_probe(features, labels, features, classes=2)
    scaled = (features - features.mean(0)) / features.std(0)
    targets = np.eye(2)[labels]
    unit = (scaled**2).sum(1).mean()

    def left_out_error(candidate):
        errors = []
        for out in range(12):
            rest = np.arange(12) != out
            means = scaled[rest].mean(0), targets[rest].mean(0)
            moved = scaled[rest] - means[0]
            weights = np.linalg.solve(
                moved.T @ moved + candidate * unit * np.eye(4), moved.T @ (targets[rest] - means[1])
            )
            errors.append((((scaled[out] - means[0]) @ weights + means[1] - targets[out]) ** 2).mean())
        return np.mean(errors)

    assert penalty == min((10.0**exponent for exponent in range(-4, 5)), key=left_out_error)


def test_a_feature_that_never_changes_is_no_trouble():
    features = np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 1.0], [1.1, 1.0]])
    predicted, _ = linear_probe(features, np.array([0, 0, 1, 1]), np.array([[0.0, 5.0], [1.0, 5.0]]), classes=2)
    assert predicted.tolist() == [0, 1]


def test_of_very_many_labeled_images_a_choice_is_used(monkeypatch):
    module = sys.modules[linear_probe.__module__]
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    monkeypatch.setattr(module, "MAX_LABELED", 8)
    chosen = np.random.default_rng(0).permutation(40)[:8]
    expected, penalty = linear_probe(features[chosen], labels[chosen], features, classes=2)
    found = linear_probe(features, labels, features, classes=2)
    np.testing.assert_array_equal(found[0], expected)
    assert found[1] == penalty
