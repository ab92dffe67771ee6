"""Selection of drawn images: effect of each filter, bound on the draws."""

import json
from pathlib import Path

import numpy as np
import pytest

from tfgan_app.tasks.augment.distances import as_points, copy_distances, nearest
from tfgan_app.tasks.augment.selection import COPY, DUPLICATE, LOW_CONFIDENCE, Drawn, Thresholds, select_images
from tfgan_app.tasks.augment.writing import MANIFEST, SUMMARY, check_new_folder, write_selection

THRESHOLDS = Thresholds(confidence=0.5, distances=(0.01, 0.01), duplicate_share=0.5, max_draws=3)
REAL = np.full((1, 4, 4, 1), 7, np.uint8)


def _draw(images_of, confidence=lambda seed: 0.9):
    """Draws by seed; the classifier is `confidence` sure of the wanted class."""

    def draw(seeds, labels):
        images = np.stack([images_of(int(seed)) for seed in seeds])
        sure = np.array([confidence(int(seed)) for seed in seeds], np.float32)
        probabilities = np.where(np.eye(2)[labels] > 0, sure[:, None], 1 - sure[:, None]).astype(np.float32)
        found = nearest(as_points(images), as_points(REAL))
        scores = np.zeros(len(seeds), np.float32)
        return Drawn(images, labels, seeds, scores, probabilities, found.distances, found.indices)

    return draw


def _noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (4, 4, 1), np.uint8)


def _select(draw, per_class=4, batch_size=5, first_seed=0, thresholds=THRESHOLDS):
    return select_images(
        draw, classes=2, per_class=per_class, first_seed=first_seed, thresholds=thresholds, batch_size=batch_size
    )


def test_good_images_are_kept_in_the_order_of_their_seeds():
    selection = _select(_draw(_noise), first_seed=10)
    assert selection.kept.seeds.tolist() == [10, 11, 12, 13] * 2
    assert selection.kept.labels.tolist() == [0] * 4 + [1] * 4
    assert [(count.kept, count.drawn, count.is_short) for count in selection.counts] == [(4, 4, False)] * 2
    np.testing.assert_array_equal(selection.kept.images[1], _noise(11))


def test_images_of_low_confidence_are_dropped():
    selection = _select(_draw(_noise, confidence=lambda seed: 0.9 if seed % 2 else 0.4))
    assert selection.kept.seeds[:4].tolist() == [1, 3, 5, 7]
    assert selection.counts[0].dropped == {LOW_CONFIDENCE: 4, COPY: 0, DUPLICATE: 0}


def test_copies_of_training_images_are_dropped():
    selection = _select(_draw(lambda seed: _noise(seed) if seed % 2 else REAL[0] + 1))
    assert selection.kept.seeds[:4].tolist() == [1, 3, 5, 7]
    assert selection.counts[1].dropped[COPY] == 4


@pytest.mark.parametrize("batch_size", [2, 50], ids=["of earlier batches", "of the same batch"])
def test_near_duplicates_are_dropped(batch_size):
    selection = _select(_draw(lambda seed: _noise(seed // 2)), batch_size=batch_size)
    assert selection.kept.seeds[:4].tolist() == [0, 2, 4, 6]
    assert selection.counts[0].dropped[DUPLICATE] == 3


def test_drawing_ends_at_its_bound():
    selection = _select(_draw(lambda seed: _noise(0)), per_class=4)
    assert [(count.kept, count.drawn, count.is_short) for count in selection.counts] == [(1, 12, True)] * 2


def test_no_image_at_all_is_an_empty_selection():
    selection = _select(_draw(_noise, confidence=lambda seed: 0.1))
    assert selection.kept.images.shape == (0, 4, 4, 1)
    assert [count.kept for count in selection.counts] == [0, 0]


def test_distances_are_root_mean_squares_of_pixels():
    images = np.zeros((2, 40, 40, 3), np.uint8)
    images[1] = 51
    found = nearest(as_points(images[1:]), as_points(images[:1]))
    assert found.distances == pytest.approx([0.2], abs=1e-6)
    assert nearest(as_points(images), as_points(images)).distances.tolist() == [0.0, 0.0]


def test_the_copy_distance_is_a_quantile_of_each_class():
    # On a line: class 0 at 0, 1, 3 (nearest others 1, 1, 2), class 1 a single point.
    points = np.array([[0.0], [1.0], [3.0], [3.1]], np.float32)
    labels = np.array([0, 0, 0, 1])
    assert copy_distances(points, labels, classes=2, quantile=1.0) == pytest.approx((2.0, 2.0))
    assert copy_distances(points, labels, classes=2, quantile=0.0) == pytest.approx((1.0, 1.0))


def test_training_images_that_are_there_twice_do_not_switch_the_filters_off():
    points = np.array([[0.0], [0.0], [1.0], [3.0]], np.float32)
    assert copy_distances(points, np.zeros(4, int), classes=1, quantile=0.0) == pytest.approx((1.0,))


def test_a_written_selection_has_folders_a_manifest_and_a_summary(tmp_path):
    selection = _select(_draw(_noise), per_class=2)
    names = {"class_names": ("a", "b/c"), "training_names": ["a/first"], "checkpoint": "last.keras"}
    write_selection(tmp_path / "out", selection, **names)
    lines = (tmp_path / "out" / MANIFEST).read_text().splitlines()
    assert lines[0] == "file,class,seed,discriminator_score,confidence,nearest_distance,nearest_training_image"
    assert lines[1].startswith("a/seed-0000000.png,a,0,0,0.9,0.")
    assert lines[3].startswith("b_c/seed-0000000.png,b/c,0,")
    assert lines[1].endswith(",a/first")
    summary = json.loads((tmp_path / "out" / SUMMARY).read_text())
    assert (summary["least_confidence"], summary["classes"]["a"]["copy_distance"]) == (0.5, 0.01)
    assert len(list((tmp_path / "out").rglob("*.png"))) == 4
    with pytest.raises(ValueError, match="new or an empty folder"):
        write_selection(tmp_path / "out", selection, **names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_nothing_is_left_of_a_writing_that_failed(tmp_path):
    selection = _select(_draw(_noise), per_class=2)
    with pytest.raises(IndexError):
        write_selection(tmp_path / "out", selection, class_names=("a", "b"), training_names=[], checkpoint="")
    assert list(tmp_path.iterdir()) == []


def _write(folder, class_names=("a", "b")):
    names = {"class_names": class_names, "training_names": ["first"], "checkpoint": ""}
    write_selection(folder, _select(_draw(_noise), per_class=1), **names)


def test_an_empty_folder_is_filled_and_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    _write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["a", "b", MANIFEST, SUMMARY]
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    _write(Path("."))
    assert len(list((tmp_path / "here").iterdir())) == 4


def test_a_place_where_no_folder_can_be_is_refused_before_anything_is_drawn(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for place in ("file", "file/below", "nowhere"):
        with pytest.raises(ValueError, match="`--output` must be"):
            check_new_folder(tmp_path / place)
    check_new_folder(tmp_path / "new" / "below")


def test_a_class_may_be_called_as_a_file_of_the_folder(tmp_path):
    _write(tmp_path / "out", class_names=("Manifest.csv", "b"))
    assert (tmp_path / "out" / "Manifest.csv_" / "seed-0000000.png").is_file()
