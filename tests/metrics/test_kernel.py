"""The kernel distance against its definition, and its interval against repeated sampling."""

import numpy as np
import pytest

from tfgan_app.metrics import kernel_inception_distance
from tfgan_app.metrics.kernel import squared_mmd


def kernel(x, y):
    return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3


def squared_mmd_by_hand(first, second):
    """Every pair of rows, one by one."""
    within = [
        np.mean([kernel(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j]) for s in (first, second)
    ]
    return sum(within) - 2 * np.mean([kernel(x, y) for x in first for y in second])


def shifted_samples(rng, count, *, by, dim=4):
    return rng.normal(size=(count, dim)), rng.normal(by, 1, (count, dim))


def test_is_its_definition():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(9, 3)), rng.normal(1, 2, (7, 3))
    assert squared_mmd(first, second) == pytest.approx(squared_mmd_by_hand(first, second), rel=1e-12)


def test_subsets_of_the_largest_size_average_to_the_whole():
    # A mean of unbiased subsets estimates the complete statistic; many subsets come close to it.
    rng = np.random.default_rng(1)
    first, second = shifted_samples(rng, 300, by=0.5)
    measured = kernel_inception_distance(first, second, subsets=2000)
    assert measured["kid"] == pytest.approx(squared_mmd(first, second), rel=0.01)


def test_two_samples_of_one_distribution_are_zero_apart_on_average():
    # A biased estimate would be at least 2 Tr C / n above 0.
    rng = np.random.default_rng(2)
    values = [kernel_inception_distance(*shifted_samples(rng, 60, by=0), subsets=5)["kid"] for _ in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


@pytest.mark.parametrize(
    ("counts", "subset_size", "widest"),
    [((100, 100), 1000, 1.3), ((100, 100), 20, 1.3), ((500, 100), 1000, 1.5)],
    ids=["equal", "small_subsets", "unequal"],
)
@pytest.mark.large
def test_the_interval_holds_the_true_distance_as_often_as_it_says(counts, subset_size, widest):
    rng = np.random.default_rng(3)
    truth = np.mean([squared_mmd(*shifted_samples(rng, 1000, by=1.0)) for _ in range(20)])
    measured = []
    for _ in range(200):
        real, fake = rng.normal(size=(counts[0], 4)), rng.normal(1.0, 1, (counts[1], 4))
        measured.append(kernel_inception_distance(real, fake, subsets=50, subset_size=subset_size))
    assert sum(x["kid_low"] <= truth <= x["kid_high"] for x in measured) >= 178  # 190 are expected.
    # Nor is it wider than needed, but for what unequal counts cost.
    needed = 2 * 1.96 * np.std([x["kid"] for x in measured])
    assert np.mean([x["kid_high"] - x["kid_low"] for x in measured]) < widest * needed


def test_rows_in_another_order_and_another_time_give_the_same_value():
    rng = np.random.default_rng(4)
    first, second = (x.astype(np.float32) for x in shifted_samples(rng, 500, by=0.1))
    measured = kernel_inception_distance(first, second, seed=7)
    assert kernel_inception_distance(rng.permutation(first), rng.permutation(second), seed=7) == measured
    assert kernel_inception_distance(first, second, seed=8) != measured
