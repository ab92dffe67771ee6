"""Retrieval precision by an encoder trained on the data's own pairs."""

from __future__ import annotations

import numpy as np
import pytest

from tfgan_app.metrics import TextRetrieval

COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 255, 255]], np.uint8)
TOKENS = np.array([[index + 2, 1] for index in range(len(COLORS))], np.int32)


def colored(labels, seed):
    """Images of 16 px in the color of each label, with noise."""
    noise = np.random.default_rng(seed).integers(-20, 20, (len(labels), 16, 16, 3))
    return np.clip(COLORS[labels][:, None, None].astype(int) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    labels = np.arange(48, dtype=np.int32) % len(COLORS)
    images = colored(labels, 0)
    return TextRetrieval(images, labels, TOKENS, steps=60, cache_dir=folder), images, labels, folder


def test_images_find_their_own_texts(trained):
    retrieval, _, labels, _ = trained
    assert retrieval.precision(colored(labels, 1), labels) > 0.9


def test_images_of_other_texts_do_not(trained):
    retrieval, _, labels, _ = trained
    assert retrieval.precision(colored((labels + 1) % len(COLORS), 1), labels) < 0.1


def test_weights_are_kept(trained, monkeypatch):
    retrieval, images, labels, folder = trained
    monkeypatch.setattr(TextRetrieval, "_train", lambda *args: pytest.fail("trained again"))
    again = TextRetrieval(images, labels, TOKENS, steps=60, cache_dir=folder)
    test = colored(labels, 2)
    assert again.precision(test, labels) == retrieval.precision(test, labels)


def test_damaged_weights_are_trained_again(trained):
    _, images, labels, folder = trained
    (path,) = folder.glob("*.npz")
    path.write_bytes(path.read_bytes()[:1000])
    again = TextRetrieval(images, labels, TOKENS, steps=2, cache_dir=None)
    assert 0.0 <= again.precision(images, labels, candidates=2) <= 1.0
    assert TextRetrieval(images, labels, TOKENS, steps=60, cache_dir=folder).precision(images, labels) > 0.9
