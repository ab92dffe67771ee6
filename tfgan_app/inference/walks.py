"""Walks through a latent space: images along which one thing changes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tfgan_app.image_io.grid import make_grid
from tfgan_app.inference.latent_space import Label, LatentPoint, LatentSpace
from tfgan_app.inference.sampler import check_truncation

THRESHOLDS = (None, 2.0, 1.5, 1.0, 0.7, 0.5, 0.3)
"""Thresholds of a truncation sweep; None is no truncation."""

REACH = 3.0
"""Distance of the ends of a direction's strip from the middle, in standard deviations of the latents."""


@dataclass(frozen=True)
class Walk:
    """Images along which one thing changes.

    Attributes:
        images: uint8 `[rows, columns, height, width, 1 or 3]`; the change goes along the rows.
        headers: Titles of the columns, or none.
        is_chained: Whether each row begins with the image that the row before ends with.
    """

    images: np.ndarray
    headers: tuple[str, ...] = ()
    is_chained: bool = False

    def sheet(self) -> np.ndarray:
        """Returns all images in rows and columns: uint8 `[height, width, 1 or 3]`."""
        headers = self.headers if self.images.shape[3] >= 24 else ()
        return _grid(self.images, headers=headers or None)

    def frames(self) -> np.ndarray:
        """Returns the walk as frames, the rows one after the other or side by side: uint8 `[frames, h, w, 3]`."""
        if self.is_chained:
            first = self.images[:1, :1].reshape(1, *self.images.shape[2:])
            rest = self.images[:, 1:].reshape(-1, *self.images.shape[2:])
            return np.repeat(np.concatenate([first, rest]), 3 // self.images.shape[-1], axis=-1)
        side = math.ceil(math.sqrt(len(self.images)))
        columns = self.images.swapaxes(0, 1)
        frames = [_grid([column[start : start + side] for start in range(0, len(column), side)]) for column in columns]
        return np.repeat(np.stack(frames), 3 // self.images.shape[-1], axis=-1)


def _grid(rows: Iterable[np.ndarray], *, headers: Sequence[str] | None = None) -> np.ndarray:
    images = [list(row) for row in rows]
    channels = images[0][0].shape[-1]
    in_color = [[np.array(np.broadcast_to(image, (*image.shape[:2], 3))) for image in row] for row in images]
    return make_grid(in_color, headers=headers)[..., :channels]


def interpolation(space: LatentSpace, points: Sequence[LatentPoint], *, count: int) -> Walk:
    """Goes from each point to the next: a row for each pair, both ends included.

    Args:
        space: The latent space.
        points: At least two, of one class.
        count: Images from a point to the next, at least two.

    Raises:
        ValueError: If there are fewer points or images, or several classes.
    """
    if len(points) < 2 or count < 2:
        raise ValueError(
            f"An interpolation needs at least two seeds and two images between them. Received: {len(points)} and "
            f"{count}."
        )
    labels = {point.label for point in points}
    if len(labels) > 1:
        raise ValueError(f"An interpolation must stay in one class. Received: {sorted(map(str, labels))}.")
    rows = [
        space.draw(space.between(start.latent, end.latent, count), start.label)
        for start, end in itertools.pairwise(points)
    ]
    return Walk(np.stack(rows), is_chained=True)


def truncation_sweep(
    space: LatentSpace, seeds: Sequence[int], label: Label = None, thresholds: Sequence[float | None] = THRESHOLDS
) -> Walk:
    """Draws each seed at each threshold of truncation, a row for each seed."""
    for threshold in thresholds:
        check_truncation(threshold, space.sampler.info)
    labels = None if label is None else [label] * len(seeds)
    columns = [space.sampler(seeds, labels, threshold) for threshold in thresholds]
    return Walk(np.stack(columns, axis=1), tuple("none" if t is None else f"{t:g}" for t in thresholds))


def class_walk(space: LatentSpace, seed: int, labels: Sequence[int], *, count: int, truncation=None) -> Walk:
    """Goes from class to class with the same latents: a row for each pair, both ends included.

    Args:
        space: Latent space of a model with classes.
        seed: Seed of the latents.
        labels: At least two classes.
        count: Images from a class to the next, at least two.
        truncation: Largest absolute value of the latents; None does not truncate.

    Raises:
        ValueError: If there are fewer classes or images, or nothing lies between classes.
    """
    if len(labels) < 2 or count < 2:
        raise ValueError(
            f"A walk between classes needs at least two classes and two images between them. Received: {len(labels)} "
            f"and {count}."
        )
    names = len(space.sampler.class_names)
    rows = []
    for first, second in itertools.pairwise(labels):
        if space.name == "w":
            start, end = (space.points([seed], label, truncation)[0] for label in (first, second))
            rows.append(space.draw(space.between(start, end, count), first))
            continue
        shares = np.linspace(0.0, 1.0, count, dtype=np.float32)[:, None]
        weights = (1 - shares) * np.eye(names, dtype=np.float32)[first] + shares * np.eye(names)[second]
        latents = np.repeat(space.points([seed], first, truncation), count, axis=0)
        rows.append(space.draw_between(latents, weights))
    return Walk(np.stack(rows), is_chained=True)


def mixing_grid(
    space: LatentSpace, rows: Sequence[LatentPoint], columns: Sequence[LatentPoint], *, layer: int | None = None
) -> Walk:
    """Mixes the styles of each row's point with those of each column's, under and beside the images of the points.

    Args:
        space: Latent space of a generator with styles.
        rows: Points of the layers before `layer`: the coarse structure.
        columns: Points of the layers from `layer` on: colors and details.
        layer: The crossover; None is the middle.

    Returns:
        Images of `rows + 1` rows and `columns + 1` columns; the first of each are the points, and the corner is white.

    Raises:
        ValueError: If the generator has no styles, there is no such layer, or the points are of several classes.
    """
    labels = {point.label for point in (*rows, *columns)}
    if len(labels) > 1:
        raise ValueError(f"Mixed points must be of one class. Received: {sorted(map(str, labels))}.")
    label = labels.pop()
    crossover = max(1, space.style_layers // 2) if layer is None else layer
    across = np.stack([point.latent for point in columns])
    # The points themselves come last, so that a generator without styles is refused before anything is drawn.
    mixed = [
        space.draw_mixed(np.repeat(row.latent[None], len(columns), axis=0), across, crossover, label) for row in rows
    ]
    beside = space.draw(np.stack([row.latent for row in rows]), label)
    top = space.draw(across, label)
    body = np.concatenate([beside[:, None], np.stack(mixed)], axis=1)
    corner = np.full_like(top[:1], 255)
    return Walk(np.concatenate([np.concatenate([corner, top])[None], body]))


def direction_sweep(space: LatentSpace, point: LatentPoint, directions: np.ndarray, *, count: int) -> Walk:
    """Moves a point along each direction, a row for each; the point itself is in the middle.

    Args:
        space: The latent space.
        point: The point.
        directions: float32 `[directions, dim]`, unit vectors.
        count: Images along each direction, at least two.

    Raises:
        ValueError: If there are fewer images.
    """
    if count < 2:
        raise ValueError(f"A strip of a direction needs at least two images. Received: {count}.")
    steps = np.linspace(-REACH, REACH, count, dtype=np.float32)
    rows = [space.draw(point.latent + steps[:, None] * direction, point.label) for direction in directions]
    return Walk(np.stack(rows), tuple(f"{step:+.1f}" for step in steps))
