"""Metrics and samples of an image-to-image model on held-out images."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import keras
import numpy as np

from tfgan_app.image_io.grid import make_grid, spread_indices
from tfgan_app.image_io.samples import Window, preview
from tfgan_app.inference import Predictor, predictor_of
from tfgan_app.metrics import (
    build_lpips,
    fidelity_protocol,
    means_with_intervals,
    measure_fidelity,
    measure_numbers,
    psnr_y,
)
from tfgan_app.metrics.own import own_metrics
from tfgan_app.tasks.extremes import both_ends
from tfgan_app.tasks.restoration.held_out import HeldOutPairs, Pair

NUMBER_METRICS = ("psnr", "ssim", "l1", "mae", "rmse")
METRICS = ("psnr_y", "ssim_y", "psnr", "ssim", "l1")
LPIPS_LEAST_PX = 16
SAMPLE_ROWS, SAMPLE_PX = 8, 192
EXAMPLE_ROWS = 4


class ImageQuality:
    """Fidelity of a model's outputs to the originals, compared with a baseline.

    Args:
        pairs: Inputs of the model and the originals, `scale` times as high and wide.
        baseline: The baseline, from the model's input to uint8 `[height, width, 3]`.
        baseline_name: Prefix of the names of its figures.
        crop_px: Pixels left out along each border.
        lpips_weights: File of VGG16 and LPIPS weights; None skips LPIPS.
        metrics: Further metrics, as in `own_metrics`.
        window: Returns the data values that 0 and 1 stand for, of images as numbers; None for 8-bit RGB.
    """

    def __init__(
        self,
        *,
        pairs: HeldOutPairs,
        baseline: Callable[[np.ndarray], np.ndarray],
        baseline_name: str,
        crop_px: int,
        lpips_weights: str | None,
        metrics: Sequence[str] = (),
        window: Callable[[], Window | None] = lambda: None,
    ):
        self.pairs = pairs
        self._baseline = baseline
        self._baseline_name = baseline_name
        self._crop_px = crop_px
        self._lpips_weights = lpips_weights
        self._own_metrics = own_metrics(metrics)
        self._window = window

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics; LPIPS only with its weights."""
        return (*METRICS, *(["lpips"] if self._lpips_weights else []), *self._own_metrics)

    @functools.cached_property
    def baseline(self) -> dict[str, float]:
        """Metrics of the baseline, with its name as prefix."""
        rows = [self._figures(target, self._baseline(source)) for source, target in self.pairs]
        return {f"{self._baseline_name}_{name}": value for name, value in _means(rows).items()}

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Means over images of a model's metrics with their intervals, and the means of the baseline."""
        enlarge = _predictor(model).image
        rows = [self._figures(target, enlarge(source)) for source, target in self.pairs]
        return means_with_intervals({name: np.array([row[name] for row in rows]) for name in rows[0]}) | self.baseline

    def kept(self, model: keras.Model, images: Iterable[np.ndarray]) -> float:
        """Mean PSNR of a model's outputs for clean images, in dB; higher means less harm."""
        keep = _predictor(model).image
        return float(np.mean([self._figures(image, keep(image))["psnr"] for image in images]))

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """Centers of evenly spread images: baseline, output and original, uint8 `[size, size, 3]` each."""
        chosen = frozenset(spread_indices(len(self.pairs), SAMPLE_ROWS))
        # Stop at the last one: pairs that do not fit into memory are computed again.
        pairs = itertools.islice(self.pairs, max(chosen) + 1)
        shown = (pair for index, pair in enumerate(pairs) if index in chosen)
        return [row for row, _ in self._shown(model, shown)]

    def examples(self, model: keras.Model, *, headers: Sequence[str]) -> dict[str, np.ndarray]:
        """Images with the best and worst PSNR (of luma, for RGB), as grids: caption -> uint8 `[height, width, 3]`."""
        ordered = sorted(self._shown(model, self.pairs), key=lambda shown: -shown[1])
        rows = [row for row, _ in ordered]
        grids = zip(("best", "worst"), both_ends(rows, most=EXAMPLE_ROWS), strict=True)
        return {f"{name} held-out images": make_grid(rows, headers=headers) for name, rows in grids if rows}

    def protocol(self) -> dict[str, Any]:
        """Protocol of the metrics."""
        rounded = {} if self._window() is None else {"outputs": "not rounded", "psnr": "peak: the value range"}
        return fidelity_protocol(count=len(self.pairs), crop_px=self._crop_px, lpips=self._lpips_weights) | {
            **rounded,
            "weights": "averaged generator, float32, inference mode",
        }

    def _shown(self, model: keras.Model, pairs: Iterable[Pair]) -> Iterator[tuple[list[np.ndarray], float]]:
        """Yields the centers of baseline, output and original, and the luma PSNR of the output."""
        enlarge = _predictor(model).image
        for source, target in pairs:
            output = enlarge(source)
            row = [_center(image, SAMPLE_PX) for image in (self._baseline(source), output, target)]
            if self._window() is None:
                yield row, psnr_y(target, output, crop_px=self._crop_px)
            else:
                yield [preview(image) for image in row], self._figures(target, output)["psnr"]

    def _figures(self, target: np.ndarray, output: np.ndarray) -> dict[str, float]:
        if (window := self._window()) is not None:
            return measure_numbers(target, output, window=window, crop_px=self._crop_px)
        values = measure_fidelity([target], [output], crop_px=self._crop_px, lpips=self._lpips)
        own = {name: float(measure(target, output)) for name, measure in self._own_metrics.items()}
        return {name: float(value[0]) for name, value in values.items()} | own

    @functools.cached_property
    def _lpips(self) -> Callable | None:
        return build_lpips(self._lpips_weights) if self._lpips_weights else None


def _predictor(model: keras.Model) -> Predictor:
    """Predictor of images of any size, in tiles if the model allows it."""
    return cast(Predictor, predictor_of(model, "the model in training"))


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _center(image: np.ndarray, size_px: int) -> np.ndarray:
    top, left = (max(0, (side - size_px) // 2) for side in image.shape[:2])
    # A copy, since a view would keep the whole image in memory.
    return image[top : top + size_px, left : left + size_px].copy()
