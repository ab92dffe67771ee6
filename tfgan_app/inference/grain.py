"""Film grain, added back after a model has removed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Luma weights of BT.601."""


def with_grain(strips: Iterable[np.ndarray], *, amount: float, seed: int, frame: int = 0) -> Iterator[np.ndarray]:
    """Adds grain to an image.

    Gaussian noise, the same in all three channels and independent between output pixels. Its standard deviation is
    `amount * 2 * sqrt(y * (1 - y))` for luma y: the pointwise deviation of the Boolean model of film grain, in which a
    gray of y is covered by grains with probability y (Newson, Delon and Galerne 2017, "A stochastic film grain model
    for resolution-independent rendering", Computer Graphics Forum 36(8)). So black and white stay clean, and nothing is
    clipped to one side. Deviation: no grains larger than a pixel.

    Each row has its own numbers (Philox, by seed, frame and row), so they do not depend on how the image is cut.

    Args:
        strips: float32 [rows, width, 3] in [0, 1], from the top.
        amount: Standard deviation at middle gray, as a share of the range.
        seed: Seed of the noise; not negative.
        frame: Frame number in a video, whose grain must not stand still.

    Yields:
        float32 like the strips, in [0, 1].
    """
    key = np.array([seed % 2**64, frame], np.uint64)
    top = 0
    for rows in strips:
        noise = np.stack([_noise(key, top + index, rows.shape[1]) for index in range(len(rows))])
        luma = np.clip(rows @ _LUMA, 0.0, 1.0)
        noise *= 2.0 * amount * np.sqrt(luma * (1.0 - luma))
        yield np.clip(rows + noise[..., None], 0.0, 1.0)
        top += len(rows)


def _noise(key: np.ndarray, row: int, width: int) -> np.ndarray:
    counter = np.array([0, 0, 0, row], np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key)).standard_normal(width, np.float32)
