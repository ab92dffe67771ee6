"""Precision, recall, density and coverage against naive counting, and in situations with a known answer."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from tfgan_app.metrics import density_coverage, manifold, precision_recall


def measure(real, fake):
    return {**precision_recall(real, fake), **density_coverage(real, fake)}


def measure_naively(real, fake):
    def radii(samples, k):
        return np.sort(cdist(samples, samples), axis=1)[:, k]

    distances = cdist(real, fake)
    inside = distances <= radii(real, 5)[:, None]
    return {
        "precision": (distances <= radii(real, 3)[:, None]).any(axis=0).mean(),
        "recall": (distances <= radii(fake, 3)[None]).any(axis=1).mean(),
        "density": inside.sum() / (5 * len(fake)),
        "coverage": inside.any(axis=1).mean(),
    }


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("chunk_bytes", [1, 10_000, 2**24])
def test_counts_what_a_naive_count_does(rng, monkeypatch, chunk_bytes):
    monkeypatch.setattr(manifold, "_CHUNK_BYTES", chunk_bytes)
    real = rng.normal(size=(150, 6)).astype(np.float32)
    fake = rng.normal(0.5, 0.7, (130, 6)).astype(np.float32)
    expected = measure_naively(real, fake)
    assert 0.1 < expected["recall"] < expected["precision"] < 1
    assert measure(real, fake) == pytest.approx(expected)


def test_near_duplicates_far_from_the_origin_keep_their_distances(rng):
    # Squared distances of 1e-6 between vectors of squared length 1e7.
    real = 1000 + rng.normal(0, 1e-3, (60, 8))
    fake = 1000 + rng.normal(0, 1e-3, (60, 8))
    assert measure(real, fake) == pytest.approx(measure_naively(real, fake))


def test_identical_sets(rng):
    features = rng.normal(size=(100, 8)).astype(np.float32)
    measured = measure(features, features)
    assert measured["precision"] == measured["recall"] == measured["coverage"] == 1.0
    # Each ball holds its center and its five nearest neighbors.
    assert measured["density"] == pytest.approx(6 / 5)


def test_copies_of_an_image_that_the_data_hold_many_times_count(rng):
    # Radii of 0: only an exact 0 of the distance is inside, and products of other shapes round differently.
    images = rng.normal(0, 30, (37, 512)).astype(np.float32)
    measured = measure(images.repeat(6, axis=0), images.repeat(4, axis=0))
    assert measured["precision"] == measured["recall"] == measured["coverage"] == 1.0
    assert measured["density"] == pytest.approx(6 / 5)


def test_sets_far_apart(rng):
    real, fake = rng.normal(size=(100, 8)), rng.normal(100, 1, (100, 8))
    assert measure(real, fake) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_dropped_modes_cost_recall_and_coverage_but_not_precision(rng):
    centers = np.eye(4) * 50
    real = np.concatenate([rng.normal(center, 1, (100, 4)) for center in centers])
    fake = np.concatenate([rng.normal(center, 1, (200, 4)) for center in centers[:2]])
    measured = measure(real, fake)
    assert measured["precision"] > 0.9
    assert measured["recall"] < 0.5
    assert measured["coverage"] <= 0.5


def test_an_outlier_inflates_precision_but_not_density(rng):
    real, fake = rng.normal(size=(200, 4)), rng.normal(12, 1, (200, 4))
    assert measure(real, fake)["precision"] == 0
    # Its ball reaches back to the real images, over all the fakes beside it.
    real[0] = 12
    measured = measure(real, fake)
    assert measured["precision"] > 0.95
    assert measured["density"] < 0.25
    assert measured["coverage"] <= 1 / 200


def test_two_samples_of_one_distribution_have_a_density_of_one(rng):
    measured = measure(rng.normal(size=(1500, 8)), rng.normal(size=(1500, 8)))
    assert measured["density"] == pytest.approx(1.0, abs=0.05)
    # Naeem et al. 2020, lemma 2: 1 - (n - 1)...(n - k) / ((2n - 1)...(2n - k)), about 1 - 2^-k.
    assert measured["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)
