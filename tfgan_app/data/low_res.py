"""Pictures and the same at low resolution, by another camera or another program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

from tfgan_app.data.batching import build_batches
from tfgan_app.data.checking import picture_problem
from tfgan_app.data.decoding import FilePictures
from tfgan_app.data.labelled import LabelledPictures
from tfgan_app.data.picture_sets import open_pictures
from tfgan_app.data.reading import Column, PictureReader
from tfgan_app.files import printable
from tfgan_app.images import picture_header
from tfgan_app.picture_files.value_range import InputRange


def find_low_res(
    pictures: LabelledPictures,
    folder: str | Path,
    *,
    split: Literal["train", "val"],
    scale: int,
    on_skip: Callable[[str], Any],
) -> tuple[LabelledPictures, list[Path]]:
    """Finds the low-resolution partner of each picture by its name.

    Args:
        pictures: files at high resolution, of one split.
        folder: where the partners are, as for `open_pictures`. A partner has the name of its picture within
            the split, with any suffix, or that name and `x2`, `x3` or `x4`, as in DIV2K.
        split: which one; a folder without splits serves both.
        scale: how many times as wide and high a picture is as its partner.
        on_skip: called with a line for each picture that has no partner, or one of another size or damaged.

    Returns:
        The pictures that have a partner, in their order, and the partners.

    Raises:
        ValueError: if the pictures are no files, or the folder holds none.
    """
    if pictures.paths is None:
        raise ValueError("Partners at low resolution are for pictures in files. Received an array; use a folder.")
    found = open_pictures(folder, val_fraction=0.0)
    part = found.val if split == "val" and len(found.val) else found.train
    partners = dict(zip(part.names, part.paths, strict=True))
    kept, chosen = [], []
    for index, name in enumerate(pictures.names):
        partner = partners.get(name) or partners.get(f"{name}x{scale}")
        problem = _problem(pictures.paths[index], partner, scale=scale, folder=folder)
        if problem:
            on_skip(problem)
        else:
            kept.append(index)
            chosen.append(partner)
    return pictures.select(kept), chosen


def build_low_res_dataset(
    pictures: LabelledPictures,
    partners: list[Path],
    *,
    scale: int,
    size_px: int,
    batch_size: int,
    steps: int,
    seed: int,
    start_step: int = 0,
    cache_budget_mb: int = 1024,
    background: tuple[int, int, int] = (255, 255, 255),
    input_range: InputRange | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> tf.data.Dataset:
    """Builds the training batches of the steps `start_step` to `steps - 1`, as `build_labelled_dataset` does.

    Args:
        pictures: readable pictures at high resolution, no side shorter than `size_px`.
        partners: the low-resolution partner of each.
        scale: how many times as wide and high a picture is as its partner.
        size_px: height and width of the crops at high resolution, a multiple of `scale`.
        batch_size: as for `build_labelled_dataset`, and so are the others.
        steps: as there.
        seed: as there.
        start_step: as there.
        cache_budget_mb: as there.
        background: as there.
        input_range: as there.
        on_progress: as there.

    Returns:
        A dataset of `{"image": uint8 [batch, size_px, size_px, 3], "low_res": uint8 [batch, size_px / scale,
        size_px / scale, 3], "position": int64 [batch]}`.
    """
    reading = {"background": background, "input_range": input_range}
    columns = {
        "image": Column(FilePictures(pictures.paths, **reading)),
        # Each pixel repeated, so that both are cut at the same place.
        "low_res": Column(FilePictures(partners, **reading), repeat=scale),
    }
    dataset = build_batches(
        PictureReader(columns, size_px=size_px, resize="none"),
        size_px=size_px,
        batch_size=batch_size,
        steps=steps,
        start_step=start_step,
        seed=seed,
        stride_px=scale,
        cache_budget_mb=cache_budget_mb,
        on_progress=on_progress,
    )
    return dataset.map(
        lambda batch: batch | {"low_res": batch["low_res"][:, ::scale, ::scale]}, num_parallel_calls=tf.data.AUTOTUNE
    )


def _problem(path: Path, partner: Path | None, *, scale: int, folder: str | Path) -> str | None:
    if partner is None:
        return f"'{printable(path)}' has no picture of its name in {printable(folder)}"
    if problem := picture_problem(partner):
        return problem
    high, low = picture_header(path), picture_header(partner)
    if (high.width, high.height) == (low.width * scale, low.height * scale):
        return None
    return (
        f"'{printable(path)}' must be {scale} times as wide and high as '{printable(partner)}'. "
        f"Received {high.width} x {high.height} and {low.width} x {low.height}"
    )
