"""Parity check: comparison of an export with its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.export.request import Batch, ExportRequest, Pair, tokens_of
from tfgan_app.files import first_line
from tfgan_app.keras_info import model_info
from tfgan_app.latents import seeded_latents

PARITY_SEEDS = 16
"""Number of seeds that a generative model is compared on."""

MAX_PSNR = 100.0
"""PSNR of identical images, in dB."""

_ODD_SIZES = ((1, 1), (1, 5), (7, 2), (17, 33), (48, 31))
_BATCH = 2
_CROPS = 4
_LEAST_CROP_PX = 24
_STRENGTHS = (1.0, 0.5, 0.0)
_NUDGES, _OWN_SHARE = 3, 4


@dataclass(frozen=True)
class Limits:
    """Largest allowed differences between an export and its model, for images in [0, 1]; None is no limit.

    Attributes:
        max_error: Largest absolute difference.
        psnr: Least PSNR of any image against the model's, in dB.
        lost_psnr: Largest allowed loss of mean PSNR against the target images, in dB.
        noise: Whether random images are compared too; integer ranges are chosen for natural images.
        rounding: Relative rounding error of a number.
    """

    max_error: float | None = None
    psnr: float | None = None
    lost_psnr: float | None = None
    noise: bool = True
    rounding: float = 2.0**-23


LIMITS = {
    "none": Limits(max_error=1e-4),
    "float16": Limits(psnr=50.0, rounding=2.0**-11),
    "dynamic": Limits(psnr=38.0, lost_psnr=0.3, noise=False),
    "int8": Limits(psnr=38.0, lost_psnr=0.3, noise=False),
}
"""Limits by quantization. One uint8 level is 40 times 1e-4."""


@dataclass(frozen=True)
class Parity:
    """Measured difference between an export and its model, for images in [0, 1].

    Attributes:
        batches: Number of batches compared.
        max_error: Largest absolute difference.
        mean_error: Mean absolute difference.
        psnr: Mean over images of the PSNR against the model's, in dB, at most 100.
        least_psnr: Least PSNR of any image.
        lost_psnr: Loss of mean PSNR against the target images relative to the model, in dB; None without targets.
    """

    batches: int
    max_error: float
    mean_error: float
    psnr: float
    least_psnr: float
    lost_psnr: float | None = None


@dataclass(frozen=True)
class Sample:
    """A batch for the comparison.

    Attributes:
        inputs: Inputs that the model is called with.
        target: Expected output, float32 [batch, height, width, 3] in [0, 1], if known.
        noise: Whether it is a random image, for which some models multiply each rounding error by a million.
    """

    inputs: Batch
    target: np.ndarray | None = None
    noise: bool = False

    def __str__(self) -> str:
        tensor = tf.nest.flatten(self.inputs)[0]
        return f"{'images' if tensor.shape.rank == 4 else 'latents'} of shape {tensor.shape.as_list()}"


class ParityError(ValueError):
    """An export whose difference from its model exceeds the limits; the message has the numbers.

    Attributes:
        sample: The last sample that showed the difference.
    """

    def __init__(self, message: str, sample: Sample):
        super().__init__(message)
        self.sample = sample


def samples_for(model: keras.Model, request: ExportRequest, *, fixed_px: int | None = None) -> Iterator[Sample]:
    """Samples that an export is compared on.

    Args:
        model: The model.
        request: The export's request; `held_out` has the images.
        fixed_px: The only height and width of images that the export accepts; None where it accepts all.
    """
    info = model_info(model)
    if info.kind == "noise":
        yield from _latents(info.latent_dim, classes=len(info.classes), tokens=tokens_of(model))
        return
    if info.kind == "style":
        yield from _with_styles(request)
        return
    rng = np.random.default_rng(0)
    if fixed_px is not None:
        for source, target in request.held_out:
            yield _whole(fitted(source, fixed_px), None if target is None else fitted(target, fixed_px * info.scale))
    else:
        yield from _at_many_sizes(request.held_out, rng)
    if LIMITS[request.quantize].noise:
        sizes = _ODD_SIZES if fixed_px is None else [(fixed_px, fixed_px)]
        noise = (tf.constant(rng.random((_BATCH, *size, info.channels), np.float32)) for size in sizes)
        yield from (Sample(images, noise=True) for images in noise)


def _with_styles(request: ExportRequest) -> Iterator[Sample]:
    """The images and crops of them, each with the previous one as its style, at several strengths; and noise."""
    rng = np.random.default_rng(0)
    noise = [Sample(tf.constant(rng.random((_BATCH, *size, 3), np.float32))) for size in _ODD_SIZES]
    samples = [*_at_many_sizes(request.held_out, rng), *noise]
    for index, sample in enumerate(samples):
        batch = len(sample.inputs)
        style = tf.repeat(samples[index - 1].inputs[:1], batch, axis=0)
        yield Sample([sample.inputs, style, tf.fill([batch], _STRENGTHS[index % len(_STRENGTHS)])])


def _at_many_sizes(pairs: Sequence[Pair], rng: np.random.Generator) -> Iterator[Sample]:
    """The images, and crops of the first ones at random sizes."""
    for index, (source, target) in enumerate(pairs):
        yield _whole(source, target)
        if index < _CROPS:
            height, width = (int(rng.integers(min(_LEAST_CROP_PX, side), side + 1)) for side in source.shape[:2])
            yield _whole(source[:height, :width], None)


def _whole(source: np.ndarray, target: np.ndarray | None) -> Sample:
    return Sample(tf.constant(_unit_batch(source)), None if target is None else _unit_batch(target))


def _unit_batch(image: np.ndarray) -> np.ndarray:
    """A batch of one image, float32 in [0, 1], of levels or of numbers in [0, 1]."""
    return image[np.newaxis].astype(np.float32) / np.float32(255.0 if image.dtype == np.uint8 else 1.0)


def fitted(image: np.ndarray, size_px: int) -> np.ndarray:
    """Center crop of an image [height, width, channels], extended by reflection where it is smaller."""
    for axis in (0, 1):
        size = image.shape[axis]
        if size >= size_px:
            image = np.take(image, np.arange(size_px) + (size - size_px) // 2, axis=axis)
        else:
            image = np.pad(image, [(0, size_px - size if each == axis else 0) for each in range(3)], "symmetric")
    return image


def _latents(latent_dim: int, *, classes: int, tokens: np.ndarray | None) -> Iterator[Sample]:
    """Latents of the first seeds, with each class at least once, or with texts of several lengths."""
    latents = seeded_latents(tf.range(PARITY_SEEDS), latent_dim)
    if tokens is not None:
        yield Sample([latents, tf.constant(tokens[tf.range(PARITY_SEEDS) % len(tokens)])])
        return
    if not classes:
        yield Sample(latents)
    for first in range(0, classes, PARITY_SEEDS):
        yield Sample([latents, (first + tf.range(PARITY_SEEDS)) % classes])


def check_parity(reference: Callable, exported: Callable, samples: Iterator[Sample], *, limits: Limits) -> Parity:
    """Compares two models.

    Args:
        reference: The model: a batch -> images float32 [batch, height, width, channels] in [0, 1].
        exported: Its export, with the same interface.
        samples: Samples to compare on.
        limits: Largest allowed differences.

    Returns:
        The measured difference.

    Raises:
        ParityError: If the difference exceeds the limits.
        ValueError: If one of them fails on a batch.
    """
    meter = _Meter()
    for sample in samples:
        expected = _run(reference, sample, "model")
        received = _run(exported, sample, "export")
        if expected.shape != received.shape:
            shapes = f"{list(received.shape)} instead of {list(expected.shape)}"
            raise ParityError(f"The export differs from the model: it gives images of shape {shapes}.", sample)
        if sample.noise and _is_rounding(reference, sample.inputs, expected, received, limits=limits):
            continue
        meter.add(expected, received, sample)
        _check(meter.parity(), limits, sample)
    if not meter.batches:
        raise ValueError("There are no images to compare the export on: give images of the run, of the export's size.")
    parity = meter.parity()
    if limits.lost_psnr is not None and parity.lost_psnr is not None and parity.lost_psnr > limits.lost_psnr:
        raise ParityError(
            f"The export is worse than the model: it loses {parity.lost_psnr:.2f} dB on the held-out images, "
            f"limit {limits.lost_psnr:g}.",
            sample,
        )
    return parity


def _is_rounding(reference: Callable, inputs, expected: np.ndarray, received: np.ndarray, *, limits: Limits) -> bool:
    """Returns whether a difference exceeds the limits only as much as the model's own with rounded inputs."""
    difference = float(np.abs(received - expected).max())
    within = limits.max_error is None or difference <= limits.max_error
    if not np.isfinite(difference) or (within and (limits.psnr is None or _psnr(received, expected) >= limits.psnr)):
        return False
    rng, own = np.random.default_rng(0), 0.0
    for _ in range(_NUDGES):
        nudge = tf.constant(1 + limits.rounding * rng.choice([-1.0, 1.0], inputs.shape), tf.float32)
        own = max(own, float(np.abs(np.asarray(reference(inputs * nudge)) - expected).max()))
    return difference <= _OWN_SHARE * own


def _check(parity: Parity, limits: Limits, sample: Sample) -> None:
    if limits.max_error is not None and parity.max_error > limits.max_error:
        raise ParityError(
            f"The export differs from the model: largest absolute difference {parity.max_error:.3g}, "
            f"limit {limits.max_error:g}, mean {parity.mean_error:.3g}, on {sample}.",
            sample,
        )
    if limits.psnr is not None and not parity.least_psnr >= limits.psnr:
        raise ParityError(
            f"The export differs from the model: PSNR {parity.least_psnr:.1f} dB, limit {limits.psnr:g}, "
            f"largest absolute difference {parity.max_error:.3g}, on {sample}.",
            sample,
        )


class _Meter:
    """Accumulator of differences, batch by batch."""

    def __init__(self):
        self.batches, self._largest, self._total, self._count = 0, 0.0, 0.0, 0
        self._psnrs: list[float] = []
        self._lost: list[float] = []

    def add(self, expected: np.ndarray, received: np.ndarray, sample: Sample) -> None:
        difference = np.abs(received - expected)
        finite = np.isfinite(difference).all()
        self._largest = np.fmax(self._largest, difference.max()) if finite else np.inf
        self.batches, self._count = self.batches + 1, self._count + difference.size
        self._total += float(difference.sum())
        self._psnrs += [_psnr(*pair) for pair in zip(expected, received, strict=True)]
        if sample.target is not None:
            models, exports = (
                [_psnr(*pair) for pair in zip(outputs, sample.target, strict=True)] for outputs in (expected, received)
            )
            self._lost += [model - export for model, export in zip(models, exports, strict=True)]

    def parity(self) -> Parity:
        return Parity(
            batches=self.batches,
            max_error=float(self._largest),
            mean_error=self._total / max(self._count, 1),
            psnr=float(np.mean(self._psnrs)),
            least_psnr=float(np.min(self._psnrs)),
            lost_psnr=float(np.mean(self._lost)) if self._lost else None,
        )


def _psnr(first: np.ndarray, second: np.ndarray) -> float:
    """PSNR in dB of images in [0, 1], at most `MAX_PSNR`; -inf where one has NaN or infinite values."""
    error = float(np.mean(np.square(np.clip(first, 0.0, 1.0) - np.clip(second, 0.0, 1.0)), dtype=np.float64))
    if not np.isfinite(error):
        return -np.inf
    return min(MAX_PSNR, -10.0 * np.log10(max(error, 1e-30)))


def _run(model: Callable, sample: Sample, role: str) -> np.ndarray:
    try:
        return np.asarray(model(sample.inputs), dtype=np.float32)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise ValueError(f"The {role} fails on {sample}: {first_line(error)}") from error
