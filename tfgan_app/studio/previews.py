"""Predictions in the page's own process, by the functions of `predict`."""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tfgan_app import cli
from tfgan_app.api.loading import load
from tfgan_app.commands.predict_models import chained, finish_of, finished, load_models
from tfgan_app.commands.predict_settings import EngineChoice, PredictSettings
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.inference import Predictor, Sampler, Stylist, predict_path
from tfgan_app.inference.styling import StyledPredictor

_KEPT_MODELS = 4


def predict_one(arguments: Sequence[str], *, on_share: Callable[[float], None] = lambda share: None) -> Path:
    """Does to one image what a `predict` command does, with models that stay loaded.

    Args:
        arguments: Those of the command, as `PredictRequest.arguments` gives them.
        on_share: Receives the share of the pixels that are done, in [0, 1].

    Returns:
        The file that was written.

    Raises:
        ValueError: If the image cannot be read or a setting does not suit the model. The message is one line.
    """
    args = parsed(arguments)
    settings = PredictSettings.parse(args.set)
    kept = tuple(text for text in args.set if not text.startswith("strength="))
    model = _loaded(tuple(args.model), kept, _stamps(args.model))
    if isinstance(model, Sampler):
        raise ValueError(f"'{args.model[0]}' generates images from noise: it is for the tab Generate.")
    bound = _styled(model, args.style, settings) if isinstance(model, Stylist) else model
    failures: list[str] = []
    summary = predict_path(
        finished(bound, finish_of(args, settings)),
        args.input,
        args.output,
        output_format=args.output_format,
        quality=args.quality,
        masks=args.mask,
        on_pixels=lambda done, total: on_share(done / max(total, 1)),
        on_failure=lambda source, reason: failures.append(reason),
    )
    if not summary.written:
        raise ValueError(failures[0] if failures else "Nothing was written.")
    return summary.written[0]


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Parses the arguments of a command.

    Raises:
        ValueError: With the message of the command line, for wrong arguments.
    """
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            return cli.parse(["tfgan_app", *arguments])
    except SystemExit:
        message = printed.getvalue().strip().partition(": error: ")[2] or printed.getvalue().strip()
        raise ValueError(message.partition(" (see `")[0]) from None


def has_flag(command: str, flag: str) -> bool:
    """Returns whether a command of this version has a flag."""
    commands = next(action for action in cli.build_parser()._actions if isinstance(action, argparse._SubParsersAction))
    return flag in commands.choices[command]._option_string_actions


def kind_of(model: str) -> str:
    """Returns the kind of a model, which stays loaded: `ModelInfo.kind`."""
    return str(_loaded((model,), (), _stamps([model])).info.kind)


def loaded_model(model: str) -> Any:
    """Returns a model as `tfgan_app.load` does; it stays loaded until its files change."""
    return _by_api(model, _stamps([model]))


@functools.lru_cache(maxsize=_KEPT_MODELS)
def _by_api(model: str, stamps: tuple[int, ...]) -> Any:
    del stamps
    return load(model)


def _styled(stylist: Stylist, style: str | None, settings: PredictSettings) -> StyledPredictor:
    if not style:
        raise ValueError("This model needs a style image: choose one in the tab Translate.")
    strength = 1.0 if settings.strength is None else settings.strength
    return stylist.with_style(read_rgb(style), strength=strength, keep_colors=settings.keep_colors)


def _stamps(models: Sequence[str]) -> tuple[int, ...]:
    """Returns times that change when a run has trained on, so that its model is loaded again."""
    paths = [Path(model) for model in models]
    return tuple(
        max((file.stat().st_mtime_ns for file in (path, path / "checkpoints") if file.exists()), default=0)
        for path in paths
    )


@functools.lru_cache(maxsize=_KEPT_MODELS)
def _loaded(
    models: tuple[str, ...], settings: tuple[str, ...], stamps: tuple[int, ...]
) -> Predictor | Sampler | Stylist:
    del stamps
    loaded = load_models(models, checkpoint="last", settings=PredictSettings.parse(settings), choice=EngineChoice())
    return chained(loaded, models)
