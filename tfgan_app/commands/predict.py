"""`tfgan_app predict`: runs a model on images or videos, or generates images."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tfgan_app.commands.compare import compare
from tfgan_app.commands.predict_latents import check_latent_settings, use_latents
from tfgan_app.commands.predict_models import (
    chained,
    engine_note,
    finish_of,
    finished,
    load_models,
    model_facts,
    step_facts,
)
from tfgan_app.commands.predict_progress import PredictProgress
from tfgan_app.commands.predict_settings import EngineChoice, PredictSettings
from tfgan_app.commands.predict_videos import Videos
from tfgan_app.commands.provenance import prediction_facts
from tfgan_app.files import printable, write_text
from tfgan_app.image_io.loading import MAX_PIXELS, read_rgb
from tfgan_app.inference import (
    FinishedPredictor,
    Job,
    PredictionSummary,
    Predictor,
    Sampler,
    Stylist,
    draw_images,
    plan_jobs,
    predict_path,
    with_masks,
)
from tfgan_app.inference.styling import StyledPredictor

_TOOLS = ("interpolate", "sweep", "mix", "project", "latents")
_DRAWING = ("count", "seed", "class", "prompt", "truncation", *_TOOLS)
_REPEATED = {"class": "classes", "prompt": "prompts"}
_IMAGES = ("mask", "input_range", "output_format", "quality", "resume")
_AROUND = ("output_scale", "output_width", "output_height", "keep_mask", "wrap")
_WEBP = ".webp"

_RowPredictor = Predictor | StyledPredictor | FinishedPredictor


@dataclass(frozen=True)
class _Outcome:
    """Outcome of a prediction: a line for stdout, whether something failed, and the files."""

    line: str
    failed: bool = False
    results: Mapping[str, Any] = field(default_factory=dict)


def run(args: argparse.Namespace) -> int:
    """Runs the model `args.model` on `args.input`, or generates images, and writes to `args.output`.

    Args:
        args: Parsed flags of the command.

    Returns:
        0, or 1 if some images failed; each of them is named on stderr.

    Raises:
        ValueError: If a flag is missing or not applicable, or there is no such model or input.
    """
    settings = PredictSettings.parse(args.set)
    finish = finish_of(args, settings)
    if args.compare:
        _check_compare(args, settings)
    elif args.crop:
        raise ValueError("`--crop` needs `--compare`, which is missing.")
    choice = EngineChoice(args.engine, args.quantized, args.debug)
    models = load_models(args.model, checkpoint=args.checkpoint or "last", settings=settings, choice=choice)
    if args.compare:
        return _compare(models, args)
    model: Predictor | Sampler | Stylist | StyledPredictor = chained(models, args.model)
    if isinstance(model, Stylist):
        model = _with_style(model, args, settings)
    else:
        _refuse(args, ("style",))
    progress = PredictProgress()
    try:
        check_latent_settings(args, settings)
        if isinstance(model, Sampler):
            outcome = _draw(model, args, settings, progress)
        else:
            _refuse(args, [flag for flag in _DRAWING if flag != "seed" or not settings.grain])
            outcome = _predict(finished(model, finish), args, progress)
    finally:
        progress.end()
    if args.json:
        steps, results = step_facts(finish, args), outcome.results
        facts = prediction_facts(args.command_line, model_facts(models, args.model), steps, results)
        write_text(args.json, f"{json.dumps(facts, indent=2)}\n")
    print(f"{outcome.line}{engine_note(models)}")
    return 1 if outcome.failed else 0


def _check_compare(args: argparse.Namespace, settings: PredictSettings) -> None:
    """Raises ValueError for flags and settings that are not supported with `--compare`."""
    if not args.input:
        raise ValueError("`--input` must name an image, a video or a folder of them. Received none.")
    refused = (*_DRAWING, "style", "mask", "output_format", "quality", "resume", "json", *_AROUND[1:])
    _refuse(args, refused, context="with `--compare`")
    if settings.grain:
        raise ValueError("`grain` is not supported with `--compare`. Leave it out.")


def _compare(models: Sequence[Predictor | Sampler | Stylist], args: argparse.Namespace) -> int:
    progress = PredictProgress()
    try:
        comparison = compare(
            models, args, on_failure=progress.interrupt, on_note=progress.note, on_progress=progress.show
        )
    finally:
        progress.end()
    crops = sum(len(image.crops) for image in comparison.images)
    failed = f", {len(comparison.failed)} failed" if comparison.failed else ""
    print(f"{len(models)} models on {crops} crops compared in {printable(args.output)}{failed}")
    return 1 if comparison.failed else 0


def _with_style(stylist: Stylist, args: argparse.Namespace, settings: PredictSettings) -> StyledPredictor:
    if not args.style:
        raise ValueError("`--style` must name the style image. Received none.")
    strength = 1.0 if settings.strength is None else settings.strength
    return stylist.with_style(read_rgb(args.style), strength=strength, keep_colors=settings.keep_colors)


def _predict(predictor: _RowPredictor, args: argparse.Namespace, progress: PredictProgress) -> _Outcome:
    if not args.input:
        raise ValueError("`--input` must name an image, a folder of images or a video. Received none.")
    videos = Videos(progress.show_frames)
    if Path(args.input).is_file() and predictor.info.window is None:
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
        keep_masks=args.keep_mask,
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
    predictor: _RowPredictor,
    args: argparse.Namespace,
    job: Job,
    videos: Videos,
    progress: PredictProgress,
) -> _Outcome:
    """Predicts a single video or animation."""
    refused = ("mask", "input_range")
    _refuse(args, refused if job.target.suffix.lower() == _WEBP else (*refused, "quality"))
    if args.resume and job.target.is_file():
        return _Outcome(
            f"0 frames written, {printable(job.target)} already existed", results={"skipped": [str(job.target)]}
        )
    if args.keep_mask and isinstance(predictor, FinishedPredictor):  # `finish_of` makes one for `--keep-mask`.
        (job,) = with_masks([job], Path(args.input), Path(args.keep_mask), role="keep")
        predictor = predictor.keeping(job.keep, max_pixels=MAX_PIXELS)
    options = {"tile_px": args.tile, "quality": args.quality}
    frames = videos.predict(predictor, job.source, job.target, **options, on_note=partial(progress.note, job.source))
    results = {"written": [str(job.target)], "failed": [], "skipped": []}
    return _Outcome(f"{frames} frames written to {printable(job.target)}", results=results)


def _draw(sampler: Sampler, args: argparse.Namespace, settings: PredictSettings, progress: PredictProgress) -> _Outcome:
    _refuse(args, ("input", "tile", *_IMAGES, *_AROUND))
    if settings.grain:
        raise ValueError("`grain` is for image models. Received a noise model: leave it out.")
    if sampler.info.prompt_tokens:
        _refuse(args, ("class",))
        sampler = _with_prompts(sampler, args)
    elif args.prompts:
        _refuse(args, ("prompt",))
    if any(getattr(args, tool) for tool in _TOOLS):
        line, written = use_latents(sampler, args, settings, on_note=partial(progress.note, Path(args.output)))
        return _Outcome(line, results={"written": written, "failed": [], "skipped": []})
    summary = draw_images(
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


def _with_prompts(sampler: Sampler, args: argparse.Namespace) -> Sampler:
    if not args.prompts:
        raise ValueError('`--prompt` must say what to draw, as in --prompt "a red apple". Received none.')
    return sampler.with_prompts(args.prompts)


def _outcome(summary: PredictionSummary, output: str) -> _Outcome:
    skipped = f", {len(summary.skipped)} already existed" if summary.skipped else ""
    failed = f", {len(summary.failed)} failed" if summary.failed else ""
    results = {name: list(map(os.fspath, paths)) for name, paths in vars(summary).items()}
    return _Outcome(
        f"{len(summary.written)} written to {printable(output)}{skipped}{failed}", bool(summary.failed), results
    )


def _refuse(args: argparse.Namespace, flags: Sequence[str], *, context: str = "for this model") -> None:
    """Raises ValueError for the first of `flags` that was given."""
    for flag in flags:
        value = getattr(args, _REPEATED.get(flag, flag))
        if value is not None and value is not False and value != []:
            name, received = flag.replace("_", "-"), f" Received: {value}."
            if flag in _REPEATED:
                received = f" Received: {', '.join(value)}."
            elif value is True:
                received = ""
            raise ValueError(f"`--{name}` is not supported {context}.{received} Leave it out.")
