"""Initial weights of a training, from a run, a `.keras` file or a shipped model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfgan_app.config import load_json
from tfgan_app.inference import load_companions, load_keras_model, run_checkpoint
from tfgan_app.shipped import shipped_model_path, shipped_names
from tfgan_app.training.checkpoints import DISCRIMINATOR, Checkpoints
from tfgan_app.training.task import Networks

DIFFERENCES_SHOWN = 3
GENERATOR = "generator"
SETTING = "`task.init_from`"

Report = Callable[[str], Any]


@dataclass(frozen=True)
class Origin:
    """A source of initial weights.

    Attributes:
        source: Source as given by the user.
        generators: Inference models by the name of the generator that each holds: `generator`, and companions.
        state: Arrays of the newest intact checkpoint by name; empty without a run.
        settings: Settings of the run's task; empty without a run.
    """

    source: str
    generators: dict[str, keras.Model]
    state: dict[str, np.ndarray] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def start_networks(
    networks: Networks, source: str | None, *, report: Report, direction: str | None = None
) -> Origin | None:
    """Loads weights of trained networks into fresh ones: averaged generators, and discriminators that fit.

    Args:
        networks: Fresh, in float32 or mixed precision.
        source: Run directory, `.keras` file or name of a shipped model; None changes nothing.
        report: Called with messages on loaded weights and on networks that start fresh.
        direction: `a2b` or `b2a` of a training that has one; a run of the other direction swaps its networks.

    Returns:
        Source of the weights, or None.

    Raises:
        ValueError: For an unknown model, or one whose generator does not match.
    """
    if source is None:
        return None
    origin = load_origin(source)
    names = _crossed(networks, origin, direction, report=report)
    main, taken = next(iter(networks.generators)), []
    for name, generator in networks.generators.items():
        trained = origin.generators.get(names.get(name, GENERATOR if name == main else name))
        problem = None
        if trained is None:
            problem = _take_state(generator, origin, f"average/{names.get(name, name)}")
        else:
            take_generator(generator, trained, source=source, label=name)
        if problem is None:
            taken.append(name)
        else:
            report(f"{name} starts fresh: {problem}")
    take_discriminators(networks, origin, taken=taken, names=names, report=report)
    return origin


def take_discriminators(
    networks: Networks, origin: Origin, *, taken: Sequence[str], report: Report, names: Mapping[str, str] | None = None
) -> None:
    """Loads the discriminators that fit, and reports the start of the training.

    Args:
        networks: Networks whose generators have been loaded.
        origin: Source of their weights.
        taken: Names of the loaded generators.
        report: Called with a message for each discriminator that starts fresh, and a summary.
        names: Network -> its name in the origin, if different.
    """
    taken = list(taken)
    for name, discriminator in networks.discriminators.items():
        problem = _take_state(discriminator, origin, f"{DISCRIMINATOR}{(names or {}).get(name, name)}")
        if problem is None:
            taken.append(name)
        else:
            report(f"{name} starts fresh: {problem}")
    report(f"starts from '{origin.source}': {', '.join(taken)}")


def load_origin(source: str) -> Origin:
    """Opens a source of initial weights.

    Args:
        source: Run directory, `.keras` file or name of a shipped model.

    Raises:
        ValueError: For any other source, or one that cannot be loaded.
    """
    path = Path(source)
    if not path.exists():
        path = _shipped(source)
    if path.is_dir() and not (path / "checkpoints").is_dir():
        beside = path.with_name(f"{path.name}.keras")
        hint = f" Take '{beside}'." if beside.is_file() else ""
        raise ValueError(
            f"{SETTING} must be a run directory, a .keras file or a shipped model's name. Received: '{source}', a "
            f"folder that is not a run.{hint}"
        )
    if not path.is_dir():
        if path.suffix != ".keras":
            raise ValueError(
                f"{SETTING} must be a run or a .keras file to continue training with. Received: '{source}'."
            )
        return Origin(source, _generators(path))
    state = Checkpoints(path / "checkpoints").newest_state() or {}
    try:
        settings = load_json(path / "config.json").get("task", {})
    except (OSError, ValueError):
        settings = {}  # The networks suffice.
    return Origin(source, _generators(run_checkpoint(path)), state, settings)


def take_generator(generator: keras.Model, trained: keras.Model, *, source: str, label: str) -> None:
    """Copies the weights of a trained inference model's generator.

    Args:
        generator: A fresh network.
        trained: The inference model.
        source: Source as given by the user, for messages.
        label: Description of the network, for messages.

    Raises:
        ValueError: If weights or activations differ; names them.
    """
    inner = inner_generator(trained, generator.name, source=source)
    values = inner.get_weights()
    if problem := difference(values, generator.weights):
        raise ValueError(
            f"{SETTING} must be a run with the same networks. The {label} of '{source}' differs: {problem}. Set the "
            "network's settings to those of its run, or start from another."
        )
    check_same_activations(inner, generator, source=source)
    generator.set_weights(values)


def inner_generator(trained: keras.Model, name: str, *, source: str) -> keras.Model:
    """The generator inside an inference model.

    Raises:
        ValueError: If there is no generator of this name.
    """
    found = [layer for layer in trained.layers if layer.name == name and isinstance(layer, keras.Model)]
    if not found:
        raise ValueError(f"{SETTING} must be a model of this task, with a network '{name}'. Received: '{source}'.")
    return found[0]


def difference(values: Sequence[np.ndarray], variables: Sequence[keras.Variable]) -> str | None:
    """Describes differences between arrays and the variables of a network; None if they fit."""
    pairs = [(each.path, list(value.shape), list(each.shape)) for value, each in zip(values, variables, strict=False)]
    unlike = [f"{name} {there} there, {here} here" for name, there, here in pairs if there != here]
    shown = unlike[:DIFFERENCES_SHOWN]
    if len(unlike) > len(shown):
        shown.append(f"{len(unlike) - len(shown)} more")
    if len(values) != len(variables):
        shown.insert(0, f"{len(values)} weights there, {len(variables)} here")
    return "; ".join(shown) or None


def check_same_activations(
    trained: keras.Model, generator: keras.Model, *, source: str, setting: str | None = None
) -> None:
    """Refuses weights trained with other activations, which would fit by their shapes but give nonsense.

    Args:
        trained: Network with the weights.
        generator: Network to load them into.
        source: Source as given by the user, for messages.
        setting: Key of the activation, if it can be set.

    Raises:
        ValueError: If activations differ; names the first ones.
    """
    theirs, ours = (
        [keras.activations.serialize(layer.activation) for layer in model.layers if hasattr(layer, "activation")]
        for model in (trained, generator)
    )
    differing = [pair for pair in zip(theirs, ours, strict=False) if pair[0] != pair[1]]
    if differing:
        hint = f"; set {setting}={differing[0][0]}" if setting else ""
        raise ValueError(
            f"{SETTING} must be a run with the same activations. Received: '{source}' with {differing[0][0]}, "
            f"where this generator has {differing[0][1]}{hint}."
        )


def _shipped(source: str) -> Path:
    if Path(source).name == source:
        try:
            return shipped_model_path(source)
        except ValueError as error:
            raise ValueError(f"{SETTING}: there is no run and no file '{source}', and {_lowered(error)}") from None
    raise ValueError(
        f"{SETTING} must be a run or a .keras file of this task, or a shipped model's name. There is none at "
        f"'{source}'. {shipped_names()}"
    )


def _lowered(error: ValueError) -> str:
    return f"{str(error)[:1].lower()}{str(error)[1:]}"


def _generators(file: Path) -> dict[str, keras.Model]:
    return {GENERATOR: load_keras_model(file), **load_companions(file)}


def _crossed(networks: Networks, origin: Origin, direction: str | None, *, report: Report) -> dict[str, str]:
    """Network -> its name in an origin of the opposite direction, if either has both directions."""
    theirs = origin.settings.get("direction")
    if direction is None or theirs is None or theirs == direction:
        return {}
    if not {"inverse"} & {*networks.generators, *origin.generators}:
        report(f"'{origin.source}' was trained the other way ({theirs}), and starts a training of {direction}")
        return {}
    report(f"'{origin.source}' was trained the other way ({theirs}): its generators and discriminators are swapped")
    pairs = (("generator", "inverse"), ("discriminator", "inverse_discriminator"))
    return {name: other for pair in pairs for name, other in (pair, pair[::-1])}


def _take_state(model: keras.Model, origin: Origin, group: str) -> str | None:
    """Loads a network from a checkpoint; returns the reason on failure, else None."""
    values = [value for name, value in sorted(origin.state.items()) if name.rpartition("/")[0] == group]
    if not values:
        return f"'{origin.source}' has none"
    if problem := difference(values, model.variables):
        return f"that of '{origin.source}' differs: {problem}"
    for variable, value in zip(model.variables, values, strict=True):
        if "float" in variable.dtype:  # Seeds of dropout belong to the new run.
            variable.assign(value)
    return None
