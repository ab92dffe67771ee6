"""Settings of the page's forms, and the arguments of the commands that do what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SIZES = {"The model's own": None, "Times the input": "scale", "Width in pixels": "width", "Height in pixels": "height"}
"""Choices of the output size, and the part of the flag's name."""

AS_INPUT = "as the input"


@dataclass(frozen=True)
class PredictRequest:
    """A run of models on images.

    Attributes:
        models: Names or paths of models, in order; each runs on the result of the one before.
        size: Key of `SIZES`.
        amount: Factor or pixels of that size.
        format: Suffix of the results without a dot; empty for the format of each input.
        quality: JPEG and WebP quality.
        fidelity: Blend with the model that training started from; 0 is the model itself.
        wrap: Whether edges continue at opposite edges.
        style: Path of the style image, for style models.
        strength: Strength of that style.
        mask: Path of an image that is light where to fill.
    """

    models: Sequence[str]
    size: str = next(iter(SIZES))
    amount: float = 0.0
    format: str = ""
    quality: int = 95
    fidelity: float = 0.0
    wrap: bool = False
    style: str = ""
    strength: float = 1.0
    mask: str = ""

    def arguments(self, source: str, output: str, *, record: str = "") -> list[str]:
        """Returns the arguments of `predict`; those of its defaults are left out.

        Args:
            source: An image, a video or a folder.
            output: File or folder to write.
            record: File for `--json`; empty for none.

        Raises:
            ValueError: If no model is chosen, or the size is not a positive number.
        """
        if not self.models:
            raise ValueError("Choose a model first.")
        words = ["predict", *(word for model in self.models for word in ("--model", model))]
        words += ["--input", source, "--output", output, *self._size_words()]
        for flag, value, default in (
            ("--output-format", self.format, ""),
            ("--quality", int(self.quality), 95),
            ("--style", self.style, ""),
            ("--mask", self.mask, ""),
            ("--json", record, ""),
        ):
            words += [] if value == default else [flag, str(value)]
        words += ["--wrap"] if self.wrap else []
        words += [f"--set=fidelity={self.fidelity:g}"] if self.fidelity else []
        return words + ([f"--set=strength={self.strength:g}"] if self.style and self.strength != 1.0 else [])

    def _size_words(self) -> list[str]:
        kind = SIZES[self.size]
        if kind is None:
            return []
        if not self.amount or self.amount <= 0:
            raise ValueError(f"Output size: a number above 0 is expected for '{self.size}'. Received: {self.amount}.")
        return [f"--output-{kind}", f"{self.amount:g}" if kind == "scale" else str(round(self.amount))]


@dataclass(frozen=True)
class TrainRequest:
    """A training.

    Attributes:
        task: Row of the tasks table.
        run_dir: Folder to write.
        data: Data source; empty for the bundled sample.
        preset: Name of a preset; empty for the one that the task chooses.
        steps: Training steps; 0 for the preset's.
        batch_size: Images per step; 0 for the preset's.
        image_size: Side of the training images; 0 for the preset's.
        settings: `KEY=VALUE` texts.
    """

    task: str
    run_dir: str
    data: str = ""
    preset: str = ""
    steps: int = 0
    batch_size: int = 0
    image_size: int = 0
    settings: Sequence[str] = ()

    def arguments(self, *, dry_run: bool = False) -> list[str]:
        """Returns the arguments of `train`.

        Args:
            dry_run: Whether to only estimate the time.
        """
        words = ["train", "--task", self.task]
        for flag, value in (
            ("--data", self.data),
            ("--run-dir", "" if dry_run else self.run_dir),
            ("--preset", self.preset),
            ("--steps", self.steps),
            ("--batch-size", self.batch_size),
            ("--image-size", self.image_size),
        ):
            words += [flag, str(value)] if value else []
        return words + [f"--set={text}" for text in self.settings] + ["--dry-run"] * dry_run


def resume_arguments(run_dir: str) -> list[str]:
    """Returns the arguments that continue a run from its last checkpoint."""
    return ["train", "--run-dir", run_dir, "--resume"]


def export_arguments(model: str, *, format: str, quantize: str, output: str, name: str) -> list[str]:
    """Returns the arguments of `export`."""
    words = ["export", "--run", model, "--format", format, "--output", output, "--name", name]
    return words if quantize == "none" else [*words, "--quantize", quantize]


def generate_arguments(
    model: str, output: str, *, count: int, seed: int, classes: Sequence[str] = (), prompt: str = "", truncation=0.0
) -> list[str]:
    """Returns the arguments of `predict` for a model that generates images; 0 does not truncate."""
    words = ["predict", "--model", model, "--output", output, "--count", str(count), "--seed", str(seed)]
    return words + drawing_flags(classes=classes, prompt=prompt, truncation=truncation)


def drawing_flags(*, classes: Sequence[str], prompt: str | None, truncation: float | None) -> list[str]:
    """Returns the flags for the condition and the truncation of images."""
    words = [f"--class={name}" for name in classes] + ([f"--prompt={prompt}"] if prompt else [])
    return words + (["--truncation", f"{truncation:g}"] if truncation else [])
