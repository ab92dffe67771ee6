"""LiteRT file beside a `.keras` file, which `predict` runs without loading TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from tfgan_app.export import export_model
from tfgan_app.files import printable
from tfgan_app.inference.engines import lite_file_beside, takes_any_size
from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import weights_fingerprint

_LARGEST_BYTES = 2**28
"""Converting a network takes several times the memory of its weights."""


def write_lite_beside(
    keras_file: Path,
    model: keras.Model,
    *,
    held_out: Sequence[tuple[np.ndarray, np.ndarray | None]],
    license: str,
    training: Mapping[str, str],
) -> str | None:
    """Exports an image model to LiteRT beside its `.keras` file; an existing file is kept.

    Args:
        keras_file: The `.keras` file.
        model: The model in it.
        held_out: Images to compare on, with their targets.
        license: License of the weights.
        training: Facts about the training, for the model card.

    Returns:
        A line that names the file, or the reason why none was written; None for noise and style models.
    """
    if model_info(model).kind in ("noise", "style"):
        return None
    target = lite_file_beside(keras_file)
    if model.count_params() * 4 > _LARGEST_BYTES:
        return f"No '{printable(target)}' was written: the network is large. Use `tfgan_app export --format tflite`"
    try:
        result = export_model(
            model,
            format="tflite",
            output_dir=keras_file.parent,
            name=keras_file.stem,
            held_out=held_out,
            license=license,
            training=training,
            made_of=weights_fingerprint(keras_file),
        )
    except ValueError as error:  # Unsupported operations, or no parity: TensorFlow still runs the model.
        return f"No '{printable(target)}' was written, so predict uses TensorFlow: {' '.join(str(error).split())}"
    if not takes_any_size(result.path):
        return f"Wrote {printable(result.path)}, for images of one size; predict uses TensorFlow, which takes any"
    return f"Wrote {printable(result.path)}, with which predict starts faster on CPUs"
