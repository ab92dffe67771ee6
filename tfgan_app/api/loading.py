"""`tfgan_app.load`: loads any model that training, export or import wrote."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from tfgan_app.api.errors import one_line_errors
from tfgan_app.api.noise_model import NoiseModel
from tfgan_app.api.predictors import ImageModel
from tfgan_app.api.settings import path_text
from tfgan_app.commands.predict_settings import EngineChoice, PredictSettings, load_model
from tfgan_app.inference import Sampler
from tfgan_app.inference.places import find_saved_model, is_run
from tfgan_app.keras_metadata import NOT_STATED, read_metadata
from tfgan_app.model_info import ModelInfo
from tfgan_app.shipped import is_shipped, shipped_models


@one_line_errors()
def load(
    name_or_path: str | os.PathLike,
    *,
    checkpoint: str = "last",
    fidelity: float | None = None,
    fidelity_model: str | os.PathLike | None = None,
    ensemble: bool = False,
    engine: str = "auto",
    quantized: bool = False,
) -> ImageModel | NoiseModel:
    """Loads a model for prediction.

    Args:
        name_or_path: The name of a shipped model (see `tfgan_app models`); a run directory; a folder or version folder
            of an exported SavedModel, or of a web page; a `.keras` or `.tflite` file; or `color:NAME`.
        checkpoint: Checkpoint of a run: `"last"` or `"best"`.
        fidelity: Blend of weights in [0, 1]: 0 is the model itself, 1 the model that its training started from.
        fidelity_model: The model that it started from, if that is not recorded.
        ensemble: Whether to average over the eight orientations of each image: eight times slower, slightly more
            accurate.
        engine: `"litert"`, `"tensorflow"`, or `"auto"`: LiteRT on CPUs, without loading TensorFlow, if a `.tflite`
            file with verified parity is beside the `.keras` file.
        quantized: Whether to run that file in 8-bit integers: faster, slightly less accurate.

    Returns:
        An `ImageModel`, whose `predict` takes and returns images; or a `NoiseModel`, whose `generate` returns images.

    Raises:
        ValueError: If there is no such model, or it cannot be loaded. The message is one line.

    Examples:
        >>> import tfgan_app as tfgan
        >>> upscaler = tfgan.load("upscale_x4")
        >>> upscaler.info.kind, upscaler.info.scale, upscaler.info.license
        ('images', 4, 'Apache-2.0')
        >>> sharp = upscaler.predict("photo.jpg")
        >>> sharp.size
        (64, 48)
    """
    name = os.fspath(name_or_path)
    settings = PredictSettings(fidelity=fidelity, fidelity_model=path_text(fidelity_model), ensemble=ensemble)
    choice = EngineChoice(engine, quantized)
    model = load_model(name, checkpoint=checkpoint, settings=settings, choice=choice)
    info = dataclasses.replace(model.info, **_known_of(name, model.info))
    if quantized:
        info = dataclasses.replace(info, figures={})  # They were measured on the float model.
    return NoiseModel(model, info) if isinstance(model, Sampler) else ImageModel(model, info)


def _known_of(name: str, info: ModelInfo) -> dict[str, Any]:
    """Returns the fields of `ModelInfo` that are stored beside a model, not in its graph."""
    if is_shipped(name):
        row = next(row for row in shipped_models().values() if name == row.name or name in row.files)
        # The figures were measured on the float model.
        figures = row.figures if name in (row.name, row.files[0]) else {}
        return {"task": row.task, "license": row.license, "figures": figures}
    path = Path(name)
    if is_run(path):
        from tfgan_app.commands.run_directory import RunDirectory

        return {"task": RunDirectory.existing(name).read_config()[0].task_name, "figures": run_figures(path)}
    if path.suffix == ".keras":
        known = read_metadata(path)
        license = info.license if known.license == NOT_STATED else known.license
        return {"task": known.facts.get("Task"), "license": license, "facts": {**info.facts, **known.facts}}
    folder = find_saved_model(path) if path.is_dir() else None
    if folder is None:
        return {}
    from tfgan_app.serving.model_cards import card_facts

    return {"license": card_facts(folder).get("license", NOT_STATED)}


def run_figures(run_dir: Path) -> dict[str, float | str]:
    """Returns the newest validation of a run and its protocol; empty before the first one."""
    from tfgan_app.callbacks import read_metrics

    measured = [row for row in read_metrics(run_dir) if any(key.startswith(_VALIDATION) for key in row)]
    if not measured:
        return {}
    row = measured[-1]
    figures = {key.removeprefix(_VALIDATION): value for key, value in row.items() if key.startswith(_VALIDATION)}
    return {"protocol": f"validation at step {int(row['step'])}", **figures}


_VALIDATION = "val_"
