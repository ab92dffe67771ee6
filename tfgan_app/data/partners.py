"""Partners of images by name: low-resolution versions, or a teacher's outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

from tfgan_app.data.batching import build_batches
from tfgan_app.data.checking import image_problem
from tfgan_app.data.decoding import FileImages
from tfgan_app.data.image_sets import open_images
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.reading import Column, ImageReader
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.files import printable
from tfgan_app.image_io.loading import image_header


@dataclass(frozen=True)
class Partners:
    """Partners of the images of a set.

    Attributes:
        paths: Files, in the order of the images.
        scale: Size of an image relative to its partner along height and width.
    """

    paths: list[Path]
    scale: int = 1

    def select(self, indices: Sequence[int]) -> Partners:
        """Returns the partners of the images at `indices`."""
        return Partners([self.paths[index] for index in indices], self.scale)


def find_partners(
    images: LabeledImages,
    folder: str | Path,
    *,
    split: Literal["train", "val"],
    scale: int,
    on_skip: Callable[[str], Any],
) -> tuple[list[int], Partners]:
    """Finds the partner of each image by its name.

    Args:
        images: Full-resolution files of one split.
        folder: Folder of the partners, as for `open_images`. A partner has the name of its image within the split,
            with any suffix, or that name followed by `x2`, `x3` or `x4`, as in DIV2K.
        split: The split; a folder without splits is used for both.
        scale: Size of an image relative to its partner along height and width.
        on_skip: Called with a line for each image whose partner is missing, damaged or of the wrong size.

    Returns:
        The indices of the images with a partner, and the partners.

    Raises:
        ValueError: If the images are not files, or the folder has no images.
    """
    if images.paths is None:
        raise ValueError("Partners are matched by file name. Received an array; use a folder.")
    found = open_images(folder, val_fraction=0.0)
    part = found.val if split == "val" and len(found.val) else found.train
    partners = dict(zip(part.names, part.paths, strict=True))
    kept, chosen = [], []
    for index, name in enumerate(images.names):
        partner = partners.get(name) or partners.get(f"{name}x{scale}")
        problem = _problem(images.paths[index], partner, scale=scale, folder=folder)
        if problem:
            on_skip(problem)
        else:
            kept.append(index)
            chosen.append(partner)
    return kept, Partners(chosen, scale)


def build_partner_dataset(
    images: LabeledImages,
    partners: Mapping[str, Partners],
    *,
    crops: CropSpec,
    schedule: Schedule,
    stride_px: int,
    cache_budget_mb: int = 1024,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of a schedule, like `build_labeled_dataset`.

    Args:
        images: Readable images at full resolution, no side shorter than the crops.
        partners: Name -> partners of the images.
        crops: Crops at full resolution, with `resize="none"`; their size is a multiple of every partner's scale.
        schedule: Schedule of the batches.
        stride_px: Crops start at multiples of this; it is a multiple of every partner's scale.
        cache_budget_mb: Images are kept in memory if they need at most this much.
        on_progress: Called with the number of images read and the total, while they are read into memory.

    Returns:
        A dataset of `{"image": uint8 [batch, size_px, size_px, 3], "position": int64 [batch]}` and, for each name of
        partners, uint8 `[batch, size_px / scale, size_px / scale, 3]` crops at the same place.
    """

    def files(paths: Sequence[Path]) -> FileImages:
        return FileImages(paths, background=crops.background, input_range=crops.input_range)

    columns = {"image": Column(files(images.paths))}
    for name, given in partners.items():
        # Pixels are repeated, so that all columns are cropped at the same place.
        columns[name] = Column(files(given.paths), repeat=given.scale)
    dataset = build_batches(
        ImageReader(columns, crops),
        schedule,
        stride_px=stride_px,
        cache_budget_mb=cache_budget_mb,
        on_progress=on_progress,
    )

    def at_own_scale(batch: dict) -> dict:
        return batch | {name: batch[name][:, :: given.scale, :: given.scale] for name, given in partners.items()}

    return dataset.map(at_own_scale, num_parallel_calls=tf.data.AUTOTUNE)


def _problem(path: Path, partner: Path | None, *, scale: int, folder: str | Path) -> str | None:
    if partner is None:
        return f"'{printable(path)}' has no image of its name in {printable(folder)}"
    if problem := image_problem(partner):
        return problem
    high, low = image_header(path), image_header(partner)
    if (high.width, high.height) == (low.width * scale, low.height * scale):
        return None
    return (
        f"'{printable(path)}' must be {scale} times as wide and high as '{printable(partner)}'. "
        f"Received {high.width} x {high.height} and {low.width} x {low.height}"
    )
