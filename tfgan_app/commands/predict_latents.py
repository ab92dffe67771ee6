"""Tools of `tfgan_app predict` for latents: interpolation, sweeps, mixing, projection, and saved latents."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfgan_app.commands.predict_settings import PredictSettings
from tfgan_app.files import printable
from tfgan_app.image_io.loading import WRITABLE_SUFFIXES, read_rgb, write_image
from tfgan_app.inference import Sampler, find_labels

if TYPE_CHECKING:  # Loads TensorFlow, which image models may do without.
    from tfgan_app.inference.latent_space import Label, LatentPoint, LatentSpace
    from tfgan_app.inference.projection import Distance
    from tfgan_app.inference.walks import Walk

STRIP_COUNT, FRAME_COUNT, SWEEP_COUNT, DIRECTION_COUNT = 8, 30, 7, 5
"""Default images of a strip from seed to seed, frames of an animation, images of a sweep's row, and directions."""

_LATENTS = ".npz"
_MAX_SEED = 2**63 - 1
_MAX_IMAGES = 4096
_LEAST_LPIPS_PX = 16


def check_latent_settings(args: argparse.Namespace, settings: PredictSettings) -> None:
    """Checks that the settings of the tools come with their tool.

    Raises:
        ValueError: If one does not. One line.
    """
    if (settings.project_steps or settings.feature_weights) and not args.project:
        name = "project_steps" if settings.project_steps else "feature_weights"
        raise ValueError(f"`{name}` needs `--project IMAGE`, which is missing.")
    if settings.directions and args.sweep != "directions":
        raise ValueError("`directions` needs `--sweep directions`, which is missing.")
    if settings.mix_layer and not args.mix:
        raise ValueError("`mix_layer` needs `--mix ROWS COLUMNS`, which is missing.")


def use_latents(
    sampler: Sampler, args: argparse.Namespace, settings: PredictSettings, *, on_note: Callable[[str], None]
) -> tuple[str, list[str]]:
    """Runs the tool that the flags request.

    Args:
        sampler: A generative model.
        args: Flags of the command.
        settings: Settings of the prediction.
        on_note: Called with one clause for each thing that an animation cannot keep.

    Returns:
        A line for the user, and the files that were written.

    Raises:
        ValueError: If a flag does not suit the tool or the model. Everything is checked before anything is written.
    """
    from tfgan_app.inference.latent_space import LatentSpace

    _check_flags(args)
    output = Path(args.output)
    if args.project:
        check_output(output, animations=False)
        return _project(LatentSpace(sampler), args, settings, output)
    if args.mix:
        check_output(output, animations=False)
        return _mix(LatentSpace(sampler), args, settings, output)
    if not (args.interpolate or args.sweep):
        check_output(output, animations=False)
        point = _start(LatentSpace(sampler), args, "--latents")
        image = LatentSpace(sampler).draw(point.latent[None], point.label)[0]
        return write_tool_image(output, image)
    check_output(output, animations=True)
    walk = _walk(LatentSpace(sampler), args, settings, is_moving=is_animation(output))
    return write_walk(output, walk, on_note=on_note)


def _check_flags(args: argparse.Namespace) -> None:
    """Raises ValueError for the first flag that the tool does not take."""
    tool = next((f"--{each}" for each in ("interpolate", "mix", "project") if getattr(args, each)), "--latents")
    if args.sweep:
        tool = f"--sweep {args.sweep}"
    refused = {
        "--interpolate": ("seed", "latents"),
        "--mix": ("seed", "count", "latents"),
        "--project": ("seed", "count", "truncation", "latents"),
        "--latents": ("seed", "count", "truncation", "classes"),
        "--sweep truncation": ("truncation", "latents"),
        "--sweep classes": ("latents",),
        "--sweep directions": ("seed", "truncation", "classes") if args.latents else (),
    }[tool]
    beside = " and `--latents`" if args.latents and args.sweep == "directions" else ""
    for flag in refused:
        if getattr(args, flag) not in (None, []):
            name = "class" if flag == "classes" else flag
            raise ValueError(f"`--{name}` is not supported with `{tool}`{beside}. Leave it out.")


def is_animation(output: Path) -> bool:
    """Returns whether a file of this name holds frames. WebP and PNG files hold one image here."""
    from tfgan_app.video import VIDEO_SUFFIXES

    return output.suffix.lower() in VIDEO_SUFFIXES - WRITABLE_SUFFIXES


def check_output(output: Path, *, animations: bool) -> None:
    """Raises ValueError if `output` is not an image file (or, if `animations`, an animation or video) to write."""
    is_known = output.suffix.lower() in WRITABLE_SUFFIXES or (animations and is_animation(output))
    if is_known and not output.is_dir():
        return
    more = " or an animation or video, such as .gif or .mp4" if animations else ""
    raise ValueError(f"The output must be an image file, such as .png{more}. Received: '{printable(output)}'.")


def _walk(space: LatentSpace, args: argparse.Namespace, settings: PredictSettings, *, is_moving: bool) -> Walk:
    from tfgan_app.inference import walks

    seed = args.seed or 0
    count = args.count or (FRAME_COUNT if is_moving else STRIP_COUNT)
    if args.interpolate:
        (points,) = _points(space, args, [args.interpolate], "--interpolate")
        _check_size(count * max(1, len(points) - 1))
        return walks.interpolation(space, points, count=count)
    if args.sweep == "truncation":
        rows = args.count or STRIP_COUNT
        _check_size(rows * len(walks.THRESHOLDS))
        label = one_label(space, args.classes, "--sweep truncation")
        return walks.truncation_sweep(space, range(seed, seed + rows), label)
    if args.sweep == "classes":
        if not space.sampler.info.classes:
            raise ValueError("`--sweep classes` needs a model with classes. This one has none.")
        labels = find_labels(space.sampler.class_names, args.classes)
        _check_size(count * max(1, len(labels) - 1))
        return walks.class_walk(space, seed, labels, count=count, truncation=args.truncation)
    directions = space.directions(settings.directions or min(DIRECTION_COUNT, space.dim))
    count = args.count or (FRAME_COUNT if is_moving else SWEEP_COUNT)
    _check_size(count * len(directions))
    return walks.direction_sweep(space, _start(space, args, "--sweep directions"), directions, count=count)


def _check_size(images: int, *, lower: str = "`--count`") -> None:
    if images > _MAX_IMAGES:
        raise ValueError(f"A walk may have at most {_MAX_IMAGES} images. Received: {images}. Lower {lower}.")


def _start(space: LatentSpace, args: argparse.Namespace, tool: str) -> LatentPoint:
    """Returns the point of `--latents`, or that of `--seed`."""
    from tfgan_app.inference.latent_space import LatentPoint, read_point

    if args.latents:
        return read_point(args.latents, space)
    label = one_label(space, args.classes, tool)
    return LatentPoint(space.points([args.seed or 0], label, args.truncation)[0], label, space.name)


def _points(space: LatentSpace, args: argparse.Namespace, lists: Sequence[str], tool: str) -> list[list[LatentPoint]]:
    """Returns the points of lists of seeds and files of latents, all of one class."""
    from tfgan_app.inference.latent_space import LatentPoint, read_point

    parted = [[text.strip() for text in each.split(",")] for each in lists]
    texts = [text for each in parted for text in each]
    for text in texts:
        is_seed = text.isdecimal() and int(text) <= _MAX_SEED
        if not is_seed and not text.lower().endswith(_LATENTS):
            raise ValueError(f"`{tool}` must be seeds, as in 1,5,9, or .npz files of `--project`. Received: {text!r}.")
    read = {text: read_point(text, space) for text in texts if not text.isdecimal()}
    label = next(iter(read.values())).label if read and not args.classes else None
    if label is None:
        label = one_label(space, args.classes, tool)
    seeds = {
        text: LatentPoint(space.points([int(text)], label, args.truncation)[0], label, space.name)
        for text in texts
        if text.isdecimal()
    }
    return [[{**read, **seeds}[text] for text in each] for each in parted]


def one_label(space: LatentSpace, classes: Sequence[str], tool: str) -> Label:
    """Returns the one class of an image; None for a model without classes.

    Raises:
        ValueError: If the model has classes and not exactly one is given, or it has none and one is given.
    """
    names = space.sampler.class_names
    if space.sampler.info.prompt_tokens:
        if len(names) != 1:
            raise ValueError(f"`{tool}` needs one prompt. Received: {len(names)}.")
        return 0
    if len(classes) != 1 and names:
        listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        received = ", ".join(classes) or "none"
        raise ValueError(f"`{tool}` needs one `--class`, one of {listed}. Received: {received}.")
    return find_labels(names, classes)[0]


def _mix(
    space: LatentSpace, args: argparse.Namespace, settings: PredictSettings, output: Path
) -> tuple[str, list[str]]:
    from tfgan_app.inference.walks import mixing_grid

    rows, columns = _points(space, args, args.mix, "--mix")
    _check_size((len(rows) + 1) * (len(columns) + 1), lower="the number of seeds")
    return write_tool_image(output, mixing_grid(space, rows, columns, layer=settings.mix_layer).sheet())


def _project(
    space: LatentSpace, args: argparse.Namespace, settings: PredictSettings, output: Path
) -> tuple[str, list[str]]:
    from tfgan_app.inference.projection import STEPS, project

    label = one_label(space, args.classes, "--project")
    space.graph("`--project`")
    distance = find_distance(settings.feature_weights, space.sampler.info.image_size)
    found = project(
        space,
        read_rgb(args.project),
        label=label,
        steps=settings.project_steps or STEPS,
        distance=distance,
    )
    latents = output.with_suffix(_LATENTS)
    _, written = write_tool_image(output, found.image)
    found.point.save(latents)
    measure = "LPIPS and pixels" if settings.feature_weights else "pixels"
    line = (
        f"projected to {printable(output)}, latents in {printable(latents)}, distance {found.distance:.4f} ({measure})"
    )
    return line, [*written, str(latents)]


def find_distance(feature_weights: str | None, size: tuple[int, int]) -> Distance | None:
    """Returns LPIPS from a file of weights; None, which compares pixels, without one.

    Raises:
        ValueError: If the file is not one of LPIPS weights, or the images are too small for it.
    """
    if not feature_weights:
        return None
    if min(size) < _LEAST_LPIPS_PX:
        raise ValueError(
            f"LPIPS needs images of at least {_LEAST_LPIPS_PX} px. The model's have {min(size)}: leave "
            "`feature_weights` out."
        )
    from tfgan_app.metrics import build_lpips

    try:
        lpips: Any = build_lpips(feature_weights)
    except OSError as error:
        raise ValueError(f"Cannot read `feature_weights` '{printable(feature_weights)}': {error.strerror}.") from error
    import tensorflow as tf

    from tfgan_app.inference.projection import pixel_distance

    def distance(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        # LPIPS alone is blind to small shifts of brightness.
        targets, outputs = (tf.repeat(each, 3 // each.shape[-1], axis=-1) for each in (targets, outputs))
        return lpips(targets, outputs) + 0.1 * pixel_distance(targets, outputs)

    return distance


def write_tool_image(output: Path, image: np.ndarray) -> tuple[str, list[str]]:
    """Writes one image, uint8 `[height, width, 1 or 3]`; returns a line and the file."""
    write_image(output, np.broadcast_to(image, (*image.shape[:2], 3)))
    return f"1 written to {printable(output)}", [str(output)]


def write_walk(output: Path, walk: Walk, *, on_note: Callable[[str], None]) -> tuple[str, list[str]]:
    """Writes a walk as one image, or as frames of an animation or a video; returns a line and the file."""
    if not is_animation(output):
        return write_tool_image(output, walk.sheet())
    from tfgan_app.video.frames import write_frames

    frames = walk.frames()
    write_frames(output, frames, on_note=on_note)
    return f"{len(frames)} frames written to {printable(output)}", [str(output)]
