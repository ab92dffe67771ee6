"""Knowledge distillation: a trained network's outputs as additional targets."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from tfgan_app.image_io.loading import find_images
from tfgan_app.inference import load_keras_model, run_checkpoint

_SIDE_PX = 16


class Teacher:
    """Mixes a teacher's outputs into the targets of the pixel loss.

    "Distilling the Knowledge in a Neural Network", Hinton et al. 2015, arXiv:1503.02531, as regression: of details that
    the input does not determine, the truth has one sample and a strong teacher about the mean. So its outputs reduce
    the noise of the gradient. The other losses use the truth.

    Args:
        source: Run directory, `.keras` file, or a folder of outputs that come with the batch as `teacher`.
        weight: Share of the teacher in the mixed target, in [0, 1].
        scale: Factor of height and width.

    Attributes:
        folder: The folder of outputs; None if the teacher itself runs.

    Raises:
        ValueError: If the teacher does not exist, or does not enlarge RGB images by the scale.
    """

    def __init__(self, source: str, *, weight: float, scale: int):
        self._weight = weight
        self.folder = source if _holds_images(source) else None
        self._model = None if self.folder else _load(source, scale=scale)

    def mixed(self, truth: tf.Tensor, low_res: tf.Tensor, outputs: tf.Tensor | None) -> tf.Tensor:
        """The target of the pixel loss.

        Args:
            truth: float32 `[batch, scale * height, scale * width, 3]` in [-1, 1].
            low_res: float32 `[batch, height, width, 3]` in [-1, 1].
            outputs: The teacher's outputs if they come from a folder, like `truth`.

        Returns:
            Like `truth`.
        """
        if outputs is None:
            unit = self._model(low_res * 0.5 + 0.5, training=False)
            outputs = tf.clip_by_value(tf.cast(unit, tf.float32), 0.0, 1.0) * 2.0 - 1.0
        return truth + self._weight * (outputs - truth)


def _holds_images(source: str) -> bool:
    path = Path(source)
    return path.is_dir() and not (path / "config.json").exists() and bool(find_images(path))


def _load(source: str, *, scale: int) -> keras.Model:
    path = Path(source)
    if not path.exists():
        raise ValueError(
            "`task.teacher` must be a run directory, a .keras file or a folder of a teacher's outputs. "
            f"Received: '{source}', which does not exist."
        )
    model = load_keras_model(run_checkpoint(path, "last") if path.is_dir() else path)
    model.trainable = False
    expected = (None, None, None, 3)
    fits = len(model.inputs) == 1 and tuple(model.inputs[0].shape) == expected
    grown = model.compute_output_shape((1, _SIDE_PX, _SIDE_PX, 3))[1] if fits else None
    if grown != scale * _SIDE_PX:
        raise ValueError(
            f"`task.teacher` must enlarge RGB images of any size {scale} times, as task.scale says. "
            f"Received: '{source}', which {f'enlarges {grown / _SIDE_PX:g} times' if fits else 'does something else'}."
        )
    return model
