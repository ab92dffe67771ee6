"""Quality of unpaired translations: distances between sets, and change from the input."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tfgan_app.config import RunConfig
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.unpaired import ImageSide
from tfgan_app.metrics import PIXEL_METRICS, build_lpips, output_variation, paired_metrics
from tfgan_app.tasks.generate.evaluation import GenerationQuality
from tfgan_app.tasks.translate.unpaired_data import UnpairedData

SET_METRICS = ("fid", "kid")
LEAST_CHANGE = 0.01
"""Mean absolute change (range 1) below which outputs are considered copies of their inputs."""


class UnpairedQuality:
    """Metrics of outputs against held-out images of the other set, and against ground truth if any.

    Args:
        config: The run's configuration.
        data: Images of the run.
        report: Called with progress messages and a warning.
    """

    def __init__(self, config: RunConfig, *, data: UnpairedData, report: Callable[[str], Any]):
        self._settings = config.task
        self._data = data
        self._report = report

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics; those against ground truth only if there is some."""
        return (*SET_METRICS, *(self._pixel_metrics if len(self._data.true_pairs[0]) else ()))

    @functools.cached_property
    def _pixel_metrics(self) -> dict[str, Callable]:
        weights = self._settings.lpips_weights
        return {**PIXEL_METRICS, "lpips": build_lpips(weights)} if weights else PIXEL_METRICS

    @functools.cached_property
    def baselines(self) -> dict[str, float]:
        """Metrics independent of a model: inputs taken as outputs, and real images."""
        inputs = self._data.images["input"]
        return {
            **{f"copy_{name}": value for name, value in self._against_truth(inputs).items()},
            **{f"copy_{name}": value for name, value in _plain(self._set_distances("target", inputs)).items()},
            **self._floor("target"),
        }

    @functools.cached_property
    def inverse_baselines(self) -> dict[str, float]:
        """The same for the inverse direction."""
        copied = _plain(self._set_distances("input", self._data.images["target"]))
        values = {f"copy_{name}": value for name, value in copied.items()} | self._floor("input")
        return {f"inverse_{name}": value for name, value in values.items()}

    def measure(self, outputs: np.ndarray) -> dict[str, float]:
        """FID and KID of translated held-out inputs, their change, and metrics against ground truth.

        Args:
            outputs: uint8 `[count, size, size, 3]`, of the held-out inputs.
        """
        inputs = self._data.images["input"]
        change = float(np.abs(outputs.astype(np.int16) - inputs).mean() / 255.0)
        if change < LEAST_CHANGE:
            self._report(
                f"the output hardly differs from the input: by {change:.2%} of the range on average. If this persists, "
                "lower the losses that tie them together (task.cycle_weight, task.identity_weight, task.nce_weight)."
            )
        variation = output_variation(self._data.images["target"], outputs)
        return {
            **self._set_distances("target", outputs),
            **self._against_truth(outputs),
            "change": change,
            **({} if variation is None else {"output_variation": variation}),
            **self.baselines,
        }

    def measure_inverse(self, there: np.ndarray, translate_back: Callable[[np.ndarray], np.ndarray], *, translate):
        """FID and KID of the inverse direction, and PSNR (dB) after both directions from either side.

        Args:
            there: uint8 `[count, size, size, 3]`, outputs of the held-out inputs.
            translate_back: Translates images like the targets to images like the inputs.
            translate: Translates in the other direction.
        """
        inputs, targets = self._data.images["input"], self._data.images["target"]
        back = translate_back(targets)
        returned = {"cycle": (inputs, translate_back(there)), "inverse_cycle": (targets, translate(back))}
        psnr = {"psnr": PIXEL_METRICS["psnr"]}
        return {
            **{f"inverse_{name}": value for name, value in self._set_distances("input", back).items()},
            **{
                f"{name}_psnr": float(paired_metrics(*pair, metrics=psnr)["psnr"].mean())
                for name, pair in returned.items()
            },
            **self.inverse_baselines,
        }

    def caveats(self) -> list[str]:
        """Caveats of the figures, as texts."""
        return self._compared["target"].caveats(generated=len(self._data.held_out["input"]), neighbors=False)

    def protocol(self) -> dict[str, Any]:
        """Protocol of the metrics."""
        fields = self._compared["target"].protocol(generated=len(self._data.held_out["input"]))
        left_out = ("precision_recall", "density_coverage")
        return {
            **{name: value for name, value in fields.items() if name not in left_out},
            "value_range": "8-bit RGB, all channels, mean over images, PSNR up to 100 dB",
            "ssim_window": "11 px Gaussian, sigma 1.5",
        }

    def _set_distances(self, side: str, images: np.ndarray) -> dict[str, float]:
        """FID and KID of images against the held-out ones of a side."""
        measured = self._compared[side].measure([images])
        wanted = (*SET_METRICS, "kid_low", "kid_high", "fid_low", "fid_high")
        return {name: measured[name] for name in wanted if name in measured}

    def _floor(self, side: str) -> dict[str, float]:
        return {f"floor_{name}": self._compared[side].floor[f"floor_{name}"] for name in SET_METRICS}

    def _against_truth(self, outputs: np.ndarray) -> dict[str, float]:
        first, second = self._data.true_pairs
        if not len(first):
            return {}
        pair = self._data.images["target"][second], outputs[first]
        return {name: float(v.mean()) for name, v in paired_metrics(*pair, metrics=self._pixel_metrics).items()}

    @functools.cached_property
    def _compared(self) -> dict[str, GenerationQuality]:
        there = self._comparison("target", "input")
        return {"target": there, "input": self._comparison("input", "target", shared=there)}

    def _comparison(self, side: str, other: str, *, shared: GenerationQuality | None = None) -> GenerationQuality:
        training, held_out = self._data.training[side], self._data.held_out[side]
        halves = {path: each.half for each in (training, held_out) for path in each.images.paths}

        def load(images: LabeledImages) -> np.ndarray:
            return self._data.load(ImageSide(images, halves[images.paths[0]]))

        return GenerationQuality(
            held_out=held_out.images,
            training=training.images,
            load=load,
            classes=0,
            features=self._settings.features,
            feature_weights=self._settings.feature_weights,
            floor_count=len(self._data.held_out[other]),
            report=self._report,
            shared=shared,
        )


def _plain(measured: dict[str, float]) -> dict[str, float]:
    """Metrics without the intervals of FID, which baselines do not need."""
    return {name: value for name, value in measured.items() if name not in ("fid_low", "fid_high")}
