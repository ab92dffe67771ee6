"""Tools for the latents of a loaded noise model: interpolation, sweeps, style mixing, directions and projection."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfgan_app.api.errors import one_line_errors
from tfgan_app.api.images import ImageLike, read_style
from tfgan_app.commands.predict_latents import DIRECTION_COUNT, STRIP_COUNT, SWEEP_COUNT, find_distance, one_label
from tfgan_app.inference import Sampler, find_labels
from tfgan_app.model_info import ModelInfo

if TYPE_CHECKING:  # Loads TensorFlow, which the start of the package must not.
    from tfgan_app.inference.latent_space import LatentPoint, LatentSpace
    from tfgan_app.inference.projection import Projection


class LatentTools:
    """Latent space of a noise model. `NoiseModel` has these methods.

    Attributes:
        info: The model's `ModelInfo`.
    """

    def __init__(self, model: Sampler, info: ModelInfo):
        """Wraps a loaded model."""
        self.info = info
        self._model = model

    @one_line_errors()
    def interpolate(
        self,
        points: Sequence[int | str | os.PathLike | LatentPoint],
        *,
        count: int = STRIP_COUNT,
        classes: str | Sequence[str] = (),
        truncation: float | None = None,
    ) -> np.ndarray:
        """Goes from point to point in the latent space: on great circles in z, on lines in w.

        Args:
            points: At least two, each a seed, a `LatentPoint`, or an `.npz` file of one.
            count: Images from a point to the next, both included.
            classes: The one class, for a model with classes.
            truncation: Largest absolute value of the latents of seeds.

        Returns:
            uint8 `[points - 1, count, H, W, 1 or 3]`; each row begins with the last image of the row before.

        Raises:
            ValueError: If an argument does not suit the model.

        Examples:
            >>> import tfgan_app as tfgan
            >>> tfgan.load("faces.keras").interpolate([1, 5], count=4).shape
            (1, 4, 4, 4, 3)
        """
        from tfgan_app.inference import walks

        found = [self._point(point, classes, truncation) for point in points]
        return walks.interpolation(self._space, found, count=count).images

    @one_line_errors()
    def sweep_truncation(
        self,
        thresholds: Sequence[float | None] = (None, 2.0, 1.5, 1.0, 0.7, 0.5, 0.3),
        *,
        count: int = STRIP_COUNT,
        seed: int = 0,
        classes: str | Sequence[str] = (),
    ) -> np.ndarray:
        """Draws seeds at several truncations: uint8 `[count, thresholds, H, W, 1 or 3]`.

        Raises:
            ValueError: If an argument does not suit the model.
        """
        from tfgan_app.inference import walks

        label = one_label(self._space, class_texts(classes), "sweep_truncation")
        return walks.truncation_sweep(self._space, range(seed, seed + count), label, thresholds).images

    @one_line_errors()
    def walk_classes(
        self,
        classes: Sequence[str] = (),
        *,
        count: int = STRIP_COUNT,
        seed: int = 0,
        truncation: float | None = None,
    ) -> np.ndarray:
        """Goes from class to class with the same latents: uint8 `[classes - 1, count, H, W, 1 or 3]`.

        Args:
            classes: At least two names or numbers, in order; by default all.
            count: Images from a class to the next, both included.
            seed: Seed of the latents.
            truncation: Largest absolute value of the latents.

        Raises:
            ValueError: If the model has no classes, or its layers are unknown.
        """
        from tfgan_app.inference import walks

        if not self.info.classes:
            raise ValueError("`walk_classes` needs a model with classes. This one has none.")
        labels = find_labels(self.info.classes, class_texts(classes))
        return walks.class_walk(self._space, seed, labels, count=count, truncation=truncation).images

    @one_line_errors()
    def directions(self, count: int = DIRECTION_COUNT) -> np.ndarray:
        """Finds the directions of the latents that change images most (SeFa, Shen & Zhou 2021, arXiv:2007.06600).

        Returns:
            float32 `[count, dim]`, orthogonal unit vectors, the strongest first.

        Raises:
            ValueError: If there are fewer directions, or the model's layers are unknown.
        """
        return self._space.directions(count)

    @one_line_errors()
    def sweep_directions(
        self,
        point: int | str | os.PathLike | LatentPoint = 0,
        *,
        directions: np.ndarray | int = DIRECTION_COUNT,
        count: int = SWEEP_COUNT,
        classes: str | Sequence[str] = (),
    ) -> np.ndarray:
        """Moves a point along directions, from -3 to 3 standard deviations: uint8 `[directions, count, H, W, 1 or 3]`.

        Args:
            point: A seed, a `LatentPoint`, or an `.npz` file of one.
            directions: Vectors float32 `[directions, dim]`, or the number of the strongest ones.
            count: Images along each direction.
            classes: The one class, for a model with classes.

        Raises:
            ValueError: If an argument does not suit the model.
        """
        from tfgan_app.inference import walks

        vectors = self._space.directions(directions) if isinstance(directions, int) else np.asarray(directions)
        start = self._point(point, classes, None)
        return walks.direction_sweep(self._space, start, vectors, count=count).images

    @one_line_errors()
    def mix(
        self,
        rows: Sequence[int | str | os.PathLike | LatentPoint],
        columns: Sequence[int | str | os.PathLike | LatentPoint],
        *,
        layer: int | None = None,
        classes: str | Sequence[str] = (),
        truncation: float | None = None,
    ) -> np.ndarray:
        """Mixes styles: the coarse structure of each row's point with the details of each column's.

        Args:
            rows: At least one point: a seed, a `LatentPoint`, or an `.npz` file of one.
            columns: Likewise.
            layer: First layer that takes the style of the column, from 1; the middle one by default.
            classes: The one class, for a model with classes.
            truncation: Truncation of seeds, as for `generate`.

        Returns:
            uint8 `[rows + 1, columns + 1, H, W, 1 or 3]`; the first row and column are the points themselves, and the
            corner is white.

        Raises:
            ValueError: If an argument does not suit the model, or its layers have no styles of their own.
        """
        from tfgan_app.inference import walks

        found = [[self._point(point, classes, truncation) for point in points] for points in (rows, columns)]
        if not all(found):
            raise ValueError(f"`mix` needs at least one row and one column. Received: {[*map(len, found)]}.")
        return walks.mixing_grid(self._space, *found, layer=layer).images

    @one_line_errors()
    def project(
        self,
        image: ImageLike,
        *,
        classes: str | Sequence[str] = (),
        steps: int | None = None,
        feature_weights: str | os.PathLike | None = None,
    ) -> Projection:
        """Finds the latents whose image is most like a given one.

        Args:
            image: A path, a Pillow image or an array; its central square is used.
            classes: The one class, for a model with classes.
            steps: Steps of the descent; 300 by default.
            feature_weights: File of VGG16 and LPIPS weights (.npz); without it, pixels are compared.

        Returns:
            A `Projection`: `point` (which `save` writes as `.npz`), `image`, `target` and `distance`.

        Raises:
            ValueError: If an argument does not suit the model, or the image cannot be read.

        Examples:
            >>> import tfgan_app as tfgan
            >>> faces = tfgan.load("faces.keras")
            >>> found = faces.project(faces.generate(1, seed=7)[0])
            >>> found.distance < 0.001
            True
        """
        from tfgan_app.inference.projection import STEPS, project

        self._space.graph("`project`")
        label = one_label(self._space, class_texts(classes), "project")
        weights = None if feature_weights is None else os.fspath(feature_weights)
        distance = find_distance(weights, self.info.image_size)
        return project(self._space, read_style(image), label=label, steps=steps or STEPS, distance=distance)

    @one_line_errors()
    def draw(self, point: int | str | os.PathLike | LatentPoint, *, classes: str | Sequence[str] = ()) -> np.ndarray:
        """Draws one point of the latent space: uint8 `[H, W, 1 or 3]`.

        Args:
            point: A `LatentPoint`, an `.npz` file of one, or a seed.
            classes: The one class of a seed, for a model with classes.

        Raises:
            ValueError: If the point does not belong to the model.
        """
        found = self._point(point, classes, None)
        return self._space.draw(found.latent[None], found.label)[0]

    @property
    def has_layers(self) -> bool:
        """Whether the model's layers are known, which `mix`, `project` and `directions` need; not of an export."""
        return self._model.model is not None

    @property
    def style_layers(self) -> int:
        """Number of layers with styles or latents of their own, which `mix` needs; 0 for none."""
        return self._space.style_layers if self.has_layers else 0

    @functools.cached_property
    def _space(self) -> LatentSpace:
        from tfgan_app.inference.latent_space import LatentSpace

        return LatentSpace(self._model)

    def _point(
        self, point: int | str | os.PathLike | LatentPoint, classes: str | Sequence[str], truncation: float | None
    ) -> LatentPoint:
        from tfgan_app.inference.latent_space import LatentPoint, read_point

        if isinstance(point, LatentPoint):
            return point
        if isinstance(point, (str, os.PathLike)):
            return read_point(point, self._space)
        if point < 0:
            raise ValueError(f"A seed must be at least 0. Received: {point}.")
        label = one_label(self._space, class_texts(classes), "classes")
        return LatentPoint(self._space.points([point], label, truncation)[0], label, self._space.name)


def classclass_texts(classes: str | int | Sequence[str | int]) -> list[str]:
    """Returns one class or several as texts."""
    return [str(each) for each in ([classes] if isinstance(classes, (str, int)) else classes)]


def class_texts(classes: str | int | Sequence[str | int]) -> list[str]:
    """Returns one class or several as texts."""
    return [str(each) for each in ([classes] if isinstance(classes, (str, int)) else classes)]
