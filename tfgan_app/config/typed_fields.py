"""Dataclass fields that check values and parse them from text, by annotation and bounds.

Annotations may be `int`, `float`, `bool`, `str`, `Literal[...]`, `tuple[X, ...]`, `tuple[X, Y]` and unions of
these with each other and None. Standard library only.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from tfgan_app.registry import is_own

OnResume = Literal["fixed", "may_change", "new_phase"]
"""Rule for a value in a resumed run. `fixed`: it must not change. `may_change`: the weights of no step depend on it.
`new_phase`: it may change, which starts a new phase of the training."""

_BOUND_TESTS: dict[str, Callable[[float, float], bool]] = {
    "at least": lambda value, limit: value >= limit,
    "greater than": lambda value, limit: value > limit,
    "at most": lambda value, limit: value <= limit,
    "less than": lambda value, limit: value < limit,
}

_WORDS = {"none": None, "null": None, "true": True, "yes": True, "false": False, "no": False}

_KIND_NAMES = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "text",
    types.NoneType: "none",
}


def setting(default: Any, *, on_resume: OnResume = "fixed", **metadata: Any) -> Any:
    """Returns a dataclass field with a default and a rule for resumed runs.

    Args:
        default: The field's default.
        on_resume: The rule.
        **metadata: Further metadata of the field, as set by the other functions of this module.
    """
    return dataclasses.field(default=default, metadata={"on_resume": on_resume, **metadata})


def bounded(
    default: Any,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    on_resume: OnResume = "fixed",
) -> Any:
    """Returns a dataclass field with a default and a range for its number or for each of its numbers.

    Args:
        default: The field's default.
        minimum: Smallest value allowed.
        maximum: Largest value allowed.
        above: The value must be greater than this.
        below: The value must be less than this.
        on_resume: Rule for resumed runs.
    """
    limits = {"at least": minimum, "greater than": above, "at most": maximum, "less than": below}
    bounds = {words: limit for words, limit in limits.items() if limit is not None}
    return setting(default, on_resume=on_resume, bounds=bounds)


def choice(
    table: Mapping[str, Any],
    *,
    default: Any,
    also: Sequence[str] = (),
    only: Sequence[str] | None = None,
    on_resume: OnResume = "fixed",
) -> Any:
    """Returns a dataclass field whose value (or each item) names a table's row or a user's own `module:attribute`.

    Args:
        table: A table of `tfgan_app.registry`.
        default: The field's default.
        also: Further accepted values.
        only: The accepted rows; None accepts all of them.
        on_resume: Rule for resumed runs.
    """
    names = (*also, *(table if only is None else only))
    return setting(default, on_resume=on_resume, choices=names)


def own_objects(*, on_resume: OnResume = "fixed") -> Any:
    """Returns a dataclass field for a tuple of users' own objects, each `module:attribute`; by default empty."""
    return setting((), on_resume=on_resume, choices=())


def path_setting(*, on_resume: OnResume = "fixed") -> Any:
    """Returns a dataclass field for the path of a file or folder, by default None."""
    return setting(None, on_resume=on_resume, path=True)


def model_setting(*, on_resume: OnResume = "fixed") -> Any:
    """Returns a dataclass field for a model, its path or the name of a shipped one; by default None."""
    return setting(None, on_resume=on_resume, path=True, model=True)


@dataclasses.dataclass(frozen=True)
class FieldSpec:
    """Specification of one field.

    Attributes:
        key: Name of the field in messages, for example `training.steps`.
        annotation: The field's annotation, evaluated.
        bounds: Limits by their description, as in `{"at least": 1}`.
        is_path: Whether the value is the path of a file or folder.
        choices: Accepted texts (for a tuple, of each item) besides a user's own `module:attribute`; None accepts any
            text.
        is_model: Whether the path may also be the name of a shipped model.
        on_resume: Rule for resumed runs.
    """

    key: str
    annotation: Any
    bounds: dict[str, float]
    is_path: bool = False
    choices: tuple[str, ...] | None = None
    is_model: bool = False
    on_resume: OnResume = "fixed"

    def check(self, value: Any) -> Any:
        """Converts a Python or JSON value to the field's type (lists become tuples, integers floats).

        Raises:
            ValueError: If it has another type, is not one of the choices, or is out of bounds.
        """
        try:
            checked = _convert(self.annotation, value)
        except TypeError:
            raise self._unfit(value) from None
        numbers = [it for it in (checked if isinstance(checked, tuple) else [checked]) if isinstance(it, (int, float))]
        texts = [it for it in (checked if isinstance(checked, tuple) else [checked]) if isinstance(it, str)]
        if self.choices is not None and not all(text in self.choices or is_own(text) for text in texts):
            raise self._unfit(value)
        for words, limit in self.bounds.items():
            if not all(_BOUND_TESTS[words](number, limit) for number in numbers):
                raise self._unfit(value)
        return checked

    def parse(self, text: str) -> Any:
        """Parses and checks a text: a word, a number, or a comma-separated list.

        Raises:
            ValueError: If the text is not a valid value of this field.
        """
        try:
            value = _convert_text(self.annotation, text)
        except TypeError:
            raise self._unfit(text) from None
        return self.check(value)

    def _unfit(self, value: Any) -> ValueError:
        bounds = " and ".join(f"{words} {limit}" for words, limit in self.bounds.items())
        expected = _describe(self.annotation)
        if self.choices is not None:
            each = "values separated by commas, each " if _is_tuple(self.annotation) else ""
            expected = each + " or ".join([*map(repr, self.choices), "module:attribute of your own"])
        if bounds:
            expected += f", {bounds}"
        return ValueError(f"`{self.key}` must be {expected}. Received: {value!r}.")


def field_specs(section: str, kind: type) -> dict[str, FieldSpec]:
    """Returns the specification of each field of a dataclass, by dotted key.

    Args:
        section: First part of the keys.
        kind: The dataclass.
    """
    annotations = typing.get_type_hints(kind)
    keys = {f"{section}.{field.name}": field for field in dataclasses.fields(kind)}
    return {
        key: FieldSpec(
            key,
            annotations[field.name],
            field.metadata.get("bounds", {}),
            is_path=field.metadata.get("path", False),
            choices=field.metadata.get("choices"),
            is_model=field.metadata.get("model", False),
            on_resume=field.metadata.get("on_resume", "fixed"),
        )
        for key, field in keys.items()
    }


def find_spec(specs: Mapping[str, FieldSpec], key: str) -> FieldSpec:
    """Returns the specification of a dotted key.

    Raises:
        ValueError: If there is no such key; names the nearest key and the valid ones.
    """
    if key in specs:
        return specs[key]
    # A name without its section is the most common mistake, so the last part of each key is compared too.
    names = {**{name.partition(".")[2]: name for name in specs}, **{name: name for name in specs}}
    nearest = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    suggestion = f" Did you mean {names[nearest[0]]!r}?" if nearest else ""
    section = key.partition(".")[0]
    valid = [name for name in specs if name.startswith(f"{section}.")] or list(specs)
    raise ValueError(f"Unknown configuration key {key!r}.{suggestion} Valid keys: {', '.join(valid)}.")


def _is_tuple(annotation: Any) -> bool:
    return any(typing.get_origin(arm) is tuple for arm in _arms(annotation))


def _arms(annotation: Any) -> tuple[Any, ...]:
    """Returns the members of a union, None first so that the text `none` is not read as a name."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return (annotation,)
    return tuple(sorted(typing.get_args(annotation), key=lambda arm: arm is not types.NoneType))


def _describe(annotation: Any) -> str:
    if annotation in _KIND_NAMES:
        return _KIND_NAMES[annotation]
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        return " or ".join(repr(choice) for choice in arguments)
    if typing.get_origin(annotation) is tuple:
        count = "" if arguments[-1] is Ellipsis else f"{len(arguments)} "
        return f"{count}values separated by commas, each {_describe(arguments[0])}"
    return " or ".join(_describe(arm) for arm in reversed(_arms(annotation)))


def _convert(annotation: Any, value: Any) -> Any:
    """Converts a Python or JSON value to the type of an annotation; raises TypeError if it does not fit."""
    for arm in _arms(annotation):
        if typing.get_origin(arm) is Literal:
            if any(value == choice and type(value) is type(choice) for choice in typing.get_args(arm)):
                return value
        elif typing.get_origin(arm) is tuple:
            if isinstance(value, (list, tuple)):
                return _convert_items(arm, value, convert=_convert)
        elif arm is float:
            # A bool is an int in Python, but `true` never means 1.0.
            if type(value) in (int, float) and math.isfinite(value):
                return float(value)
        elif type(value) is arm:
            return value
    raise TypeError


def _convert_text(annotation: Any, text: str) -> Any:
    """Parses a text as the type of an annotation; raises TypeError if it does not fit."""
    for arm in _arms(annotation):
        try:
            if typing.get_origin(arm) is tuple:
                items = [item.strip() for item in text.strip("()[]").split(",") if item.strip()]
                return _convert_items(arm, items, convert=_convert_text)
            return _convert_reading(arm, text)
        except TypeError:
            continue
    raise TypeError


def _convert_reading(annotation: Any, text: str) -> Any:
    for reading in _readings(text):
        try:
            return _convert(annotation, reading)
        except TypeError:
            continue
    raise TypeError


def _convert_items(annotation: Any, items: Sequence[Any], *, convert: Callable[[Any, Any], Any]) -> tuple[Any, ...]:
    """Converts the items of a `tuple[X, ...]` or `tuple[X, Y]`; raises TypeError if their number is wrong."""
    kinds = typing.get_args(annotation)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(items)
    if len(kinds) != len(items):
        raise TypeError
    return tuple(convert(kind, item) for kind, item in zip(kinds, items, strict=True))


def _readings(text: str) -> Iterator[Any]:
    """Yields the possible Python values of a text, the text itself first."""
    yield text
    if text.lower() in _WORDS:
        yield _WORDS[text.lower()]
    for number in (int, float):
        try:
            yield number(text)
        except ValueError:
            continue
