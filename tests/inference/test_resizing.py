"""Resizing of row streams: the values of `resize`, in bands."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tfgan_app.degradations.resampling import resize
from tfgan_app.inference.resizing import Sizing, resized_rows

IMAGE = np.random.default_rng(0).uniform(0, 1, (83, 61, 3)).astype(np.float32)


def strips_of(image, count):
    return (image[top : top + count] for top in range(0, len(image), count))


@pytest.mark.parametrize("target", [(83, 61), (166, 122), (40, 33), (83, 20), (7, 100), (1, 1), (300, 61)])
def test_the_numbers_are_those_of_resize_however_rows_come(target):
    expected = np.clip(resize(IMAGE[None], height=target[0], width=target[1])[0], 0, 1)
    results = [
        np.concatenate(list(resized_rows(strips_of(IMAGE, count), source=IMAGE.shape[:2], target=target)))
        for count in (1, 13, 83)
    ]
    np.testing.assert_allclose(results[0], expected, atol=1e-5)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("target", [(166, 122), (40, 33)])
def test_bilinear_too(target):
    expected = resize(IMAGE[None], height=target[0], width=target[1], method="bilinear")[0]
    options = {"source": IMAGE.shape[:2], "target": target, "method": "bilinear"}
    np.testing.assert_allclose(np.concatenate(list(resized_rows([IMAGE], **options))), expected, atol=1e-5)


@pytest.mark.parametrize("target", [(166, 122), (40, 33)])
def test_inside_it_is_what_pillow_does(target):
    """At the border, Pillow omits pixels beyond it instead of reflecting the image."""
    channel = Image.fromarray(IMAGE[..., 0])
    expected = np.clip(channel.resize(target[::-1], Image.Resampling.BICUBIC), 0, 1)[6:-6, 6:-6]
    result = np.concatenate(list(resized_rows([IMAGE], source=IMAGE.shape[:2], target=target)))[6:-6, 6:-6, 0]
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_flat_images_stay_flat():
    result = np.concatenate(list(resized_rows([np.ones_like(IMAGE)], source=IMAGE.shape[:2], target=(31, 200))))
    np.testing.assert_allclose(result, 1.0, atol=1e-6)


def test_few_rows_are_held():
    """A tall image is never held whole: few rows are read ahead of the output."""
    taken = []

    def strips():
        for index in range(4000):
            taken.append(index)
            yield np.zeros((1, 8, 3), np.float32)

    ahead = done = 0
    for rows in resized_rows(strips(), source=(4000, 8), target=(2000, 4)):
        done += len(rows)
        ahead = max(ahead, len(taken) - 2 * done)
    assert done == 2000 and ahead < 20


@pytest.mark.parametrize(
    ("sizing", "size"),
    [
        (Sizing(scale=1.5), (15, 30)),
        (Sizing(scale=0.01), (1, 1)),
        (Sizing(width=7), (4, 7)),
        (Sizing(height=7), (7, 14)),
        (Sizing(scale=1.5).evened(), (16, 30)),
        (Sizing(width=7).evened(), (4, 7)),
        (Sizing(scale=0.01).evened(), (2, 2)),
    ],
)
def test_sizes(sizing, size):
    assert sizing.size(10, 20) == size
