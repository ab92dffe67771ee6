"""Latent space of a generative model: points, ways between them, and directions with a meaning."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_app.files import atomic_path, printable
from tfgan_app.inference.latent_graph import LatentGraph
from tfgan_app.inference.sampler import Sampler, drawn

Label = int | None
"""Class of an image; None for a model without classes."""


@dataclass(frozen=True)
class LatentPoint:
    """One point of a latent space.

    Attributes:
        latent: float32 `[dim]`.
        label: Class of the image; None for a model without classes.
        space: `"z"`, or `"w"` behind a mapping network.
    """

    latent: np.ndarray
    label: Label = None
    space: str = "z"

    def save(self, path: str | os.PathLike) -> None:
        """Writes an `.npz` file: the latent under the name of its space, float32 `[1, dim]`, and `labels` int32 `[1]`.

        Raises:
            OSError: If the file cannot be written.
        """
        arrays: dict[str, Any] = {self.space: self.latent[None].astype(np.float32)}
        if self.label is not None:
            arrays["labels"] = np.array([self.label], np.int32)
        with atomic_path(path) as unfinished, open(unfinished, "wb") as file:
            np.savez(file, **arrays)


class LatentSpace:
    """Latent space of a sampler: w if its generator has a mapping network, else z.

    A model whose layers are unknown (an exported one) has the space z.

    Attributes:
        sampler: The model.
        name: `"z"` or `"w"`.
    """

    def __init__(self, sampler: Sampler):
        """Takes a loaded generative model."""
        self.sampler = sampler
        self._graph = None if sampler.model is None else LatentGraph(sampler.model)
        self.name = "w" if self._graph is not None and self._graph.has_mapping else "z"

    @property
    def dim(self) -> int:
        """Length of a latent vector."""
        return self.sampler.info.latent_dim if self._graph is None else self._graph.dim

    def graph(self, purpose: str) -> LatentGraph:
        """Returns the generator's graph.

        Args:
            purpose: Name of the tool that needs it, for the message.

        Raises:
            ValueError: If only the outputs of the model are known.
        """
        if self._graph is None:
            raise ValueError(
                f"{purpose} needs the layers of the model: a run or a .keras file. Received: "
                f"'{printable(self.sampler.path)}'."
            )
        return self._graph

    def points(self, seeds: Sequence[int], label: Label = None, truncation: float | None = None) -> np.ndarray:
        """Returns the latents of seeds: float32 `[count, dim]`."""
        latents = self.sampler.latents(seeds, truncation)
        if self.name == "z":
            return latents
        inputs = [tf.constant(latents)]
        if label is not None:
            inputs.append(tf.constant(self.sampler.conditions([label] * len(latents))))
        return np.asarray(self._mapping(inputs, training=False))

    def draw(self, latents: np.ndarray, label: Label = None) -> np.ndarray:
        """Draws latents of this space, all of one class: uint8 `[count, height, width, 1 or 3]`."""
        if self.name == "z":
            return self.sampler.draw(latents, None if label is None else [label] * len(latents))
        return self._drawn(latents, self.condition(label, len(latents)))

    def draw_between(self, latents: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Draws latents with weights of the classes: uint8 `[count, height, width, 1 or 3]`.

        Args:
            latents: float32 `[count, dim]`.
            weights: float32 `[count, classes]`; unit vectors are the classes.
        """
        graph = self.graph("A walk between classes")
        if not graph.takes_class_weights:
            raise ValueError("The generator takes its classes in a way that has nothing between them.")
        return self._drawn(latents, [tf.constant(weights, tf.float32)] * graph.condition_inputs)

    @functools.cached_property
    def style_layers(self) -> int:
        """Number of layers that take styles or parts of the latents of their own; 0 for a generator without them."""
        graph = self.graph("Style mixing")
        return len(graph.style_starts) if self._styles is None else int(self._styles.output_shape[1])

    def draw_mixed(self, latents: np.ndarray, others: np.ndarray, layer: int, label: Label = None) -> np.ndarray:
        """Draws latents whose layers from one on take the styles of others (Karras et al. 2019, arXiv:1812.04948).

        Styles are those of StyleGAN2, or the layers' parts of hierarchical latents, as BigGAN has them.

        Args:
            latents: float32 `[count, dim]`, of the layers before `layer`.
            others: float32 `[count, dim]`, of the layers from `layer` on.
            layer: The crossover, from 1 to `style_layers - 1`.
            label: Class of all images.

        Returns:
            uint8 `[count, height, width, 1 or 3]`.

        Raises:
            ValueError: If the generator has no styles, the model's layers are unknown, or there is no such layer.
        """
        if not self.style_layers:
            raise ValueError(
                "Style mixing needs a generator whose layers take styles or latents of their own, such as StyleGAN2 or "
                "BigGAN. This one has one input for all layers."
            )
        if not 1 <= layer < self.style_layers:
            raise ValueError(
                f"The first layer of the other style must be from 1 to {self.style_layers - 1}. Received: {layer}."
            )
        if self._styles is None:
            start = self.graph("Style mixing").style_starts[layer]
            return self.draw(np.concatenate([latents[:, :start], others[:, start:]], axis=1), label)
        styles, other_styles = (np.asarray(self._styles(each, training=False)) for each in (latents, others))
        mixed = tf.constant(np.concatenate([styles[:, :layer], other_styles[:, layer:]], axis=1))
        return _drawn_singly(self._style_synthesis, [mixed, *self.condition(label, len(latents))])

    @functools.cached_property
    def _styles(self) -> Any:
        return self.graph("Style mixing").styles()

    @functools.cached_property
    def _style_synthesis(self) -> Any:
        model = self.graph("Style mixing").style_synthesis()
        return tf.function(lambda *inputs: model(list(inputs), training=False), reduce_retracing=True)

    def condition(self, label: Label, count: int) -> list[tf.Tensor]:
        """Returns the inputs of `synthesis` behind the latents, for `count` images of a class."""
        graph = self.graph("The latent space")
        if label is None or not graph.condition_inputs:
            return []
        labels = tf.constant(self.sampler.conditions([label] * count))
        each = tf.one_hot(labels, len(self.sampler.class_names)) if graph.takes_class_weights else labels
        return [each] * graph.condition_inputs

    @functools.cached_property
    def synthesis(self) -> Any:
        """Function of latents (and a condition) to images, float32 in [0, 1], that has gradients."""
        model = self.graph("The latent space").synthesis()
        return tf.function(lambda *inputs: model(list(inputs), training=False), reduce_retracing=True)

    @functools.cached_property
    def _mapping(self) -> Any:
        return self.graph("The latent space").mapping()

    def _drawn(self, latents: np.ndarray, condition: Sequence[tf.Tensor]) -> np.ndarray:
        return _drawn_singly(self.synthesis, [tf.constant(latents, tf.float32), *condition])

    def between(self, start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
        """Returns evenly spaced points from one to another, both included: float32 `[count, dim]`.

        In z they lie on a great circle: normal vectors of many dimensions all have about the same length, so a
        straight line would leave the region that the generator was trained on (White 2016, arXiv:1609.04468). In w
        they lie on a line.
        """
        shares = np.linspace(0.0, 1.0, count)[:, None]
        start, end = start.astype(np.float64), end.astype(np.float64)
        lengths = np.linalg.norm(start) * np.linalg.norm(end)
        angle = np.arccos(np.clip(start @ end / lengths, -1.0, 1.0)) if lengths else 0.0
        # Opposite vectors have no shortest great circle, and equal ones have no angle.
        if self.name == "w" or not 1e-6 < angle < np.pi - 1e-6:
            return ((1 - shares) * start + shares * end).astype(np.float32)
        between = np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end
        return (between / np.sin(angle)).astype(np.float32)

    def directions(self, count: int) -> np.ndarray:
        """Finds the directions in which the latents change an image most, in closed form.

        SeFa, "Closed-Form Factorization of Latent Semantics in GANs", Shen & Zhou 2021, arXiv:2007.06600, equation 7:
        the eigenvectors of `A^T A` with the largest eigenvalues, where `A` is the map that the first layers apply to
        the latents.

        Args:
            count: Number of directions, at most `dim`.

        Returns:
            float32 `[count, dim]`, orthogonal unit vectors, the strongest first. The largest number of each is
            positive.

        Raises:
            ValueError: If there are fewer directions, or the model's layers are unknown.
        """
        if not 1 <= count <= self.dim:
            raise ValueError(f"The number of directions must be from 1 to {self.dim}. Received: {count}.")
        maps = self.graph("The search for directions").first_maps()
        _, vectors = np.linalg.eigh(maps @ maps.T)
        strongest = vectors.T[::-1][:count]
        largest = np.abs(strongest).argmax(axis=1)[:, None]
        return (strongest * np.sign(np.take_along_axis(strongest, largest, axis=1))).astype(np.float32)


def _drawn_singly(forward: Any, inputs: Sequence[tf.Tensor]) -> np.ndarray:
    """Draws one image at a time, as `Sampler` does."""
    return np.concatenate([drawn(forward, [each[i : i + 1] for each in inputs]) for i in range(len(inputs[0]))])


def read_point(path: str | os.PathLike, space: LatentSpace) -> LatentPoint:
    """Reads a file of `LatentPoint.save`.

    Args:
        path: The `.npz` file.
        space: The latent space that it must belong to.

    Raises:
        ValueError: If it is not such a file, or belongs to another model. One line.
    """
    shown = printable(path)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
    except (OSError, ValueError, EOFError, AttributeError, TypeError) as error:
        raise ValueError(f"Cannot read the latents '{shown}': it must be an .npz file of `--project`.") from error
    except Exception as error:  # A damaged archive fails in many ways.
        raise ValueError(f"Cannot read the latents '{shown}': {type(error).__name__}.") from error
    found = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items()) or "nothing"
    latents = arrays.get(space.name)
    if latents is None or latents.shape != (1, space.dim) or latents.dtype.kind != "f":
        raise ValueError(f"The latents '{shown}' must be {space.name} [1, {space.dim}] for this model. Found: {found}.")
    if not np.isfinite(latents).all():
        raise ValueError(f"The latents '{shown}' have NaN or infinite values.")
    classes = len(space.sampler.class_names)
    label = None if "labels" not in arrays else int(np.ravel(arrays["labels"])[0])
    if (label is None) == bool(classes) or (label is not None and not 0 <= label < classes):
        expected = f"labels from 0 to {classes - 1}" if classes else "no labels"
        raise ValueError(f"The latents '{shown}' must have {expected} for this model. Found: {label}.")
    return LatentPoint(latents[0].astype(np.float32), label, space.name)
