"""The Fréchet distance against closed forms and SciPy's matrix square root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import ortho_group

from tfgan_app.metrics import FrechetMoments, frechet_distance


def samples_with(mean, covariance, *, count=400):
    """Rows whose sample mean and sample covariance (ddof=1) are exactly these."""
    noise = np.random.default_rng(0).normal(size=(count, len(mean)))
    noise -= noise.mean(0)
    noise = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise, rowvar=False))).T
    return noise @ np.linalg.cholesky(covariance).T + mean


def distance(first, second):
    return frechet_distance(FrechetMoments.of(first), FrechetMoments.of(second))


def distance_by_scipy(first, second):
    covariances = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    difference = first.mean(0) - second.mean(0)
    return difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root)


def test_commuting_covariances():
    # Along each axis: squared difference of the means plus squared difference of the deviations.
    first = samples_with([0.0, 1.0, 2.0], np.diag([1.0, 4.0, 9.0]))
    second = samples_with([3.0, 1.0, 0.0], np.diag([4.0, 4.0, 1.0]))
    assert distance(first, second) == pytest.approx(9 + 4 + 1 + 0 + 4, rel=1e-9)


def test_covariances_that_do_not_commute():
    # In two dimensions Tr sqrt(M) = sqrt(Tr M + 2 sqrt(det M)), with M the product of the covariances.
    covariances = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.0]])
    product = covariances[0] @ covariances[1]
    assert not np.allclose(product, product.T)
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(covariances[0] + covariances[1]) - 2 * root
    assert distance(*(samples_with([1.0, 2.0], x) for x in covariances)) == pytest.approx(expected, rel=1e-9)


def test_agrees_with_scipy():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(90, 12)) @ rng.normal(size=(12, 12)), rng.normal(1, 2, (70, 12))
    assert distance(first, second) == pytest.approx(distance_by_scipy(first, second), rel=1e-8)


def test_fewer_samples_than_features():
    # Embedding in more dimensions by a rotation changes no distance, and leaves singular covariances.
    rng = np.random.default_rng(2)
    small = rng.normal(size=(40, 5)), rng.normal(2, 3, (30, 5))
    rotation = ortho_group.rvs(64, random_state=0)
    embedded = [np.pad(side, ((0, 0), (0, 59))) @ rotation for side in small]
    expected = distance_by_scipy(*small)
    assert distance(*embedded) == pytest.approx(expected, rel=1e-9)
    assert distance(*(side.astype(np.float32) for side in embedded)) == pytest.approx(expected, rel=1e-5)


def test_subspaces_that_do_not_meet_are_the_sum_of_their_variances_apart():
    rng = np.random.default_rng(3)
    rotation = ortho_group.rvs(200, random_state=0)
    first, second = (rng.normal(size=(50, 100)) @ half for half in np.split(rotation, 2))
    difference = first.mean(0) - second.mean(0)
    expected = difference @ difference + first.var(0, ddof=1).sum() + second.var(0, ddof=1).sum()
    assert distance(first, second) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("count", [500, 20], ids=["full_rank", "singular"])
def test_identical_sets_are_no_distance_apart(count):
    features = np.random.default_rng(0).normal(100, 1, (count, 48)).astype(np.float32)
    assert distance(features, features[::-1]) == pytest.approx(0.0, abs=1e-8)


def test_batches_and_merging_give_the_moments_of_the_whole():
    # Far from 0: sums of squares would lose every digit of the variance.
    features = np.random.default_rng(0).normal(1e6, 1.0, (5000, 6))
    streamed, rest = FrechetMoments(6), FrechetMoments(6)
    for batch in np.array_split(features[:2000], [1, 1, 700]):
        streamed.update(batch)
    rest.update(features[2000:])
    streamed.merge(rest)
    streamed.merge(FrechetMoments(6))
    assert streamed.count == 5000
    np.testing.assert_allclose(streamed.mean, features.mean(0), rtol=1e-14)
    np.testing.assert_allclose(streamed.covariance, np.cov(features, rowvar=False), atol=1e-8)


def test_what_has_no_distance_is_refused():
    with pytest.raises(ValueError, match="at least 2 samples. Received: 1"):
        distance(np.zeros((1, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="the same number of features. Received: 3 and 4"):
        distance(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="Received: 3 and 4"):
        FrechetMoments(3).merge(FrechetMoments(4))
    with pytest.raises(ValueError, match="finite"):
        FrechetMoments.of(np.array([[0.0, 1.0], [np.inf, 1.0]]))
    with pytest.raises(ValueError, match=r"\[count, 3\]. Received: shape \[4, 2\]"):
        FrechetMoments(3).update(np.zeros((4, 2)))
