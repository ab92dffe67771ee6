"""The LiteRT file beside a `.keras` file, which `predict` runs without starting TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from tfgan_app.export import export_model
from tfgan_app.files import printable
from tfgan_app.inference.engines import lite_file_beside
from tfgan_app.keras_info import model_info
from tfgan_app.keras_metadata import weights_fingerprint

_LARGEST_BYTES = 2**28
"""Converting a network takes several times the memory of its weights."""


def write_lite_beside(
    keras_file: Path,
    model: keras.Model,
    *,
    held_out: list[tuple[np.ndarray, np.ndarray | None]],
    license: str,
    training: Mapping[str, str],
) -> str | None:
    """Exports a model of images to LiteRT beside its `.keras` file; a file that is there already stays.

    Args:
        keras_file: The file that was written.
        model: The model in it.
        held_out: Images to compare on, with what should come out.
        license: Of the weights.
        training: What the card says of the training.

    Returns:
        A line that says what was written, or why nothing was; None for models that draw images or take a style.
    """
    if model_info(model).kind in ("noise", "style"):
        return None
    target = lite_file_beside(keras_file)
    if model.count_params() * 4 > _LARGEST_BYTES:
        return f"No '{printable(target)}' was written: the network is large. `tfgan_app export --format tflite` does it"
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
    except ValueError as error:  # Its operations, or its parity: TensorFlow runs it all the same.
        return (
            f"No '{printable(target)}' was written, so that predict runs by TensorFlow: {' '.join(str(error).split())}"
        )
    return f"Wrote {printable(result.path)}, by which predict starts at once on CPUs"
