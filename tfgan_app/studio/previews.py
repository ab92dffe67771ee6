"""Predictions in the page's own process, by the functions of `predict`."""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from tfgan_app import cli
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
    model = _loaded(tuple(args.model), tuple(args.set), _stamps(args.model))
    if isinstance(model, Sampler):
        raise ValueError(f"'{args.model[0]}' generates images from noise: it is for the tab Generate.")
    if isinstance(model, Stylist):
        model = _styled(model, args.style, settings)
    failures: list[str] = []
    summary = predict_path(
        finished(model, finish_of(args, settings)),
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
    kept = [text for text in settings if not text.startswith("strength=")]
    loaded = load_models(models, checkpoint="last", settings=PredictSettings.parse(kept), choice=EngineChoice())
    return chained(loaded, models)
