"""Named recipes, with the paper that each is after and how it departs from it; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Paper(NamedTuple):
    """A publication.

    Attributes:
        authors: Names and year, in short.
        arxiv: Its number.
    """

    authors: str
    arxiv: str

    @property
    def url(self) -> str:
        """Where it is read."""
        return f"https://arxiv.org/abs/{self.arxiv}"


class Preset(dict[str, Any]):
    """Values by dotted key, with what is to be said of them.

    Attributes:
        summary: What it is for, in one line.
        paper: What it is after, if it is a publication's recipe.
        exact: The preset of the same paper's own values, where there is another one.
        deviations: How it departs from the paper beyond values that `exact` has otherwise.
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
