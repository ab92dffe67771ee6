"""Images that two sets have in common, by contents and whatever their names."""

import numpy as np
import pytest

from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.overlap import count_shared, count_shared_pairs, shared_files
from tfgan_app.data.pairs import ImagePair


@pytest.fixture
def files(tmp_path):
    contents = {"a.png": b"one", "b.png": b"two", "sub/a.png": b"one", "c.png": b"three", "same_size.png": b"eno"}
    for name, content in contents.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return {name: tmp_path / name for name in contents}


def of_files(paths):
    return LabeledImages([str(path) for path in paths], np.zeros(len(paths), np.int32), list(paths))


def test_files_are_known_by_contents(files):
    measured = [files[name] for name in ("sub/a.png", "b.png", "same_size.png")]
    assert shared_files(measured, [files["a.png"], files["c.png"]]) == [True, False, False]
    assert shared_files(measured, []) == [False, False, False]
    assert count_shared(of_files(measured), of_files(measured)) == 3


def test_arrays_are_known_by_contents_and_have_nothing_in_common_with_files(files):
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 1), np.uint8)
    arrays = [
        LabeledImages([str(i) for i in rows], np.zeros(len(rows), np.int32), images=images[rows])
        for rows in (np.array([0, 1, 2]), np.array([5, 2, 1]))
    ]
    assert count_shared(*arrays) == 2
    assert count_shared(arrays[0], of_files([files["a.png"]])) == 0


def test_a_pair_is_known_by_either_side(files):
    def pair(first, second):
        return ImagePair(first, files[first], files[second])

    measured = [pair("sub/a.png", "b.png"), pair("c.png", "same_size.png")]
    assert count_shared_pairs(measured, [pair("a.png", "c.png")]) == 2
    assert count_shared_pairs(measured, [pair("a.png", "a.png")]) == 1
