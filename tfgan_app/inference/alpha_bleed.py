"""Color for fully transparent pixels, so that hidden colors do not bleed into visible ones."""

from __future__ import annotations

import numpy as np

from tfgan_app.inference.levels import peak_of, to_levels

_BLOCK_ROWS = 256
_TRUST = 4.0
"""Where a quarter of the area below a coarse pixel is opaque, its color counts as known."""


def fill_hidden_color(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Gives fully transparent pixels the color of the visible ones around them.

    Colors are averaged over ever larger squares with alpha as the weight, and those averages are spread back
    into the gaps: the pull-push algorithm (Gortler et al. 1996, "The Lumigraph"), with bilinear spreading.

    Args:
        pixels: uint8, uint16 or float32 [height, width, channels], straight color.
        alpha: The same dtype [height, width], 0 is transparent.

    Returns:
        An image like `pixels`, unchanged wherever `alpha` is not 0. `pixels` itself if there is nothing to fill, or no
        visible color to fill with.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return pixels
    levels = [_halved_image(pixels, alpha)]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_halved(levels[-1]))
    estimate = _colors(levels.pop())
    while levels:
        known = levels.pop()
        trust = np.minimum(known[..., -1:] * _TRUST, 1.0)
        spread = _doubled(estimate, known.shape[:2])
        estimate = spread + trust * (_colors(known) - spread)
    filled = pixels.copy()
    for top in range(0, len(alpha), _BLOCK_ROWS):
        rows, columns = np.nonzero(hidden[top : top + _BLOCK_ROWS])
        colors = _bilinear(estimate, rows + top, columns)
        filled[rows + top, columns] = to_levels(colors, pixels.dtype)
    return filled


def _halved_image(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """float32 [height / 2, width / 2, channels + 1]: means of color times weight, and of the weight in [0, 1]."""
    height, width, channels = pixels.shape
    halved = np.empty(((height + 1) // 2, (width + 1) // 2, channels + 1), np.float32)
    for top in range(0, height, _BLOCK_ROWS):
        rows = slice(top, top + _BLOCK_ROWS)
        weights = alpha[rows, :, None].astype(np.float32) / peak_of(alpha.dtype)
        weighted = np.concatenate([pixels[rows] * weights, weights], axis=-1)
        halved[top // 2 : (top + len(weighted) + 1) // 2] = _halved(weighted)
    return halved


def _halved(weighted: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 squares; pixels beyond an odd side have no weight."""
    height, width, channels = weighted.shape
    padded = np.pad(weighted, ((0, height % 2), (0, width % 2), (0, 0)))
    return padded.reshape((height + 1) // 2, 2, (width + 1) // 2, 2, channels).mean(axis=(1, 3))


def _colors(weighted: np.ndarray) -> np.ndarray:
    return weighted[..., :-1] / np.maximum(weighted[..., -1:], 1e-12)


def _doubled(coarse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    return np.stack([_bilinear(coarse, np.full(width, row), np.arange(width)) for row in range(height)])


def _bilinear(coarse: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Colors [count, channels] at positions of a grid of twice the size."""
    (top, bottom, below), (left, right, beside) = (
        _neighbors(places, size) for places, size in zip((rows, columns), coarse.shape[:2], strict=True)
    )
    upper = coarse[top, left] + beside * (coarse[top, right] - coarse[top, left])
    lower = coarse[bottom, left] + beside * (coarse[bottom, right] - coarse[bottom, left])
    return upper + below * (lower - upper)


def _neighbors(places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two coarse positions on either side, and the weight [count, 1] of the second."""
    first = (places - 1) // 2
    weights = np.where(places % 2 == 0, 0.75, 0.25).astype(np.float32)[:, None]
    return np.clip(first, 0, size - 1), np.clip(first + 1, 0, size - 1), weights
