"""Random masks for inpainting: free-form strokes and boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

from tfgan_app.degradations.draws import SEED_DRAWS, uniform_fields

MASK_DRAWS = SEED_DRAWS
"""Number of uniform draws per mask."""

_MOST_STROKES = 5  # of a polyline


@dataclass(frozen=True)
class MaskKind:
    """Distribution of the masks of one kind; lengths in pixels of an image whose shorter side has `side_px`.

    Attributes:
        side_px: Shorter side of the image that the lengths are given for; they grow and shrink with it.
        polylines: Smallest and largest number of polylines, each of one to five strokes.
        length_px: Range of a stroke's length, without its round ends.
        width_px: Range of a stroke's width.
        box_share: Share of the masks that consist of boxes instead.
        boxes: Smallest and largest number of boxes.
        box_px: Range of a box's height and width.
        margin_px: Distance that boxes keep from the border.
    """

    side_px: int = 512
    polylines: tuple[int, int] = (0, 0)
    length_px: tuple[float, float] = (0.0, 0.0)
    width_px: tuple[float, float] = (0.0, 0.0)
    box_share: float = 0.0
    boxes: tuple[int, int] = (0, 0)
    box_px: tuple[float, float] = (0.0, 0.0)
    margin_px: float = 0.0


MASKS = {
    "thin": MaskKind(polylines=(4, 70), length_px=(10, 110), width_px=(5, 25)),
    "medium": MaskKind(
        polylines=(4, 10), length_px=(10, 210), width_px=(5, 105), box_share=0.3 / 1.3, boxes=(1, 5), box_px=(30, 150)
    ),
    "thick": MaskKind(
        polylines=(1, 5),
        length_px=(10, 460),
        width_px=(5, 255),
        box_share=0.3 / 1.3,
        boxes=(1, 4),
        box_px=(30, 300),
        margin_px=10,
    ),
    "boxes": MaskKind(side_px=256, box_share=1.0, boxes=(1, 4), box_px=(30, 150), margin_px=10),
}
"""Kinds of masks, by name, with the settings of LaMa's test masks (boxes: of its training).

Covered share of a square image, over 2000 masks each:

| kind   | mean | median | 5 % to 95 %  | over half |
|--------|------|--------|--------------|-----------|
| thin   | 0.29 | 0.31   | 0.07 to 0.48 | 0.02      |
| medium | 0.30 | 0.32   | 0.04 to 0.53 | 0.09      |
| thick  | 0.45 | 0.44   | 0.07 to 0.85 | 0.43      |
| boxes  | 0.25 | 0.25   | 0.06 to 0.43 | 0.01      |

Of an image that is three times as wide as high they cover about 0.4 times as much, as lengths follow its height.
"""


def random_masks(
    draws: tf.Tensor, *, height: int | tf.Tensor, width: int | tf.Tensor, kind: str = "medium"
) -> tf.Tensor:
    """Draws masks of the kinds that LaMa is trained and measured with (Suvorov et al. 2022, arXiv:2109.07161).

    Deviations: strokes go in all directions with equal probability, and positions and sizes are not whole pixels;
    masks that cover more than half of the image are kept, where LaMa's test masks are drawn again.

    Args:
        draws: float32 `[batch, MASK_DRAWS]`, uniform in [0, 1).
        height: Height of the masks, an integer or an int32 scalar.
        width: Width of the masks, likewise.
        kind: A name in `MASKS`.

    Returns:
        float32 `[batch, height, width, 1]`: 1 is a hole, 0 is known.

    Raises:
        ValueError: For an unknown kind.
    """
    if kind not in MASKS:
        raise ValueError(f"`kind` must be one of {', '.join(MASKS)}. Received: '{kind}'.")
    chosen = MASKS[kind]
    size = tf.cast(tf.stack([width, height]), tf.float32)
    scale = tf.reduce_min(size) / chosen.side_px
    # One number decides between strokes and boxes; then come each kind's count and the figures of its shapes.
    shares = (1, 1, chosen.polylines[1] * (3 + 3 * _MOST_STROKES), 1, chosen.boxes[1] * 4)
    drawn = uniform_fields(draws, (sum(shares),))
    gate, stroke_count, stroke_figures, box_count, box_figures = tf.split(drawn, shares, axis=1)
    boxed = gate < chosen.box_share
    rows = tf.range(tf.cast(height, tf.float32), dtype=tf.float32) + 0.5
    strokes, lines = _random_strokes(stroke_count, stroke_figures, ~boxed, kind=chosen, size=size, scale=scale)
    boxes, corners, opposite = _random_boxes(box_count, box_figures, boxed, kind=chosen, size=size, scale=scale)
    spans = stroke_spans(rows, **lines), _box_spans(rows, corners, opposite)
    left, right = (tf.concat(sides, axis=0) for sides in zip(*spans, strict=True))
    batch = draws.shape[0] or tf.shape(draws)[0]
    return fill_spans(tf.concat([strokes, boxes], axis=0), left, right, shape=(batch, height, width))


def _is_drawn(count, applied, bounds):
    """Mask of an example's shapes that are drawn, bool `[batch, bounds[1]]`, by one number and a gate `[batch, 1]`."""
    count = bounds[0] + tf.cast(count * (bounds[1] + 1 - bounds[0]), tf.int32)
    return applied & (tf.range(bounds[1]) < count)


def _random_strokes(count, figures, applied, *, kind, size, scale):
    """The examples `[n]` of all strokes of a batch, and their geometry as `stroke_spans` takes it."""
    figures = tf.reshape(figures, (tf.shape(count)[0], kind.polylines[1], 3 + 3 * _MOST_STROKES))
    corners = [figures[..., :2] * size]
    angles, lengths, widths = tf.split(figures[..., 3:], 3, axis=-1)
    angles = 2.0 * math.pi * angles
    steps = tf.stack([tf.cos(angles), tf.sin(angles)], axis=-1)
    steps *= (_between(lengths, kind.length_px) * scale)[..., None]
    for stroke in range(_MOST_STROKES):
        corners.append(tf.clip_by_value(corners[-1] + steps[..., stroke, :], 0.0, size))
    drawn = _is_drawn(count, applied, kind.polylines)[..., None]
    drawn &= tf.range(_MOST_STROKES) <= tf.cast(figures[..., 2:3] * _MOST_STROKES, tf.int32)
    index = tf.where(drawn)
    starts, ends = (tf.gather_nd(tf.stack(points, axis=2), index) for points in (corners[:-1], corners[1:]))
    radii = tf.gather_nd(_between(widths, kind.width_px) * scale / 2.0, index)
    return index[:, 0], {"starts": starts, "ends": ends, "radii": radii}


def _random_boxes(count, figures, applied, *, kind, size, scale):
    """The examples `[n]` and opposite corners `[n, 2]` (x, y) of all boxes of a batch."""
    figures = tf.reshape(figures, (tf.shape(count)[0], kind.boxes[1], 4))
    extents = _between(figures[..., 2:], kind.box_px) * scale
    margin = kind.margin_px * scale
    corners = margin + figures[..., :2] * (size - 2.0 * margin - extents)
    index = tf.where(_is_drawn(count, applied, kind.boxes))
    return index[:, 0], tf.gather_nd(corners, index), tf.gather_nd(corners + extents, index)


def _between(draws, bounds):
    return bounds[0] + (bounds[1] - bounds[0]) * draws


def stroke_spans(
    rows: tf.Tensor, *, starts: tf.Tensor, ends: tf.Tensor, radii: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Positions at which rows of an image enter and leave straight strokes with round ends.

    A stroke is convex, so that each row crosses it once. This takes one evaluation for each stroke and row, where
    distances would take one for each stroke and pixel.

    Args:
        rows: float32 `[height]`, y of each row's middle.
        starts: float32 `[n, 2]`, x and y of one end of each stroke.
        ends: float32 `[n, 2]`, those of the other end.
        radii: float32 `[n]`, half of each stroke's width.

    Returns:
        Two float32 `[n, height]`, x where each row enters and leaves; infinite and minus infinite where it does not.
    """
    radii = radii[:, None]
    discs = []
    for centers in (starts, ends):
        squared = radii**2 - (rows - centers[:, 1:]) ** 2
        half = tf.where(squared >= 0.0, tf.sqrt(tf.maximum(squared, 0.0)), -math.inf)
        discs.append((centers[:, :1] - half, centers[:, :1] + half))
    lengths = tf.norm(ends - starts, axis=1, keepdims=True)
    x, y = tf.split(tf.math.divide_no_nan(ends - starts, lengths), 2, axis=1)
    below = rows - starts[:, 1:]
    along, across = _solve(x, below * y, 0.0, lengths), _solve(y, -below * x, -radii, radii)
    left, right = tf.maximum(along[0], across[0]), tf.minimum(along[1], across[1])
    empty = (left > right) | (lengths == 0.0)
    left = tf.where(empty, math.inf, starts[:, :1] + left)
    right = tf.where(empty, -math.inf, starts[:, :1] + right)
    (left_1, right_1), (left_2, right_2) = discs
    return tf.minimum(tf.minimum(left, left_1), left_2), tf.maximum(tf.maximum(right, right_1), right_2)


def _solve(slope, offset, low, high):
    """Bounds of the x with low <= slope * x + offset <= high; a slope of 0 leaves all x or none, far away."""
    slope = tf.where(tf.abs(slope) < 1e-6, 1e-6, slope)
    first, second = (low - offset) / slope, (high - offset) / slope
    return tf.minimum(first, second), tf.maximum(first, second)


def _box_spans(rows, corners, opposite):
    inside = (rows >= corners[:, 1:]) & (rows < opposite[:, 1:])
    return tf.where(inside, corners[:, :1], math.inf), tf.where(inside, opposite[:, :1], -math.inf)


def fill_spans(examples: tf.Tensor, left: tf.Tensor, right: tf.Tensor, *, shape: tuple) -> tf.Tensor:
    """Marks the pixels whose middle lies in any of an example's spans.

    Args:
        examples: int `[n]`, the example that each shape belongs to.
        left: float32 `[n, height]`, x where each row enters the shape.
        right: float32 `[n, height]`, x where it leaves; less than `left` where it does not cross the shape.
        shape: Batch, height and width, integers or int32 scalars.

    Returns:
        float32 `[batch, height, width, 1]`, 1 in a shape and 0 elsewhere.
    """
    batch, height, width = shape
    limit = tf.cast(width, tf.float32)
    # Clipped before the cast: infinity is not an integer.
    first = tf.cast(tf.math.ceil(tf.clip_by_value(left - 0.5, 0.0, limit)), tf.int32)
    end = tf.cast(tf.floor(tf.clip_by_value(right + 0.5, 0.0, limit)), tf.int32)
    row = (tf.cast(examples, tf.int32)[:, None] * height + tf.range(height)) * (width + 1)
    # One more shape from the first pixel on, one less after the last: the sum from the left counts the shapes.
    places = tf.stack([row + tf.minimum(first, end), row + end])
    changes = tf.concat([tf.ones_like(places[:1]), -tf.ones_like(places[1:])], axis=0)
    changes = tf.math.unsorted_segment_sum(changes, places, batch * height * (width + 1))
    shapes = tf.cumsum(tf.reshape(changes, (batch, height, width + 1)), axis=2)[..., :-1]
    return tf.cast(shapes > 0, tf.float32)[..., None]
