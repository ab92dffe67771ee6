"""Models of a prediction, and the steps before and after them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfgan_app.commands.predict_settings import EngineChoice, PredictSettings, load_model
from tfgan_app.files import printable
from tfgan_app.inference import (
    Finish,
    FinishedPredictor,
    Predictor,
    Sampler,
    Sizing,
    Stylist,
    chain_predictors,
)
from tfgan_app.inference.places import is_run
from tfgan_app.inference.styling import StyledPredictor

_LARGEST_SCALE = 64.0


def load_models(
    paths: Sequence[str], *, checkpoint: str, settings: PredictSettings, choice: EngineChoice | None = None
) -> list[Predictor | Sampler | Stylist]:
    """Loads the models at several paths.

    Args:
        paths: Paths of the models, at least one.
        checkpoint: Checkpoint of run directories; without a run directory it must be `"last"`.
        settings: Settings of the prediction.
        choice: Engine for each model.

    Raises:
        ValueError: As for `load_model`, or if a setting is for a single model only.
    """
    if len(paths) > 1 and settings.fidelity is not None:
        raise ValueError(
            f"`fidelity` is for a single `--model`. Received {len(paths)}: leave it out, or run them one at a time."
        )
    runs = {path for path in paths if is_run(Path(path))}
    checkpoints = [checkpoint if path in runs or not runs else "last" for path in paths]
    return [
        load_model(path, checkpoint=each, settings=settings, choice=choice)
        for path, each in zip(paths, checkpoints, strict=True)
    ]


def chained(models: Sequence[Predictor | Sampler | Stylist], paths: Sequence[str]) -> Predictor | Sampler | Stylist:
    """Returns one model that runs several in sequence; a single model may be of any kind.

    Raises:
        ValueError: If one of several is not an image model, or does not fit the one before.
    """
    if len(models) == 1:
        return models[0]
    return chain_predictors(image_models(models, paths, use="Several `--model` run in sequence"))


def image_models(models: Sequence[Predictor | Sampler | Stylist], paths: Sequence[str], *, use: str) -> list[Predictor]:
    """Returns the models if all of them map images to images.

    Args:
        models: Loaded models.
        paths: Their paths as given by the user.
        use: Start of the message for another model: the purpose of the models.

    Raises:
        ValueError: If one of them is a noise or style model.
    """
    predictors = []
    for model, path in zip(models, paths, strict=True):
        if not isinstance(model, Predictor):
            kind = "style" if isinstance(model, Stylist) else "noise"
            raise ValueError(f"{use}, which is only for image models. Received: '{path}', a {kind} model.")
        predictors.append(model)
    return predictors


def finish_of(args: argparse.Namespace, settings: PredictSettings) -> Finish | None:
    """Returns the steps around the model that the flags request; None if there are none.

    Raises:
        ValueError: If a setting is given without the flag that it belongs to.
    """
    sizing = sizing_of(args)
    if settings.feather_px is not None and not args.keep_mask:
        raise ValueError("`feather_px` needs `--keep-mask FILE`. Received none.")
    options = {} if settings.feather_px is None else {"feather_px": settings.feather_px}
    several = len(args.model) > 1
    if not (sizing or args.wrap or settings.grain or args.keep_mask or several):
        return None
    seed = args.seed if settings.grain and args.seed is not None else 0
    names = tuple(Path(path).name for path in args.model)
    return Finish(sizing, wrap=args.wrap, grain=settings.grain, seed=seed, models=names, **options)


def sizing_of(args: argparse.Namespace) -> Sizing | None:
    """Returns the output size that the flags request; None for the model's own."""
    if args.output_scale and args.output_scale > _LARGEST_SCALE:
        raise ValueError(f"`--output-scale` must be at most {_LARGEST_SCALE:g}. Received: {args.output_scale:g}.")
    if not (args.output_scale or args.output_width or args.output_height):
        return None
    return Sizing(args.output_scale, args.output_width, args.output_height)


def finished(
    model: Predictor | StyledPredictor, finish: Finish | None
) -> Predictor | StyledPredictor | FinishedPredictor:
    """Returns the model with the steps around it."""
    return model if finish is None else FinishedPredictor(model, finish)


def _is_lite(model: Predictor | Sampler | Stylist) -> bool:
    return model.path.suffix == ".tflite"


def engine_note(models: Sequence[Predictor | Sampler | Stylist]) -> str:
    """Returns the end of a line with the files that LiteRT ran; empty if there are none."""
    names = ", ".join(model.path.name for model in models if _is_lite(model) and isinstance(model, Predictor))
    return f", by LiteRT ({printable(names)})" if names else ""


def model_facts(models: Sequence[Predictor | Sampler | Stylist], paths: Sequence[str]) -> list[dict[str, Any]]:
    """Returns name, file, scale and engine of each model, for `--json`."""
    return [
        {
            "name": Path(path).name,
            "path": str(model.path),
            "scale": getattr(model, "scale", None),
            "engine": "litert" if _is_lite(model) else "tensorflow",
        }
        for model, path in zip(models, paths, strict=True)
    ]


def step_facts(finish: Finish | None, args: argparse.Namespace) -> dict[str, Any]:
    """Returns the steps around the model, for `--json`; those not requested are None."""
    finish = finish or Finish()
    sizing = finish.sizing
    size = None if sizing is None else {"scale": sizing.scale, "width": sizing.width, "height": sizing.height}
    return {
        "resize": None if size is None else {**size, "method": "bicubic, antialiased"},
        "wrap": finish.wrap,
        "grain": {"amount": finish.grain, "seed": finish.seed} if finish.grain else None,
        "keep_mask": {"path": args.keep_mask, "feather_px": finish.feather_px} if args.keep_mask else None,
        "settings": args.set,
    }
