"""Image grids for `fit` of a Keras-level GAN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfgan_app.image_io.grid import make_grid
from tfgan_app.image_io.loading import write_image

EPOCH = "epoch"
GRID_COLUMNS = 8


class ImageGrid(keras.callbacks.Callback):
    """Writes PNG grids of the averaged generator's outputs for fixed inputs during training.

    Each image of the batch is a row: its input, its output and, if there is one, its target. For a generator from
    noise, outputs fill the rows.

    Args:
        images_or_batch: Inputs of the model's `predict`, or a tuple of inputs and targets, images float32 in [-1, 1];
            for a `GAN`, latents, `[latents, labels]`, or the number of images to generate from fixed seeds.
        directory: Folder of the grids `epoch-0001.png` or `step-0000100.png`; created if missing.
        every: `"epoch"`, or the number of training steps between grids.

    Raises:
        ValueError: If `every` is something else.

    Examples:
        >>> import tempfile
        >>> import numpy as np
        >>> from pathlib import Path
        >>> from tfgan_app.callbacks import ImageGrid
        >>> from tfgan_app.models import GAN
        >>> gan = GAN(image_size=16, generator_width=8, discriminator_width=8)
        >>> gan.compile("adam", "adam")
        >>> images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3)).astype("float32")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history = gan.fit(images, epochs=2, callbacks=[ImageGrid(4, folder)], verbose=0)
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['epoch-0001.png', 'epoch-0002.png']
    """

    def __init__(self, images_or_batch: Any, directory: str | Path, *, every: int | str = EPOCH):
        super().__init__()
        if every != EPOCH and (isinstance(every, bool) or not isinstance(every, int) or every < 1):
            raise ValueError(f"`every` must be 'epoch' or an integer of at least 1. Received: {every!r}.")
        self._batch = images_or_batch
        self._directory = Path(directory)
        self._every = every

    def on_epoch_end(self, epoch, logs=None):
        """Writes the grid of an epoch."""
        if self._every == EPOCH:
            self._write(f"epoch-{epoch + 1:04d}.png")

    def on_train_batch_end(self, batch, logs=None):
        """Writes the grid of a step if one is due."""
        if self._every == EPOCH:
            return
        step = int(self.model.step.numpy())
        if step % self._every == 0:
            self._write(f"step-{step:07d}.png")

    def _write(self, name: str) -> None:
        columns = self.model.image_columns(self._batch)
        images = [[to_rgb(image) for image in np.asarray(column)] for _, column in columns]
        if len(columns) == 1:
            rows, headers = [images[0][i : i + GRID_COLUMNS] for i in range(0, len(images[0]), GRID_COLUMNS)], None
        else:
            rows, headers = list(zip(*images, strict=True)), [header for header, _ in columns]
        write_image(self._directory / name, make_grid(rows, headers=headers))


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Converts an image to uint8 RGB.

    Args:
        image: float `[height, width, 1, 3 or 4]` in [-1, 1]; a fourth channel is dropped.
    """
    image = image[..., :3] if image.shape[-1] != 1 else np.repeat(image, 3, axis=-1)
    return np.rint(np.clip(image.astype(np.float32), -1.0, 1.0) * 127.5 + 127.5).astype(np.uint8)
