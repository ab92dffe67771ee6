"""`tfgan_app export --part discriminator`: the features and scores of a run's discriminator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfgan_app.commands.export_source import training_facts
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.commands.run_study import load_discriminator
from tfgan_app.commands.task_report import TaskReport
from tfgan_app.export import PARITY_SEEDS, ExportResult
from tfgan_app.export.discriminator import export_discriminator_model
from tfgan_app.files import printable
from tfgan_app.inference import Sampler, load_predictor
from tfgan_app.keras_metadata import NOT_STATED
from tfgan_app.networks.discriminator_features import build_discriminator_inference_model

_TASKS = ("generate", "augment")


def export_discriminator(run: str, *, format: str, output_dir: str, name: str, license: str | None) -> ExportResult:
    """Exports the discriminator of a run; see `export_discriminator_model`.

    Args:
        run: Run directory of the task `generate` or `augment`.
        format: `"saved_model"`, `"tflite"` or `"keras"`.
        output_dir: Folder of all exported models.
        name: Name of the model.
        license: License of the weights; None if it is not stated.

    Raises:
        ValueError: If it is no such run, its training state is gone, its discriminator takes a text, or the export
            differs from the model.
    """
    if not Path(run).is_dir():
        raise ValueError(f"`--part discriminator` needs a run directory. Received: '{printable(run)}'.")
    directory = RunDirectory.existing(run)
    config, task_class = directory.read_config()
    if config.task_name not in _TASKS:
        raise ValueError(
            f"`--part discriminator` is for runs of {' and '.join(_TASKS)}. Received: a run of {config.task_name}."
        )
    sampler = load_predictor(run)
    if not isinstance(sampler, Sampler) or sampler.info.prompt_tokens:
        raise ValueError("`--part discriminator` is for runs without text. This run's discriminator takes a prompt.")
    model = build_discriminator_inference_model(load_discriminator(directory, task_class(config, report=TaskReport())))
    labels = [seed % len(sampler.class_names) for seed in range(PARITY_SEEDS)] if sampler.class_names else None
    images = sampler(range(PARITY_SEEDS), labels).astype(np.float32) / 255.0
    samples = [[image[None]] for image in images]
    if labels is not None:
        samples = [[*row, np.array([label], np.int32)] for row, label in zip(samples, labels, strict=True)]
    return export_discriminator_model(
        model,
        samples,
        format=format,
        output_dir=output_dir,
        name=name,
        license=license or NOT_STATED,
        training={**training_facts(config), "Part": "discriminator"},
    )
