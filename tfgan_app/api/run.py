"""`tfgan_app.Run`: a run directory with methods to show, evaluate, predict and export."""

from __future__ import annotations

import base64
import html
import io
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tfgan_app.api.errors import one_line_errors
from tfgan_app.api.images import ImageLike
from tfgan_app.api.loading import load, run_figures
from tfgan_app.api.noise_model import NoiseModel
from tfgan_app.api.predictors import ImageModel
from tfgan_app.api.settings import as_assignments, path_text
from tfgan_app.callbacks import read_metrics
from tfgan_app.callbacks.grids import find_grids
from tfgan_app.commands.evaluate import evaluate
from tfgan_app.commands.export import ExportOptions, export_part
from tfgan_app.commands.run_directory import RunDirectory
from tfgan_app.commands.task_report import TaskReport
from tfgan_app.config import RunConfig
from tfgan_app.inference import run_checkpoint
from tfgan_app.model_info import ModelInfo
from tfgan_app.training.checkpoints import Checkpoints

_THUMBNAIL_PX = 640


class Evaluation(dict):
    """Metrics of an evaluation by name, with their protocol.

    Attributes:
        protocol: Data, number of images, checkpoint and other conditions of the measurement.
        caveats: Limits of the figures, one sentence each.
        study: The study, for a task that has one, else None.
    """

    def __init__(
        self,
        metrics: Mapping[str, float],
        *,
        protocol: Mapping[str, Any],
        caveats: Sequence[str],
        study: Mapping[str, Any] | None = None,
    ):
        super().__init__(metrics)
        self.protocol = dict(protocol)
        self.caveats = list(caveats)
        self.study = study


class Run:
    """A run directory that `tfgan_app.train` or the command `train` wrote.

    Attributes:
        path: The run directory.

    Examples:
        >>> import tfgan_app as tfgan
        >>> run = tfgan.Run("runs/x")
        >>> run.config.task_name, run.step
        ('translate', 2)
        >>> run.metrics["step"]
        [2]
        >>> run.predict("photo.jpg").size
        (16, 12)
    """

    @one_line_errors()
    def __init__(self, path: str | os.PathLike):
        """Opens a run.

        Args:
            path: The run directory.

        Raises:
            ValueError: If the folder is not a run directory.
        """
        self._directory = RunDirectory.existing(os.fspath(path))
        self.path = self._directory.path
        self._loaded: dict[str, tuple[int, ImageModel | NoiseModel]] = {}

    def __repr__(self) -> str:
        return f"Run('{self.path}', task='{self.config.task_name}', step={self.step})"

    @property
    @one_line_errors()
    def config(self) -> RunConfig:
        """The configuration in `config.json`."""
        return self._directory.read_config()[0]

    @property
    def step(self) -> int:
        """The step of the newest checkpoint; 0 before the first one."""
        return Checkpoints(self._directory.checkpoints).newest_step() or 0

    @property
    def metrics(self) -> dict[str, list[float]]:
        """Columns of `metrics.csv`, all of one length: `step` (int), losses, rates, and validation as `val_...`.

        A value that was not measured at a step is NaN, which plots leave out.
        """
        rows = read_metrics(self.path)
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {name: [row.get(name, math.nan) for row in rows] for name in names}
        return columns | {"step": [int(row["step"]) for row in rows]}

    @property
    def info(self) -> ModelInfo:
        """The description of the run's model."""
        return self.load().info

    @one_line_errors()
    def load(self, *, checkpoint: str = "last") -> ImageModel | NoiseModel:
        """Loads the run's model; it is cached until the checkpoint changes.

        Args:
            checkpoint: `"last"` or `"best"`.

        Returns:
            As `tfgan_app.load`.

        Raises:
            ValueError: If the run has no model (yet).
        """
        written_ns = run_checkpoint(self.path, checkpoint).stat().st_mtime_ns
        if self._loaded.get(checkpoint, (None,))[0] != written_ns:
            self._loaded[checkpoint] = written_ns, load(self.path, checkpoint=checkpoint)
        return self._loaded[checkpoint][1]

    @one_line_errors()
    def evaluate(
        self,
        data: str | os.PathLike | None = None,
        *,
        checkpoint: str = "last",
        set: Mapping[str, Any] | None = None,
    ) -> Evaluation:
        """Measures the run on held-out images, like the command `evaluate`.

        Args:
            data: Images to measure on; by default those of the run.
            checkpoint: `"last"` or `"best"`.
            set: Settings that override those of the run, by dotted key.

        Returns:
            An `Evaluation`: a dict of the metrics.

        Raises:
            ValueError: If the images cannot be used.
        """
        found = evaluate(
            os.fspath(self.path),
            data=path_text(data),
            overrides=as_assignments(set),
            checkpoint=checkpoint,
            report=TaskReport(),
        )
        return Evaluation(found.pop("metrics"), **found)

    def predict(
        self,
        input: ImageLike | None = None,
        output: str | os.PathLike | None = None,
        *,
        checkpoint: str = "last",
        **options: Any,
    ) -> Any:
        """Predicts with the run's model.

        Args:
            input: An image or a batch, see `ImageModel.predict`; with `output`, a file or folder. None for a noise
                model.
            output: File or folder to write; None returns the images.
            checkpoint: `"last"` or `"best"`.
            **options: Those of `ImageModel.predict` and `predict_files`, or of `NoiseModel.generate` and
                `generate_files`.

        Returns:
            The images; with `output` the `written`, `failed` and `skipped` files.

        Raises:
            ValueError: If an argument does not suit the model, or the run has none.
        """
        model = self.load(checkpoint=checkpoint)
        if isinstance(model, NoiseModel):
            if input is not None:
                return model.predict(input)
            return model.generate(**options) if output is None else model.generate_files(output, **options)
        if input is None:
            raise ValueError("`input` must be an image, a file or a folder. Received none.")
        if output is None:
            return model.predict(input, **options)
        if not isinstance(input, (str, os.PathLike)):
            raise ValueError(f"`input` must be a path if there is an `output`. Received: {type(input).__name__}.")
        return model.predict_files(input, output, **options)

    def generate(self, *args: Any, checkpoint: str = "last", **options: Any) -> Any:
        """Generates images from noise, see `NoiseModel.generate`."""
        return self.load(checkpoint=checkpoint).generate(*args, **options)

    @one_line_errors()
    def export(
        self,
        format: str,
        *,
        quantize: str | None = None,
        output: str | os.PathLike | None = None,
        name: str | None = None,
        license: str | None = None,
        tile: int | None = None,
        checkpoint: str = "last",
        runtime: str | os.PathLike | None = None,
        truncation: float | None = None,
        part: str = "generator",
    ) -> Path:
        """Exports the run's model and compares the export with it, like the command `export`.

        Args:
            format: `"saved_model"`, `"tflite"`, `"web"` or `"keras"`.
            quantize: `"float16"`, `"dynamic"` or `"int8"`, for tflite and web.
            output: Folder of all exported models; `exported_models` by default.
            name: Name of the model; by default that of the task.
            license: License of the weights.
            tile: Input size of tflite and web in pixels; 0 allows any size.
            checkpoint: `"last"` or `"best"`.
            runtime: Folder with the tarballs of LiteRT's web runtime, for use without npm.
            truncation: psi of the styles of StyleGAN2; by default the model's own.
            part: `"generator"`, or `"discriminator"` for its features and scores.

        Returns:
            The version folder, folder or file, which `tfgan_app.load` accepts if it is not a discriminator.

        Raises:
            ValueError: If an option is invalid, or the export differs from the model.
        """
        options = ExportOptions(
            os.fspath(self.path),
            format,
            quantize=quantize,
            output=path_text(output),
            runtime=path_text(runtime),
            name=name,
            license=license,
            tile=tile,
            truncation=truncation,
            checkpoint=checkpoint,
            part=part,
        )
        return export_part(options).path

    @one_line_errors()
    def show(self) -> Image.Image:
        """Returns the newest image grid and displays it in a notebook.

        Raises:
            ValueError: If the run has no grid (yet).
        """
        grids = find_grids(self.path)
        if not grids:
            raise ValueError(f"The run '{self.path}' has no image grid (yet).")
        with Image.open(grids[-1][1], formats=["PNG"]) as image:
            image.load()
        if (ipython := sys.modules.get("IPython")) is not None and ipython.get_ipython() is not None:
            from IPython.display import display

            display(image)
        return image

    def _repr_html_(self) -> str:
        """Returns a summary for notebooks: task, step, newest validation and newest grid."""
        title = f"{html.escape(self.config.task_name)}: {html.escape(self.path.name)}, step {self.step:,}"
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(_shown(value))}</td></tr>"
            for name, value in run_figures(self.path).items()
        )
        grids = find_grids(self.path)
        grid = f'<img alt="newest image grid" src="{_data_url(grids[-1][1])}">' if grids else ""
        return f"<p><b>{title}</b></p><table>{rows}</table>{grid}"


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _data_url(path: Path) -> str:
    """Returns a PNG file as a `data:` URL, scaled down to at most `_THUMBNAIL_PX` in width."""
    with Image.open(path, formats=["PNG"]) as image:
        image.thumbnail((_THUMBNAIL_PX, 4 * _THUMBNAIL_PX))
        image.save(buffer := io.BytesIO(), format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
