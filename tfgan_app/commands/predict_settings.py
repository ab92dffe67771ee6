"""What `predict --set` may set, and the model that comes of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tfgan_app.commands import startup
from tfgan_app.config.typed_fields import bounded, field_specs
from tfgan_app.inference import Predictor, Sampler, Stylist, choose_lite_file, load_lite_predictor
from tfgan_app.inference.places import is_run
from tfgan_app.shipped import is_shipped, located, shipped_models

_SECTION = "predict"


@dataclass(frozen=True)
class PredictSettings:
    """Settings of a prediction.

    Attributes:
        fidelity: 0 is the model as it is, 1 the one that it was started from (`task.init_from` of its run, or
            `fidelity_model`), and what is between lies between.
        fidelity_model: run directory, `.keras` file or shipped model's name of the same network that was trained for
            fidelity.
        ensemble: average over the eight orientations of each image: eight times slower, a little more faithful.
        strength: of the style, for models that take one: 0 keeps the image's own, 1 is the style's.
        keep_colors: take only the light and dark of the styled image, and keep the colors, for the same models.
        grain: film grain that is put back, as its standard deviation at middle gray: 0.02 is a little; `--seed` is its
            seed.
        feather_px: over how many input pixels the regions of `--keep-mask` lead over to the model's result; 8 where
            nothing is set.
    """

    fidelity: float | None = bounded(None, minimum=0.0, maximum=1.0)
    fidelity_model: str | None = None
    ensemble: bool = False
    strength: float | None = bounded(None, minimum=0.0, maximum=1.0)
    keep_colors: bool = False
    grain: float = bounded(0.0, minimum=0.0, maximum=1.0)
    feather_px: float | None = bounded(None, minimum=0.0, maximum=1000.0)

    @classmethod
    def parse(cls, assignments: Iterable[str]) -> PredictSettings:
        """Reads `KEY=VALUE` texts.

        Raises:
            ValueError: if a text is no assignment, or names no setting, or its value does not fit.
        """
        specs = {key.removeprefix(f"{_SECTION}."): spec for key, spec in field_specs(_SECTION, cls).items()}
        values = {}
        for assignment in assignments:
            key, separator, text = assignment.partition("=")
            if not separator or key.strip() not in specs:
                raise ValueError(f"`--set` of predict takes {', '.join(specs)}. Received: {assignment}.")
            try:
                values[key.strip()] = specs[key.strip()].parse(text.strip())
            except ValueError as error:
                raise ValueError(str(error).replace(f"`{_SECTION}.", "`")) from None
        if values.get("fidelity_model") and values.get("fidelity") is None:
            raise ValueError("`fidelity_model` needs `--set fidelity=` between 0 and 1 beside it. Received none.")
        return cls(**values)


@dataclass(frozen=True)
class EngineChoice:
    """Which engine runs the model.

    Attributes:
        engine: one of `tfgan_app.inference.ENGINES`.
        quantized: run the file in 8-bit integers, by LiteRT.
        debug: leave all that TensorFlow prints on stderr, where it is loaded.
    """

    engine: str = "auto"
    quantized: bool = False
    debug: bool = False


def load_model(
    path: str, *, checkpoint: str, settings: PredictSettings, choice: EngineChoice | None = None
) -> Predictor | Sampler | Stylist:
    """Loads the model at a path, changed as the settings say; TensorFlow is loaded only for a model that needs it.

    Raises:
        ValueError: if there is no such model, or the settings or the engine do not apply to it.
    """
    choice = choice or EngineChoice()
    model = _load_lite(path, checkpoint, settings, choice)
    if model is None:
        if "tensorflow" not in sys.modules:
            startup.load_tensorflow(show_chatter=choice.debug)
        model = _load_by_tensorflow(path, checkpoint, settings)
    if not isinstance(model, Stylist) and (settings.strength is not None or settings.keep_colors):
        raise ValueError("`strength` and `keep_colors` are for models that take a style. This one takes none.")
    if not settings.ensemble:
        return model
    if not isinstance(model, Predictor):
        kind = "takes a style" if isinstance(model, Stylist) else "draws them"
        raise ValueError(f"`ensemble` is for models of images. Received a model that {kind}.")
    return model.ensembled()


def _load_lite(
    path: str, checkpoint: str, settings: PredictSettings, choice: EngineChoice
) -> Predictor | Sampler | Stylist | None:
    """The model under LiteRT; None where TensorFlow runs it."""
    if settings.fidelity is not None:
        if choice.engine == "litert" or choice.quantized:
            raise ValueError("`fidelity` mixes weights, which TensorFlow does. Leave `--engine` and `--quantized` out.")
        return None
    file = choose_lite_file(path, engine=choice.engine, quantized=choice.quantized)
    if file is None or checkpoint != "last":
        return None
    startup.set_up_logging(show_chatter=choice.debug)
    return load_lite_predictor(file)


def _load_by_tensorflow(path: str, checkpoint: str, settings: PredictSettings) -> Predictor | Sampler | Stylist:
    from tfgan_app.inference import blend_weights, load_keras_model, load_predictor, model_file, predictor_of

    if settings.fidelity is None:
        return load_predictor(path, checkpoint=checkpoint)
    keras_model = load_keras_model(model_file(path, checkpoint))
    other = load_keras_model(model_file(settings.fidelity_model or _started_from(path)))
    blend_weights(keras_model, other, share=settings.fidelity)
    return predictor_of(keras_model, path)


def _started_from(path: str) -> str:
    """The model that a run, or a shipped model, was started from."""
    if is_shipped(path) and (name := getattr(shipped_models().get(path), "started_from", None)):
        return name
    if not is_run(Path(path)):
        raise ValueError(f"`fidelity` of '{path}' needs `--set fidelity_model=PATH`: only a run knows its own.")
    from tfgan_app.commands.run_directory import RunDirectory

    config, _ = RunDirectory.existing(path).read_config()
    started_from = getattr(config.task, "init_from", None)
    if not started_from:
        raise ValueError(f"`fidelity` needs a run with task.init_from, or `fidelity_model`. Received: '{path}'.")
    return str(located(started_from))
