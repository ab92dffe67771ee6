"""The models that `tfgan_app export` takes, with the images to compare and calibrate on."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.config import RunConfig, replace_values
from tfgan_app.export import PARITY_SEEDS
from tfgan_app.files import printable
from tfgan_app.inference import color_model, is_color, load_keras_model, model_file, run_checkpoint
from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import NOT_STATED, read_metadata
from tfgan_app.layers import provenance_of
from tfgan_app.model_info import HOLE_CHANNELS, ModelInfo
from tfgan_app.shipped import located, shipped_names

_HELD_OUT_IMAGES = 8
_RANDOM_PX = 96

Pair = tuple[np.ndarray, np.ndarray | None]


@dataclass(frozen=True)
class Source:
    """A model to export, with images to compare and calibrate on.

    Attributes:
        path: Its `.keras` file, or the name that stands for it.
        model: The Keras model.
        name: Default name.
        image_size_px: Side of its training images; None if unknown.
        held_out: Images to compare on.
        calibration: Returns training images.
        compared_on: Description of the images to compare on, for messages.
        training: Facts about the training, for the model card.
        license: License of the weights, as far as it is known.
    """

    path: Path
    model: keras.Model
    name: str
    image_size_px: int | None
    held_out: Sequence[Pair]
    calibration: Callable[[], Sequence[np.ndarray]]
    compared_on: str
    training: Mapping[str, str] = field(default_factory=dict)
    license: str = NOT_STATED

    @property
    def info(self) -> ModelInfo:
        """The description of the model."""
        return model_info(self.model)


def open_source(run: str, checkpoint: str | None = None) -> Source:
    """Opens a model to export.

    Args:
        run: Run directory, `.keras` file, name of a shipped model, or `color:NAME`.
        checkpoint: `"last"` or `"best"` of a run; None is the last.

    Raises:
        ValueError: If there is no such model.
    """
    path = located(run)
    if is_color(path):
        model = color_model(path)
        return _without_run(model, path, name=model.name)
    if path.suffix == ".keras" and path.is_file():
        file = model_file(path, checkpoint or "last")
        source, known = _without_run(load_keras_model(file), file, name=file.stem), read_metadata(file)
        license = source.license if known.license == NOT_STATED else known.license
        return dataclasses.replace(source, training={**source.training, **known.facts}, license=license)
    if not path.exists() or path.suffix == ".tflite":
        raise ValueError(f"`--run` must be a run directory or a .keras file. Received: '{run}'. {shipped_names()}")
    return _open_run(RunDirectory.existing(str(path)), checkpoint=checkpoint or "last")


def _without_run(model: keras.Model, path: Path, *, name: str) -> Source:
    """Returns the source for a model without a run: no images of its own, and an origin only if it was imported."""
    facts = provenance_of(model)
    license = facts.pop("License", NOT_STATED)
    info = model_info(model)
    if info.kind == "noise":
        return Source(path, model, name, None, (), list, f"the images of {PARITY_SEEDS} seeds", facts, license)
    if info.window is not None:
        examples = _random_examples(info, size_px=_RANDOM_PX)
        return Source(path, model, name, None, examples, list, f"{len(examples)} random images", facts, license)
    images = photographs(channels=info.channels)
    held_out = [(image, None) for image in images["val"]]
    compared_on = f"{len(held_out)} bundled photographs"
    return Source(path, model, name, None, held_out, lambda: images["train"], compared_on, facts, license)


def _open_run(directory: RunDirectory, *, checkpoint: str) -> Source:
    config, task_class = directory.read_config()
    path = run_checkpoint(directory.path, checkpoint)
    model = load_keras_model(path)
    name, size_px = config.task_name, config.data.image_size
    info = model_info(model)
    if info.kind == "noise":
        seeds = f"the images of {PARITY_SEEDS} seeds"
        return Source(path, model, name, size_px, (), list, seeds, training_facts(config))
    config = replace_values(config, {"data.max_val_images": _HELD_OUT_IMAGES})
    try:
        task = task_class(config, report=_report)
        held_out, kind = task.held_out_examples(), "held-out"
        calibration = task.calibration_images
    except (ValueError, OSError) as error:
        _report(f"Checking the export on random images, because the run's data set is not usable here: {error}")
        held_out, kind = _random_examples(info, size_px=size_px), "random"
        calibration = _no_calibration(error)
    compared_on = f"{len(held_out)} {kind} images"
    return Source(path, model, name, size_px, held_out, calibration, compared_on, training_facts(config))


def training_facts(config: RunConfig) -> dict[str, str]:
    """Returns the facts about a training for the model card: name -> text."""
    data = printable(Path(config.data.source).name) if config.data.source else "the bundled sample"
    facts = {"Task": config.task_name, "Trained on": data, "Training steps": f"{config.training.steps:,}"}
    if started_from := getattr(config.task, "init_from", None):
        path = located(started_from)
        license = read_metadata(path).license
        facts["Started from"] = path.name if license == NOT_STATED else f"{path.name}, license {license}"
    return facts


def _random_examples(info: ModelInfo, *, size_px: int) -> list[Pair]:
    """Returns random images: float32 in [0, 1] for a model of images as numbers, else uint8."""
    shape, random = (_HELD_OUT_IMAGES, size_px, size_px, info.channels), np.random.default_rng(0)
    if info.window is not None:
        return [(image, None) for image in random.random(shape, np.float32)]
    return [(image, None) for image in random.integers(0, 256, shape, np.uint8)]


def _no_calibration(error: Exception) -> Callable[[], Sequence[np.ndarray]]:
    def refuse() -> Sequence[np.ndarray]:
        raise ValueError(f"`--quantize int8` needs the run's training images, which are not usable here: {error}")

    return refuse


def photographs(*, channels: int) -> dict[str, list[np.ndarray]]:
    """Returns the bundled photographs by split; for an inpainting model, with a hole in the center of each."""
    from tfgan_app.data.bundled import bundled_path
    from tfgan_app.image_io.loading import find_images, read_rgb

    found = {}
    for split in ("train", "val"):
        images = [read_rgb(path) for path in find_images(bundled_path("photos") / split)]
        found[split] = [_with_hole(image) if channels == HOLE_CHANNELS else image for image in images]
    return found


def _with_hole(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    known = np.full((height, width, 1), 255, np.uint8)
    known[height // 3 : height // 2, width // 3 : width // 2] = 0
    return np.concatenate([image, known], axis=-1)


def _report(line: str) -> None:
    print(line, file=sys.stderr)
