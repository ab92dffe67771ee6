"""Networks that a training starts from: those of a run, of a `.keras` file, or of a shipped model."""

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
    """What a training may start from.

    Attributes:
        source: as the user named it.
        generators: inference models by the name of the generator that each holds: `generator`, and companions.
        state: arrays of the newest good checkpoint by name; empty where there is no run.
        settings: of the run's task; empty where there is no run.
    """

    source: str
    generators: dict[str, keras.Model]
    state: dict[str, np.ndarray] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def start_networks(
    networks: Networks, source: str | None, *, report: Report, direction: str | None = None
) -> Origin | None:
    """Gives fresh networks the weights of trained ones: averaged generators, and discriminators where they fit.

    Args:
        networks: fresh, in float32 or mixed precision.
        source: run directory, `.keras` file or name of a shipped model; None leaves all networks as they are.
        report: called with a line about what was taken, and about each network that begins afresh.
        direction: `a2b` or `b2a` of a training that has one: a run of the other one gives its networks crosswise.

    Returns:
        Where they are from, None without a source.

    Raises:
        ValueError: if there is no such model, or its generator has other weights than the one that is to start.
    """
    if source is None:
        return None
    origin = load_origin(source)
    names = _crossed(networks, origin, direction, report=report)
    main, taken = next(iter(networks.generators)), []
    for name, generator in networks.generators.items():
        trained = origin.generators.get(names.get(name, GENERATOR if name == main else name))
        if trained is None:
            problem = _take_state(generator, origin, f"average/{names.get(name, name)}")
        else:
            problem = take_generator(generator, trained, source=source, label=name)
        if problem is None:
            taken.append(name)
        else:
            report(f"{name} begins afresh: {problem}")
    take_discriminators(networks, origin, taken=taken, names=names, report=report)
    return origin


def take_discriminators(
    networks: Networks, origin: Origin, *, taken: Sequence[str], report: Report, names: Mapping[str, str] | None = None
) -> None:
    """Takes the discriminators that fit, and says what a training starts from.

    Args:
        networks: whose generators have their weights.
        origin: where these are from.
        taken: names of the generators that were taken.
        report: called with a line for each discriminator that begins afresh, and one that sums up.
        names: network -> its name in the origin, where it has another.
    """
    taken = list(taken)
    for name, discriminator in networks.discriminators.items():
        problem = _take_state(discriminator, origin, f"{DISCRIMINATOR}{(names or {}).get(name, name)}")
        if problem is None:
            taken.append(name)
        else:
            report(f"{name} begins afresh: {problem}")
    report(f"starts from '{origin.source}': {', '.join(taken)}")


def load_origin(source: str) -> Origin:
    """Opens what a training may start from.

    Args:
        source: run directory, `.keras` file or name of a shipped model.

    Raises:
        ValueError: if it is none of these, or cannot be loaded.
    """
    path = Path(source)
    if not path.exists():
        path = _shipped(source)
    if path.is_dir() and not (path / "checkpoints").is_dir():
        beside = path.with_name(f"{path.name}.keras")
        hint = f" Take '{beside}'." if beside.is_file() else ""
        raise ValueError(
            f"{SETTING} must be a run directory, a .keras file or a shipped model's name. Received: '{source}', a "
            f"folder that is no run.{hint}"
        )
    if not path.is_dir():
        if path.suffix != ".keras":
            raise ValueError(f"{SETTING} must be a run or a .keras file, which training can go on with: '{source}'.")
        return Origin(source, _generators(path))
    state = Checkpoints(path / "checkpoints").newest_state() or {}
    try:
        settings = load_json(path / "config.json").get("task", {})
    except (OSError, ValueError):
        settings = {}  # Its networks tell enough.
    return Origin(source, _generators(run_checkpoint(path)), state, settings)


def take_generator(generator: keras.Model, trained: keras.Model, *, source: str, label: str) -> None:
    """Gives a generator the weights of the one in a trained inference model.

    Args:
        generator: a fresh network.
        trained: the inference model.
        source: what the user named, for messages.
        label: what the network is called there.

    Raises:
        ValueError: with the names and shapes of weights that differ, or the first activations.
    """
    inner = inner_generator(trained, generator.name, source=source)
    values = inner.get_weights()
    if problem := difference(values, generator.weights):
        raise ValueError(
            f"{SETTING} must be of the same networks. The {label} of '{source}' is another: {problem}. Set the "
            "network's settings to those of its run, or start from another."
        )
    check_same_activations(inner, generator, source=source)
    generator.set_weights(values)


def inner_generator(trained: keras.Model, name: str, *, source: str) -> keras.Model:
    """The generator inside an inference model.

    Raises:
        ValueError: if there is none of this name.
    """
    found = [layer for layer in trained.layers if layer.name == name and isinstance(layer, keras.Model)]
    if not found:
        raise ValueError(f"{SETTING} must be a model of this task, with a network '{name}'. Received: '{source}'.")
    return found[0]


def difference(values: Sequence[np.ndarray], variables: Sequence[keras.Variable]) -> str | None:
    """Names and shapes of what differs between arrays and the variables of a network; None where they fit."""
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
    """Refuses weights that were learned for other activations: they would fit by their shapes and draw nonsense.

    Args:
        trained: network whose weights are to be taken.
        generator: network that is to take them.
        source: what the user named, for messages.
        setting: key of the activation, where it can be set.

    Raises:
        ValueError: with the first activations that differ.
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
    """Network -> name in an origin that translates the other way, where both ways are there or wanted."""
    theirs = origin.settings.get("direction")
    if direction is None or theirs is None or theirs == direction:
        return {}
    if not {"inverse"} & {*networks.generators, *origin.generators}:
        report(f"'{origin.source}' was trained the other way ({theirs}), and starts a training of {direction}")
        return {}
    report(f"'{origin.source}' was trained the other way ({theirs}): its way there starts the way back, and vice versa")
    pairs = (("generator", "inverse"), ("discriminator", "inverse_discriminator"))
    return {name: other for pair in pairs for name, other in (pair, pair[::-1])}


def _take_state(model: keras.Model, origin: Origin, group: str) -> str | None:
    """Takes a network out of a checkpoint; returns why not, or None."""
    values = [value for name, value in sorted(origin.state.items()) if name.rpartition("/")[0] == group]
    if not values:
        return f"'{origin.source}' has none"
    if problem := difference(values, model.variables):
        return f"that of '{origin.source}' is another: {problem}"
    for variable, value in zip(model.variables, values, strict=True):
        if "float" in variable.dtype:  # Seeds of dropout are the new run's own.
            variable.assign(value)
    return None
