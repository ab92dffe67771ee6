"""Keyword arguments of the Keras models: names, defaults and checks come from the configuration of the commands."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from tfgan_app.config.typed_fields import FieldSpec, field_specs

_SECTION = re.compile(r"\b(?:task|data|training|optimizer)\.(?=[a-z])")


@dataclasses.dataclass(frozen=True)
class Group:
    """Keywords of one section of the configuration.

    Attributes:
        kind: Dataclass of the section.
        names: Fields that are keywords, in order.
        defaults: Defaults that differ from those of the section.
        fields: Keyword -> the field that it sets, if their names differ.
    """

    kind: type
    names: tuple[str, ...]
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def default(self, name: str) -> Any:
        """The default of a keyword."""
        field = self.fields.get(name, name)
        return self.defaults.get(name, next(f.default for f in dataclasses.fields(self.kind) if f.name == field))

    def specs(self) -> dict[str, FieldSpec]:
        """The specification of each keyword."""
        specs = field_specs("", self.kind)
        return {name: dataclasses.replace(specs[f".{self.fields.get(name, name)}"], key=name) for name in self.names}


def signature_of(groups: tuple[Group, ...]) -> inspect.Signature:
    """The signature of a constructor: all keywords with their defaults, then `name` and `dtype`."""
    defaults = {name: group.default(name) for group in groups for name in group.names} | {"name": None, "dtype": None}
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature([inspect.Parameter(n, keyword, default=value) for n, value in defaults.items()])


def check_keywords(groups: tuple[Group, ...], given: Mapping[str, Any], *, objects: tuple[str, ...]) -> dict[str, Any]:
    """Checks keywords and completes them with their defaults.

    Args:
        groups: Groups of valid keywords.
        given: Values by name.
        objects: Keywords that may be a user's object instead of a name.

    Raises:
        ValueError: For an unknown keyword or an invalid value.
    """
    specs = {name: spec for group in groups for name, spec in group.specs().items()}
    if unknown := sorted(given.keys() - specs.keys()):
        raise ValueError(f"Expected keywords among {', '.join([*specs, 'name', 'dtype'])}. Received: {unknown[0]!r}.")
    values = {name: group.default(name) for group in groups for name in group.names}
    for name, value in given.items():
        is_object = name in objects and value is not None and not isinstance(value, (str, bool, int, float))
        plain = value.item() if isinstance(value, np.generic) else value
        values[name] = value if is_object else specs[name].check(plain)
    return values


def own_builder(name: str, value: Any) -> Callable[[], keras.Model]:
    """A builder of a user's network, called once for each copy of it.

    Args:
        name: Keyword, for messages.
        value: A built `keras.Model`, which is the first copy, or a callable without arguments that returns one.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(value, keras.Model):
        copies = iter([value])
        return lambda: _checked(name, next(copies, None) or _clone(value))
    if callable(value):
        return lambda: _checked(name, value())
    raise ValueError(
        f"`{name}` must be a name of the registry, 'module:function', a keras.Model or a callable that returns one. "
        f"Received: {value!r}."
    )


def _checked(name: str, model: Any) -> keras.Model:
    if not isinstance(model, keras.Model) or not model.built:
        found = f"a {type(model).__name__}" if not isinstance(model, keras.Model) else "a model that is not built"
        raise ValueError(
            f"`{name}` must be a keras.Model that is built: functional, or called once on an example. "
            f"Received: {found}."
        )
    return model


def _clone(model: keras.Model) -> keras.Model:
    """A model of the same architecture with fresh weights."""
    if type(model).__name__ in ("Functional", "Sequential"):
        return keras.models.clone_model(model)
    copy = model.__class__.from_config(model.get_config())
    if model.get_build_config():
        copy.build_from_config(model.get_build_config())
    return copy


def import_path(value: Any) -> str | None:
    """`module:attribute` of a function or class that another process can import; None for any other."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    importable = module not in (None, "__main__", "builtins") and name.isidentifier()
    return f"{module}:{name}" if importable else None


@contextlib.contextmanager
def keyword_errors() -> Iterator[None]:
    """Rewrites errors of the commands to name keywords: `l1_weight`, not `task.l1_weight`."""
    try:
        yield
    except ValueError as error:
        raise ValueError(_SECTION.sub("", str(error))) from error
