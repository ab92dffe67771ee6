"""The values of black and white: one rule for everything that reads images.

- Unsigned 8 and 16 bits: the type's range, for any values. A dark image stays dark.
- Signed 8 and 16 bits: 0 to the type's largest value (127, 32,767); negative values are black.
- Floats, by the quantiles of the values that are finite and above zero: 0 to 1 where 95 % are at most 1.5, so that
  overshoot and highlights do not count. Else by `q`, the 99 % quantile: 0 to 255 where it is above 255/16 and at most
  1.5 * 255; 0 to 65,535 likewise; else 0 to `q` (high dynamic range). NaN and negative values are black, all above the
  range is white.
- 32- and 64-bit integers, which no camera fills: 0 to 255 or 0 to 65,535 where `q` is not above it, else 0 to the
  type's largest value.

The maximum never decides: one wrong pixel would make the rest of the image black.
"""

from __future__ import annotations

import numpy as np

InputRange = tuple[float, float]
"""Values of black and white, the lower one first."""

_QUANTILE, _LOWER_QUANTILE = 0.99, 0.95
_WHITES = (1.0, 255.0, 65535.0)
_OVERSHOOT = 1.5
_DARKEST = 1 / 16
"""An image stored as 0..255 or 0..65535 has values above this share of white; a high dynamic range image may not."""

_ROUNDED = " and rounded to 16 bits"
_SAMPLED_PIXELS = 2**20
_BLOCK_VALUES = 2**22


class RangeNote(str):
    """A note on the range that was used."""

    @property
    def range_alone(self) -> str:
        """The note without the depth of the result, which 8-bit readers do not have."""
        return self.removesuffix(_ROUNDED)


def chosen_range(values: np.ndarray, *, bits: int) -> InputRange:
    """Range of pixel values by the rule of this module.

    Args:
        values: [height, width, channels], floats or integers of any type.
        bits: Used bits of a value, for example 12 of a 16-bit type.

    Returns:
        The values of black and white.
    """
    if values.dtype.kind == "f":
        return 0.0, _white_of_floats(values)
    peak = float(2 ** (bits - (values.dtype.kind == "i")) - 1)
    if bits > 16:
        high = _high_value(values)
        peak = next((white for white in _WHITES[1:] if high <= white), peak)
    return 0.0, peak


def to_unsigned(
    values: np.ndarray,
    *,
    bits: int,
    notes: list[str],
    has_alpha: bool = False,
    input_range: InputRange | None = None,
) -> np.ndarray:
    """Scales values of any type to the full range of 8 or 16 bits.

    Args:
        values: [height, width, channels], floats or integers of any type.
        bits: Used bits of a value.
        notes: Receives the range that was used, unless it is that of an unsigned type.
        has_alpha: Whether the last channel is transparency, which has its own range.
        input_range: User-chosen values of black and white. Unsigned 8-bit values keep their range.

    Returns:
        uint8 where `values` is, else uint16, of the same shape.

    Raises:
        ValueError: If the values are neither floats nor integers.
    """
    kind = values.dtype.kind
    if kind not in "fiu" or not bits:
        raise ValueError("this kind of TIFF is not supported; save it as RGB of 8 or 16 bits")
    if kind == "u" and bits == 8:
        return values.astype(np.uint8, copy=False)
    if kind == "u" and bits <= 16 and input_range is None:
        return spread(values, 2**bits - 1)
    colors = values.shape[2] - has_alpha
    low, high = chosen_range(values[..., :colors], bits=bits) if input_range is None else input_range
    if not low < high:
        raise ValueError(f"the input range must be LOW,HIGH with LOW below HIGH. Received: {low:g},{high:g}")
    notes.append(RangeNote(f"{_kind_name(kind, bits)} were read as {_number(low)} to {_number(high)}{_ROUNDED}"))
    result = np.empty(values.shape, np.uint16)
    _scale(values[..., :colors], result[..., :colors], low, high)
    if has_alpha:
        _scale(values[..., colors:], result[..., colors:], 0.0, _white_of_alpha(values[..., colors:], bits))
    return result


def spread(values: np.ndarray, peak: int) -> np.ndarray:
    """Scales integers of 0..peak, at most 16 bits, to uint16 0..65535, rounded."""
    if peak == 65535:
        return values.astype(np.uint16, copy=False)
    scaled = (np.minimum(values, peak).astype(np.uint32) * 65535 + peak // 2) // peak
    return scaled.astype(np.uint16)


def _white_of_floats(values: np.ndarray) -> float:
    if _high_value(values, _LOWER_QUANTILE) <= _OVERSHOOT:
        return 1.0
    high = _high_value(values)
    return next((white for white in _WHITES[1:] if white * _DARKEST < high <= white * _OVERSHOOT), high)


def _white_of_alpha(alpha: np.ndarray, bits: int) -> float:
    """Smallest range that holds the transparency, which has no high dynamic range."""
    if alpha.dtype.kind != "f":
        return chosen_range(alpha, bits=bits)[1]
    high = _high_value(alpha)
    return next((white for white in _WHITES if high <= white * _OVERSHOOT), _WHITES[-1])


def _high_value(values: np.ndarray, quantile: float = _QUANTILE) -> float:
    """Quantile of the finite values above zero, on evenly spaced pixels of large images; 0 if there are none."""
    pixels = values.reshape(-1, values.shape[-1])
    pixels = pixels[:: -(-len(pixels) // _SAMPLED_PIXELS)]
    wanted = pixels[np.isfinite(pixels) & (pixels > 0)] if pixels.dtype.kind == "f" else pixels[pixels > 0]
    return float(np.quantile(wanted.astype(np.float64), quantile)) if wanted.size else 0.0


def _scale(values: np.ndarray, result: np.ndarray, low: float, high: float) -> None:
    """Writes low..high as 0..65535, some rows at a time."""
    rows = max(1, _BLOCK_VALUES // max(1, values[0].size))
    for top in range(0, len(values), rows):
        block = values[top : top + rows].astype(np.float64)
        np.nan_to_num(block, copy=False, nan=low, posinf=high, neginf=low)
        result[top : top + rows] = np.rint(np.clip((block - low) / (high - low), 0.0, 1.0) * 65535.0)


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _kind_name(kind: str, bits: int) -> str:
    if kind == "f":
        return "floating-point values"
    return f"{'signed ' if kind == 'i' else ''}{bits}-bit integers"
