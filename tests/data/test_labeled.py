"""Labeled images as values: what they accept, how they are split and told apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tfgan_app.data.labeled import LabeledImages, hold_out, labeled_fingerprint


def of_classes(*counts, first=0):
    """Images `c0/p0`, `c0/p1`, ... of classes of the given sizes, each image filled with its position."""
    names = [f"c{label}/p{i}" for label, count in enumerate(counts) for i in range(first, first + count)]
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    images = np.broadcast_to(np.arange(len(names), dtype=np.uint8)[:, None, None, None], (len(names), 2, 2, 1))
    return LabeledImages(names, labels, images=images)


def test_select_keeps_name_label_and_image_together():
    images = of_classes(3, 4).select([5, 0])
    assert (images.names, images.labels.tolist()) == (["c1/p2", "c0/p0"], [1, 0])
    assert images.images[:, 0, 0, 0].tolist() == [5, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"paths": None, "images": None}, "both or neither"),
        ({"paths": ["x"], "images": np.zeros((1, 2, 2, 3), np.uint8)}, "both or neither"),
        ({"images": np.zeros((2, 2, 2, 3), np.uint8)}, r"must be of equal number. Received: \(1, 1, 2\)"),
        ({"images": np.zeros((1, 2, 2, 3), np.float32)}, r"uint8.*Received: float32 \[1, 2, 2, 3\]"),
        ({"images": np.zeros((1, 2, 2), np.uint8)}, r"Received: uint8 \[1, 2, 2\]"),
        ({"images": np.zeros((1, 2, 2, 4), np.uint8)}, r"Received: uint8 \[1, 2, 2, 4\]"),
    ],
)
def test_what_does_not_fit_together_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        LabeledImages(["a"], np.zeros(1, np.int32), **values)


def test_hold_out_takes_a_share_of_every_class_and_leaves_one():
    images = of_classes(200, 50, 2, 1)
    train, val = hold_out(images, fraction=0.2, seed=0)
    assert sorted(train.names + val.names) == sorted(images.names)
    held_out = Counter(val.labels.tolist())
    assert 25 <= held_out[0] <= 55 and 4 <= held_out[1] <= 18
    assert (held_out[2], held_out[3]) == (1, 0)
    for part in (train, val):
        positions = [images.names.index(name) for name in part.names]
        assert positions == sorted(positions) == part.images[:, 0, 0, 0].tolist()
        assert part.labels.tolist() == images.labels[positions].tolist()


def test_hold_out_is_seeded_and_stays_when_images_and_classes_are_added():
    few, many = of_classes(60, 40), of_classes(80, 60, 30)
    before = hold_out(few, fraction=0.3, seed=0)
    after = hold_out(many, fraction=0.3, seed=0)
    for old, new in zip(before, after, strict=True):
        assert set(old.names) <= set(new.names)
    assert before[1].names == hold_out(few, fraction=0.3, seed=0)[1].names
    assert before[1].names != hold_out(few, fraction=0.3, seed=1)[1].names


@pytest.mark.parametrize(("fraction", "expected"), [(0, 0), (1, 9)])
def test_nothing_or_everything_can_be_held_out(fraction, expected):
    train, val = hold_out(of_classes(5, 4), fraction=fraction, seed=0)
    assert (len(train), len(val)) == (9 - expected, expected)


def test_fingerprint_of_an_array_sees_every_pixel_and_label():
    images = of_classes(3, 2)
    pixels = images.images.copy()
    pixels[4, 1, 1, 0] += 1
    labels = images.labels.copy()
    labels[0] = 1
    others = [
        LabeledImages(images.names, images.labels, images=pixels),
        LabeledImages(images.names, labels, images=images.images),
        LabeledImages(images.names, images.labels, images=images.images.reshape(5, 1, 4, 1)),
        images.select(range(4)),
    ]
    digests = {labeled_fingerprint(some) for some in (images, *others)}
    assert len(digests) == 5
    assert labeled_fingerprint(images.select(range(5))) == labeled_fingerprint(images)


def test_fingerprint_of_files_sees_names_and_sizes(tmp_path):
    def fingerprint(names):
        paths = [tmp_path / name for name in names]
        return labeled_fingerprint(LabeledImages(names, np.full(len(names), -1, np.int32), paths=paths))

    for name in "abc":
        (tmp_path / name).write_bytes(b"12")
    first = fingerprint(["a", "b"])
    assert len({first, fingerprint(["a", "c"]), fingerprint(["a"])}) == 3
    (tmp_path / "b").write_bytes(b"123")
    assert fingerprint(["a", "b"]) != first
