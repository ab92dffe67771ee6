"""Intervals: coverage of the true value, and width by number of images."""

import numpy as np
import pytest

from tfgan_app.metrics import means_with_intervals
from tfgan_app.metrics.bootstrap import mean_interval
from tfgan_app.metrics.frechet import FrechetMoments, frechet_distance
from tfgan_app.metrics.generation import generation_metrics, set_intervals, small_frechet_distance

BOUNDED = ("precision", "recall", "coverage")


def sets(count, *, seed, dim=8, shift=0.0):
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(size=(2, count, dim)).astype(np.float32)
    return real, fake + np.float32(shift)


@pytest.mark.parametrize("shape", [(20, 5), (20, 40), (7, 300)])
def test_few_rows_have_the_same_frechet_distance(shape):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=shape), 1.0 + 2.0 * rng.normal(size=(shape[0] + 3, shape[1]))
    expected = frechet_distance(FrechetMoments.of(first), FrechetMoments.of(second))
    assert small_frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


@pytest.mark.large
def test_intervals_are_as_wide_as_figures_vary_over_other_images():
    """Of each figure, the deviation over independent sets lies within what one interval says of it."""
    found = [generation_metrics(*sets(200, seed=seed, shift=0.5)) for seed in range(12)]
    for name in ("fid", *BOUNDED, "density"):
        deviation = np.std([each[name] for each in found], ddof=1)
        stated = np.mean([each[f"{name}_high"] - each[f"{name}_low"] for each in found]) / (2 * 1.96)
        assert 0.5 * deviation < stated < 4.0 * deviation, name


def test_intervals_shrink_with_images_and_keep_to_what_is_possible():
    few, many = (generation_metrics(*sets(count, seed=1)) for count in (30, 1000))
    for name in ("fid", *BOUNDED, "density"):
        widths = [each[f"{name}_high"] - each[f"{name}_low"] for each in (few, many)]
        assert widths[1] < widths[0], name
        assert 0.0 <= few[f"{name}_low"] <= few[name] <= few[f"{name}_high"], name
    assert all(few[f"{name}_high"] <= 1.0 for name in BOUNDED)


def test_the_order_of_images_does_not_matter_and_few_have_no_interval():
    real, fake = sets(40, seed=2)
    order = np.random.default_rng(0).permutation(40)
    assert generation_metrics(real[order], fake[order]) == pytest.approx(generation_metrics(real, fake))
    assert set_intervals(real[:11], fake, {"fid": 1.0}) == {}
    assert set(set_intervals(real[:12], fake, {"fid": 1.0})) == {"fid_low", "fid_high"}
    assert not {"fid_low", "precision_low"} & generation_metrics(real, fake, intervals=False).keys()


def test_the_interval_of_a_mean_is_about_that_of_a_normal_distribution():
    values = np.random.default_rng(0).normal(20.0, 2.0, 400)
    low, high = mean_interval(values)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20.0, rel=0.1)
    assert low < values.mean() < high
    assert mean_interval(values) == (low, high)


@pytest.mark.parametrize("values", [[1.0], [], [1.0, np.nan], [1.0, np.inf]])
def test_what_has_no_interval(values):
    assert mean_interval(np.array(values)) is None


def test_means_come_before_their_intervals():
    found = means_with_intervals({"psnr": np.array([20.0, 22.0]), "lpips": np.array([0.1, np.nan])})
    assert list(found) == ["psnr", "lpips", "psnr_low", "psnr_high"]
    assert found["psnr_low"] <= found["psnr"] <= found["psnr_high"]
