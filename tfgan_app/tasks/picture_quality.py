"""Measures and shows what a picture-to-picture model makes of held-out pictures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from tfgan_app.images import make_grid
from tfgan_app.inference import predictor_of
from tfgan_app.metrics import build_lpips, fidelity_protocol, measure_fidelity

METRICS = ("psnr_y", "ssim_y", "psnr", "ssim", "l1")
LPIPS_LEAST_PX = 16
SAMPLE_ROWS, SAMPLE_PX = 8, 192
EXAMPLE_ROWS = 4


class PictureQuality:
    """Fidelity of a model's outputs to the originals, beside that of a baseline.

    Args:
        inputs: makes what the model is given: uint8 `[height, width, 3]` each.
        targets: makes the originals, `scale` times as high and wide.
        baseline: makes the outputs of the baseline.
        baseline_name: what it is called in the names of its figures.
        crop_px: pixels that are left out along each border.
        lpips_weights: file of VGG16 and LPIPS weights; None leaves LPIPS out.
    """

    def __init__(
        self,
        *,
        inputs: Callable[[], Sequence[np.ndarray]],
        targets: Callable[[], Sequence[np.ndarray]],
        baseline: Callable[[], Sequence[np.ndarray]],
        baseline_name: str,
        crop_px: int,
        lpips_weights: str | None,
    ):
        self._make_inputs, self._make_targets, self._make_baseline = inputs, targets, baseline
        self._baseline_name = baseline_name
        self._crop_px = crop_px
        self._lpips_weights = lpips_weights

    @property
    def metric_names(self) -> tuple[str, ...]:
        """What is measured: LPIPS only where its weights are given."""
        return (*METRICS, "lpips") if self._lpips_weights else METRICS

    @functools.cached_property
    def inputs(self) -> Sequence[np.ndarray]:
        """What the model is given."""
        return self._make_inputs()

    @functools.cached_property
    def targets(self) -> Sequence[np.ndarray]:
        """The originals."""
        return self._make_targets()

    @functools.cached_property
    def baseline(self) -> dict[str, float]:
        """The figures of the baseline, their names led by its own."""
        values = self._means(self._make_baseline())
        return {f"{self._baseline_name}_{name}": value for name, value in values.items()}

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Means over pictures of a model's figures, and those of the baseline."""
        return self._means(self.outputs(model)) | self.baseline

    def outputs(self, model: keras.Model) -> list[np.ndarray]:
        """What a model makes of each input: uint8 `[height, width, 3]`, tiled where the model allows it."""
        predictor = predictor_of(model, "the model in training")
        return [predictor.picture(picture) for picture in self.inputs]

    def sample_rows(self, model: keras.Model) -> list[list[np.ndarray]]:
        """The centres of the first pictures: baseline, output and original, uint8 `[size, size, 3]` each."""
        predictor, rows = predictor_of(model, "the model in training"), []
        shown = zip(self.inputs, self._baseline_pictures, self.targets, strict=False)
        for source, plain, target in list(shown)[:SAMPLE_ROWS]:
            output = predictor.picture(source)
            rows.append([_centre(picture, SAMPLE_PX) for picture in (plain, output, target)])
        return rows

    @functools.cached_property
    def _baseline_pictures(self) -> list[np.ndarray]:
        return list(self._make_baseline()[:SAMPLE_ROWS])

    def examples(self, model: keras.Model, *, headers: Sequence[str]) -> dict[str, np.ndarray]:
        """The pictures whose luma came out best and worst, as grids: caption -> uint8 `[height, width, 3]`."""
        outputs, baseline = self.outputs(model), self._make_baseline()
        order = np.argsort(-self._measure(outputs)["psnr_y"], kind="stable")
        grids = {}
        for name, chosen in (("best", order[:EXAMPLE_ROWS]), ("worst", order[::-1][:EXAMPLE_ROWS])):
            rows = [[_centre(x[i], SAMPLE_PX) for x in (baseline, outputs, self.targets)] for i in chosen]
            grids[f"{name} held-out pictures"] = make_grid(rows, headers=headers)
        return grids

    def protocol(self) -> dict[str, Any]:
        """How the figures were measured."""
        return fidelity_protocol(count=len(self.targets), crop_px=self._crop_px, lpips=self._lpips_weights) | {
            "weights": "averaged generator, float32, inference mode",
        }

    def _measure(self, outputs: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return measure_fidelity(self.targets, outputs, crop_px=self._crop_px, lpips=self._lpips)

    def _means(self, outputs: Sequence[np.ndarray]) -> dict[str, float]:
        return {name: float(values.mean()) for name, values in self._measure(outputs).items()}

    @functools.cached_property
    def _lpips(self) -> Callable | None:
        return build_lpips(self._lpips_weights) if self._lpips_weights else None


def _centre(picture: np.ndarray, size_px: int) -> np.ndarray:
    top, left = (max(0, (side - size_px) // 2) for side in picture.shape[:2])
    return picture[top : top + size_px, left : left + size_px]
