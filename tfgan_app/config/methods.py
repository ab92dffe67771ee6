"""Sections of tasks with several methods: one frozen dataclass per method, chosen by the field `method`."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

METHOD = "task.method"


@dataclasses.dataclass(frozen=True)
class MethodSection:
    """Base class for the sections of a task with several methods.

    A task derives a class with the settings that all methods share, and one class for each method from it::

        class TranslateConfig(MethodSection): ...
        class PairedConfig(TranslateConfig, method="paired"): ...

    Attributes:
        method: Name of the method.
        sections: Method -> class; the first one is the default.
    """

    method: str = ""
    sections: ClassVar[dict[str, type[MethodSection]]]

    def __init_subclass__(cls, *, method: str | None = None, **options: Any):
        super().__init_subclass__(**options)
        if MethodSection in cls.__bases__:
            cls.sections = {}
        if method is not None:
            cls.sections[method] = cls


def first_section(kind: type) -> type:
    """Returns the default class of a task's section: with several methods, that of the first."""
    if not issubclass(kind, MethodSection) or kind in kind.sections.values():
        return kind
    return next(iter(kind.sections.values()))


def other_sections(section: Any) -> list[type]:
    """Returns the classes of the other methods of a section's task."""
    sections = section.sections.values() if isinstance(section, MethodSection) else ()
    return [kind for kind in sections if kind is not type(section)]


def with_method(section: Any, method: Any) -> Any:
    """Returns the section of another method, with the explicitly set values that it shares.

    Args:
        section: Section of a task.
        method: Value of its field `method`. For an unknown method, the section is returned unchanged.

    Raises:
        ValueError: If a value was set that the method does not use.
    """
    if not isinstance(section, MethodSection) or method not in section.sections or method == section.method:
        return section
    changed = section.sections[method]()
    defaults = {field.name: field.default for field in dataclasses.fields(section) if field.name != "method"}
    values = {name: getattr(section, name) for name, default in defaults.items() if getattr(section, name) != default}
    return dataclasses.replace(
        changed, **{name: value for name, value in values.items() if is_own(changed, name, value)}
    )


def is_own(section: Any, name: str, value: Any) -> bool:
    """Returns whether a setting belongs to the section's method, and not to another method at its default.

    Args:
        section: Section of a task.
        name: Name of a field, without the section.
        value: Its value.

    Raises:
        ValueError: If the setting belongs to other methods and the value is not its default; lists the methods.
    """
    if name in _defaults(type(section)):
        return True
    owners = [kind for kind in other_sections(section) if name in _defaults(kind)]
    if not owners:
        return True  # Not a setting; the check of keys reports it.
    if (tuple(value) if isinstance(value, list) else value) in [_defaults(kind)[name] for kind in owners]:
        return False
    methods = " or ".join(method for method, kind in section.sections.items() if kind in owners)
    raise ValueError(
        f"`task.{name}` is for `{METHOD}` {methods}. Received: {value!r} for {section.method}; leave it out."
    )


def _defaults(kind: type) -> dict[str, Any]:
    return {field.name: field.default for field in dataclasses.fields(kind)}
