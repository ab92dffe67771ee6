"""Intervals of differences, on cases whose answer is known."""

import numpy as np
import pytest

from tfgan_app.metrics import Difference, paired_difference


def test_identical_arms_differ_by_nothing():
    correct = np.random.default_rng(0).random((5, 200)) < 0.7
    difference = paired_difference(correct, correct)
    assert (difference.mean, difference.low, difference.high) == (0.0, 0.0, 0.0)
    assert difference.verdict == "no measurable gain"


def test_equally_good_arms_span_zero():
    rng = np.random.default_rng(0)
    difference = paired_difference(rng.random((5, 400)) < 0.7, rng.random((5, 400)) < 0.7)
    assert difference.low < 0.0 < difference.high
    assert difference.verdict == "no measurable gain"


def test_a_clearly_better_arm_lies_above_zero_and_a_worse_one_below():
    rng = np.random.default_rng(1)
    worse = rng.random((5, 400)) < 0.6
    better = worse | (rng.random((5, 400)) < 0.5)
    difference = paired_difference(worse, better)
    assert difference.mean == pytest.approx(better.mean() - worse.mean())
    assert 0.0 < difference.low < difference.mean < difference.high
    assert difference.verdict == "gain"
    assert paired_difference(better, worse).verdict == "loss"


def test_the_interval_of_one_seed_is_that_of_the_mean_of_its_images():
    # A quarter of 1,000 images flips: the mean's deviation is sqrt(p (1 - p) / n).
    second = np.zeros((1, 1000), bool)
    second[0, :250] = True
    difference = paired_difference(np.zeros_like(second), second)
    half = 1.96 * np.sqrt(0.25 * 0.75 / 1000)
    assert difference.low == pytest.approx(0.25 - half, abs=0.003)
    assert difference.high == pytest.approx(0.25 + half, abs=0.003)


def test_seeds_that_disagree_widen_the_interval():
    # Half of the seeds get everything right: images tell nothing, seeds all.
    second = np.zeros((4, 500), bool)
    second[:2] = True
    difference = paired_difference(np.zeros_like(second), second)
    assert difference.mean == 0.5
    # Four new seeds may all be of either kind; Student's t for 4 seeds is wide.
    assert difference.low < 0.0
    assert difference.high > 1.0


@pytest.mark.large
def test_equally_good_arms_are_seldom_told_apart_by_luck_with_seeds():
    """Seeds vary by 5 points, images by 0.8: of 5 seeds drawn again alone, every sixth verdict would be false."""
    rng, false = np.random.default_rng(0), 0
    for _ in range(150):
        rates = rng.normal(0.7, 0.05, (2, 5, 1))
        first, second = rng.random((2, 5, 3000)) < rates
        false += paired_difference(first, second, resamples=300).verdict != "no measurable gain"
    assert false <= 150 * 0.1


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match=r"one shape.*\[2, 3\] and \[2, 4\]"):
        paired_difference(np.zeros((2, 3), bool), np.zeros((2, 4), bool))


def test_an_end_at_zero_is_no_gain():
    assert Difference(0.1, 0.0, 0.2).verdict == "no measurable gain"
