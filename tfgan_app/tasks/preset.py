"""Presets, with their paper and deviations from it; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Paper(NamedTuple):
    """A publication.

    Attributes:
        authors: Names and year, in short.
        arxiv: arXiv identifier.
    """

    authors: str
    arxiv: str

    @property
    def url(self) -> str:
        """Address of the paper."""
        return f"https://arxiv.org/abs/{self.arxiv}"


class Preset(dict[str, Any]):
    """Values by dotted key, with a description.

    Attributes:
        summary: Purpose, in one line.
        paper: Publication of the recipe, if any.
        exact: Another preset with the paper's own values, if any.
        deviations: Deviations from the paper, besides the values that differ in `exact`.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        summary: str,
        paper: Paper | None = None,
        exact: Preset | None = None,
        deviations: tuple[str, ...] = (),
    ):
        super().__init__(values)
        self.summary = summary
        self.paper = paper
        self.exact = exact
        self.deviations = deviations
