"""Settings of `predict --set`, and the loading of a model with them."""

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
        fidelity: Blend of weights in [0, 1]: 0 is the model itself, 1 the model that its training started from
            (`task.init_from` of its run, or `fidelity_model`).
        fidelity_model: Run directory, `.keras` file or shipped model's name of the same network, trained for fidelity.
        ensemble: Whether to average over the eight orientations of each image: eight times slower, slightly more
            accurate.
        strength: Strength of the style in [0, 1], for style models: 0 keeps the image's own style.
        keep_colors: Whether to take only the lightness of the styled image and keep the colors, for style models.
        grain: Standard deviation of the added film grain at middle gray: 0.02 is a little; `--seed` seeds it.
        feather_px: Width in input pixels of the transition from the kept regions of `--keep-mask` to the model's
            result; 8 by default.
        project_steps: Steps of `--project`.
        feature_weights: File of VGG16 and LPIPS weights (.npz), with which `--project` compares images; without it, it
            compares pixels.
        directions: Number of directions of `--sweep directions`.
        mix_layer: First layer that takes the styles of the columns of `--mix`; the middle one by default.
    """

    fidelity: float | None = bounded(None, minimum=0.0, maximum=1.0)
    fidelity_model: str | None = None
    ensemble: bool = False
    strength: float | None = bounded(None, minimum=0.0, maximum=1.0)
    keep_colors: bool = False
    grain: float = bounded(0.0, minimum=0.0, maximum=1.0)
    feather_px: float | None = bounded(None, minimum=0.0, maximum=1000.0)
    project_steps: int | None = bounded(None, minimum=1, maximum=100_000)
    feature_weights: str | None = None
    directions: int | None = bounded(None, minimum=1, maximum=100)
    mix_layer: int | None = bounded(None, minimum=1, maximum=100)

    @classmethod
    def parse(cls, assignments: Iterable[str]) -> PredictSettings:
        """Reads `KEY=VALUE` texts.

        Raises:
            ValueError: If a text is not an assignment, names no setting, or has an invalid value.
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
    """Choice of the engine that runs the model.

    Attributes:
        engine: One of `tfgan_app.inference.ENGINES`.
        quantized: Whether LiteRT runs the file in 8-bit integers.
        debug: Whether to show everything that TensorFlow prints on stderr, if it is loaded.
    """

    engine: str = "auto"
    quantized: bool = False
    debug: bool = False


def load_model(
    path: str, *, checkpoint: str, settings: PredictSettings, choice: EngineChoice | None = None
) -> Predictor | Sampler | Stylist:
    """Loads the model at a path with the settings applied; TensorFlow is loaded only for a model that needs it.

    Raises:
        ValueError: If there is no such model, or the settings or the engine do not suit it.
    """
    choice = choice or EngineChoice()
    model = _load_lite(path, checkpoint, settings, choice)
    if model is None:
        if "tensorflow" not in sys.modules:
            startup.load_tensorflow(show_chatter=choice.debug)
        model = _load_by_tensorflow(path, checkpoint, settings)
    if not isinstance(model, Stylist) and (settings.strength is not None or settings.keep_colors):
        raise ValueError("`strength` and `keep_colors` are for style models. This is not one: leave them out.")
    if not settings.ensemble:
        return model
    if not isinstance(model, Predictor):
        kind = "style" if isinstance(model, Stylist) else "noise"
        raise ValueError(f"`ensemble` is for image models. Received a {kind} model: leave it out.")
    return model.ensembled()


def _load_lite(
    path: str, checkpoint: str, settings: PredictSettings, choice: EngineChoice
) -> Predictor | Sampler | Stylist | None:
    """Returns the model under LiteRT; None if TensorFlow has to run it."""
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
    """Returns the model from which the training of a run or shipped model started."""
    if is_shipped(path) and (name := getattr(shipped_models().get(path), "started_from", None)):
        return name
    if not is_run(Path(path)):
        raise ValueError(f"`fidelity` of '{path}' needs `--set fidelity_model=PATH`: only a run records its start.")
    from tfgan_app.commands.run_directory import RunDirectory

    config, _ = RunDirectory.existing(path).read_config()
    started_from = getattr(config.task, "init_from", None)
    if not started_from:
        raise ValueError(f"`fidelity` needs a run with task.init_from, or `fidelity_model`. Received: '{path}'.")
    return str(located(started_from))
