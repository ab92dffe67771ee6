"""Features learned from the data's classes: reproducible, cached, and able to separate sets."""

import random

import keras
import numpy as np
import pytest

from tfgan_app.metrics import FrechetMoments, frechet_distance, train_classifier_features
from tfgan_app.metrics import classifier_features as module


def striped_images(count, *, size=12, channels=1, seed=0):
    """Two classes: upright and lying stripes, noisy."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count, np.int32)
    stripes = np.where(np.arange(size) // 2 % 2, 200.0, 50.0)
    upright = np.broadcast_to(stripes, (size, size))
    clean = np.where(labels[:, None, None] == 0, upright, upright.T)
    noisy = np.clip(clean + rng.normal(0, 30, clean.shape), 0, 255).astype(np.uint8)
    return noisy[..., None].repeat(channels, axis=-1), labels


@pytest.fixture(scope="module")
def network():
    return train_classifier_features(*striped_images(300), classes=2, steps=40)


def test_features_are_standardized_and_separate_the_classes(network):
    images, labels = striped_images(400, seed=1)
    features = network(images)
    assert features.shape == (400, 64) and network.dim == 64
    assert np.median(features.std(0)) == pytest.approx(1.0, abs=0.2)
    # Before the ReLU: both signs.
    assert (features < 0).mean() > 0.2
    means = [features[labels == label].mean(0) for label in (0, 1)]
    spread = features[labels == 0].std(0).mean()
    assert np.linalg.norm(means[0] - means[1]) > 5 * spread


def test_the_distance_between_sets_sees_a_missing_class_and_blur(network):
    images, _ = striped_images(600, seed=1)
    rest, rest_labels = striped_images(600, seed=2)
    shifts = [np.roll(images.astype(int), (i, j), axis=(1, 2)) for i in range(2) for j in range(2)]
    blurred = (sum(shifts) // 4).astype(np.uint8)
    moments = FrechetMoments.of(network(images))
    floor, dropped, blur = (
        frechet_distance(moments, FrechetMoments.of(network(x))) for x in (rest, rest[rest_labels == 0], blurred)
    )
    assert dropped > 5 * floor and blur > 5 * floor


def test_data_and_seed_decide_the_weights_and_nobody_elses_random_numbers():
    data = striped_images(50)
    states = random.getstate(), np.random.get_state()[1].tolist()
    calls = []
    first = train_classifier_features(
        *data, classes=2, steps=3, on_progress=lambda done, steps: calls.append((done, steps))
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    keras.utils.set_random_seed(99)
    assert train_classifier_features(*data, classes=2, steps=3).digest == first.digest
    assert train_classifier_features(*data, classes=2, steps=3, seed=1).digest != first.digest
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert train_classifier_features(*data, classes=2, steps=3).digest == first.digest


def test_weights_are_kept_and_damaged_ones_trained_again(tmp_path, monkeypatch):
    images, labels = striped_images(40)
    trained = []

    def train(model, *_):
        trained.append(True)
        model.set_weights([weight + 0.5 for weight in model.get_weights()])

    def features(images=images, labels=labels, **options):
        trained.clear()
        return train_classifier_features(images, labels, **{"classes": 2, **options}, cache_dir=tmp_path / "new")

    monkeypatch.setattr(module, "_train", train)
    first = features()
    assert trained
    (kept,) = (tmp_path / "new").iterdir()
    assert features().digest == first.digest and not trained
    np.testing.assert_array_equal(features()(images), first(images))
    whole = kept.read_bytes()
    for damaged in (b"", whole[:1000], whole[:5000] + b"?" * 100 + whole[5100:], b"no archive"):
        kept.write_bytes(damaged)
        assert features().digest == first.digest and trained
        assert features().digest == first.digest and not trained
    np.savez(kept, weight_0=np.zeros(3))
    assert features().digest == first.digest and trained
    changed = images.copy()
    changed[0, 0, 0] += 1
    for other in ({"images": changed}, {"labels": 1 - labels}, {"classes": 3}, {"seed": 1}, {"steps": 4}):
        features(**other)
        assert trained
    assert len(list((tmp_path / "new").iterdir())) == 6


def test_the_protocol_says_what_it_was_trained_on(network):
    assert network.protocol() == {
        "features": "classifier",
        "features_digest": network.digest,
        "features_trained_on": "300 images of 2 classes, 12 x 12 x 1",
        "features_resize": "none",
    }


def test_large_color_images_are_reduced_by_area(monkeypatch):
    images, labels = striped_images(8, size=96, channels=3)
    monkeypatch.setattr(module, "_train", lambda *_: None)
    network = train_classifier_features(images, labels, classes=2)
    assert network.protocol()["features_resize"] == "64 x 64 px, area"
    # Means over areas: of 3 px in two cells, the middle one counts half for each.
    rows = np.kron(np.eye(32), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]])
    expected = np.einsum("ih,bhwc,jw->bijc", rows, images.astype(np.float64), rows) / 127.5 - 1
    np.testing.assert_allclose(network._prepare(images), expected, atol=1e-4)
    assert network(images[..., :1]).shape == (8, 64)


def test_images_of_another_shape_than_the_trainings_are_refused(network):
    for images in (np.zeros((1, 14, 12, 1), np.uint8), np.zeros((1, 12, 12, 3), np.uint8)):
        with pytest.raises(ValueError, match="12 x 12 px with 1 channels. Received: "):
            network(images)


def test_data_without_usable_classes_are_refused():
    images, labels = striped_images(10)
    with pytest.raises(ValueError, match="at least 2 classes. Received: 1"):
        train_classifier_features(images, labels * 0, classes=1)
    with pytest.raises(ValueError, match=r"in \[0, 2\). Received: -1 to -1"):
        train_classifier_features(images, labels * 0 - 1, classes=2)
    with pytest.raises(ValueError, match="one integer label for each"):
        train_classifier_features(images, labels[:-1], classes=2)
    with pytest.raises(ValueError, match="uint8"):
        train_classifier_features(images / 255.0, labels, classes=2)
