"""`tfgan_app predict`: a model on pictures or a video, or pictures out of a model that generates."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tfgan_app.commands.predict_progress import PredictProgress
from tfgan_app.commands.predict_settings import EngineChoice, PredictSettings, load_model
from tfgan_app.commands.predict_videos import Videos
from tfgan_app.files import printable
from tfgan_app.images import read_rgb
from tfgan_app.inference import (
    Job,
    PredictionSummary,
    Predictor,
    Sampler,
    Stylist,
    draw_pictures,
    plan_jobs,
    predict_path,
)

_DRAWING = ("count", "seed", "class", "truncation")
_PICTURES = ("mask", "input_range", "output_format", "quality", "resume")
_WEBP = ".webp"


@dataclass(frozen=True)
class _Outcome:
    """What a prediction has done: a line for stdout, and whether something failed."""

    said: str
    failed: bool = False


def run(args: argparse.Namespace) -> int:
    """Predicts `args.input` into `args.output` with the model at `args.model`, or draws pictures into it.

    Args:
        args: The parsed flags of the subcommand.

    Returns:
        0, or 1 where some pictures failed; each of them is named on stderr.

    Raises:
        ValueError: If a flag is missing or does not apply, or there is no such model or input.
    """
    settings = PredictSettings.parse(args.set)
    model = load_model(args.model, checkpoint=args.checkpoint or "last", settings=settings, choice=_engine_choice(args))
    if isinstance(model, Stylist):
        model = _with_style(model, args, settings)
    else:
        _refuse(args, ("style",))
    progress = PredictProgress()
    try:
        outcome = _draw(model, args, progress) if isinstance(model, Sampler) else _predict(model, args, progress)
    finally:
        progress.end()
    print(f"{outcome.said}{_engine_said(model)}")
    return 1 if outcome.failed else 0


def _engine_choice(args: argparse.Namespace) -> EngineChoice:
    return EngineChoice(
        getattr(args, "engine", "auto"), getattr(args, "quantized", False), getattr(args, "debug", False)
    )


def _engine_said(model: object) -> str:
    """Which engine ran, where it was LiteRT."""
    file = getattr(model, "path", None)
    return f", by LiteRT ({printable(file.name)})" if isinstance(model, Predictor) and file.suffix == ".tflite" else ""


def _with_style(stylist: Stylist, args: argparse.Namespace, settings: PredictSettings) -> Predictor:
    if not args.style:
        raise ValueError("`--style` must name the picture whose style is taken. Received none.")
    strength = 1.0 if settings.strength is None else settings.strength
    return stylist.with_style(read_rgb(args.style), strength=strength, keep_colours=settings.keep_colours)


def _predict(predictor: Predictor, args: argparse.Namespace, progress: PredictProgress) -> _Outcome:
    if not args.input:
        raise ValueError("`--input` must name a picture, a folder of pictures or a video. Received none.")
    _refuse(args, _DRAWING)
    videos = Videos(progress.show_frames)
    if Path(args.input).is_file():
        (job,) = plan_jobs(Path(args.input), Path(args.output), output_format=args.output_format, moving=videos)
        if job.is_moving:
            return _predict_video(predictor, args, job, videos, progress)
    summary = predict_path(
        predictor,
        args.input,
        args.output,
        output_format=args.output_format,
        quality=args.quality,
        skip_existing=args.resume,
        masks=args.mask,
        input_range=args.input_range,
        moving=videos,
        tile_px=args.tile,
        on_progress=progress.show,
        on_pixels=progress.show_pixels,
        on_failure=progress.interrupt,
        on_note=progress.note,
    )
    return _outcome(summary, args.output)


def _predict_video(
    predictor: Predictor, args: argparse.Namespace, job: Job, videos: Videos, progress: PredictProgress
) -> _Outcome:
    """Predicts a single video or animation."""
    refused = ("mask", "input_range")
    _refuse(args, refused if job.target.suffix.lower() == _WEBP else (*refused, "quality"))
    if args.resume and job.target.is_file():
        return _Outcome(f"0 frames written, {printable(job.target)} was there already")
    options = {"tile_px": args.tile, "quality": args.quality}
    frames = videos.predict(predictor, job.source, job.target, **options, on_note=partial(progress.note, job.source))
    return _Outcome(f"{frames} frames written to {printable(job.target)}")


def _draw(sampler: Sampler, args: argparse.Namespace, progress: PredictProgress) -> _Outcome:
    _refuse(args, ("input", "tile", *_PICTURES))
    summary = draw_pictures(
        sampler,
        args.output,
        count=args.count,
        seed=args.seed or 0,
        classes=args.classes,
        truncation=args.truncation,
        on_progress=progress.show,
        on_failure=progress.interrupt,
    )
    return _outcome(summary, args.output)


def _outcome(summary: PredictionSummary, output: str) -> _Outcome:
    skipped = f", {len(summary.skipped)} were there already" if summary.skipped else ""
    failed = f", {len(summary.failed)} failed" if summary.failed else ""
    return _Outcome(f"{len(summary.written)} written to {printable(output)}{skipped}{failed}", bool(summary.failed))


def _refuse(args: argparse.Namespace, flags: Sequence[str]) -> None:
    """Raises ValueError for the first of `flags` that was given."""
    for flag in flags:
        value = args.classes if flag == "class" else getattr(args, flag)
        if value is not None and value is not False and value != []:
            name, received = flag.replace("_", "-"), f" Received: {value}."
            if flag == "class":
                received = f" Received: {', '.join(value)}."
            elif value is True:
                received = ""
            raise ValueError(f"`--{name}` is not supported for this model.{received} Leave it out.")
