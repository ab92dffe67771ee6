import pytest

from tfgan_app.tasks.caveats import above_real, feature_caveats, few_held_out, set_caveats
from tfgan_app.tasks.extremes import both_ends


@pytest.mark.parametrize(("count", "expected"), [(1, "1 held-out image:"), (9, "9 held-out images"), (10, None)])
def test_means_of_few_images_have_a_caveat(count, expected):
    lines = few_held_out(count)
    assert [expected in line for line in lines] == ([True] if expected else [])


@pytest.mark.parametrize(
    ("count", "dim", "neighbors", "expected"),
    [
        (87, 64, True, ["87 held-out images are too few", "FID of 87 images in 64 features"]),
        (300, 64, True, []),
        (300, 512, True, ["FID of 300 images in 512 features"]),
        (100, 32, False, []),
        (60, 32, False, ["FID of 60"]),
    ],
)
def test_sets_that_are_too_small_have_a_caveat(count, dim, neighbors, expected):
    lines = set_caveats(count=count, dim=dim, neighbors=neighbors)
    assert len(lines) == len(expected) and all(text in line for text, line in zip(expected, lines, strict=True))


@pytest.mark.parametrize(
    ("kind", "trained_on", "expected"),
    [
        ("classifier", 576, "a classifier of 576 images"),
        ("classifier", 2400, None),
        ("random", 0, "a random network"),
        ("vgg16", 0, None),
        ("inception", 0, None),
    ],
)
def test_weak_features_have_a_caveat(kind, trained_on, expected):
    lines = feature_caveats(kind=kind, trained_on=trained_on)
    assert [expected in line for line in lines] == ([True] if expected else [])


@pytest.mark.parametrize(
    ("measured", "names"),
    [
        ({"precision": 0.95, "floor_precision": 0.8, "density": 0.9, "floor_density": 1.0}, ["precision"]),
        ({"precision": 0.81, "floor_precision": 0.8, "density": 1.4, "floor_density": 1.0}, ["density"]),
        ({"precision": 0.5, "floor_precision": 0.8}, []),
        ({}, []),
    ],
)
def test_scores_above_real_ones_have_a_caveat(measured, names):
    assert [line.split()[0] for line in above_real(measured)] == names


@pytest.mark.parametrize("count", range(8))
def test_best_and_worst_share_nothing(count):
    best, worst = both_ends(list(range(count)), most=3)
    assert len(set(best) | set(worst)) == len(best) + len(worst) == min(count, 6)
    assert list(best) == sorted(best) and list(worst) == sorted(worst, reverse=True)
    assert len(best) - len(worst) in (0, 1)
