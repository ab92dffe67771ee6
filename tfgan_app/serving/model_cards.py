"""Purpose and license of a model, from the cards that lie beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

CARD_FILE = "MODEL_CARD.md"
SHIPPED_FILE = "shipped.json"
"""File in the folder of all models: name -> `what_for` and `license`, among others."""

_MAX_BYTES = 2**16
_MAX_CHARS = 240

_LICENSE = re.compile(r"^- Licen[cs]e of the weights: (.+)$", re.MULTILINE)
_PARAMETERS = re.compile(r"^- Parameters: ([\d,]+)$", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.:;](?:\s|$)")
_MARKS = re.compile(r"[`*]|\[([^\]]*)\]\([^)]*\)")
_NOT_STATED = "not stated"


def card_facts(folder: Path) -> dict[str, str]:
    """Reads the card of a version, which `export` writes, and other descriptions of its model.

    Args:
        folder: Folder of the version, `NAME/VERSION`.

    Returns:
        The known ones of `about`, `license` and `parameters`. `about` comes from `shipped.json`, or else from the first
        sentence of the model's card.
    """
    own, shipped = _read(folder / CARD_FILE), _shipped(folder.parent)
    found = {"license": _LICENSE.search(own), "parameters": _PARAMETERS.search(own)}
    known = {name: match[1].strip() for name, match in found.items() if match}
    known["about"] = _as_sentence(shipped.get("what_for")) or _first_sentence(_read(folder.parent / CARD_FILE))
    if known.get("license") in (None, _NOT_STATED):
        known["license"] = str(shipped.get("license", ""))
    return {name: text for name, text in known.items() if text}


def _shipped(model_folder: Path) -> dict[str, object]:
    """Entry of `shipped.json` beside a model's folder; empty if there is none."""
    try:
        entry = json.loads(_read(model_folder.parent / SHIPPED_FILE))[model_folder.name]
    except (ValueError, KeyError, TypeError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _as_sentence(text: object) -> str:
    text = " ".join(text.split()) if isinstance(text, str) else ""
    return f"{text[:1].upper()}{text[1:_MAX_CHARS]}." if text else ""


def _read(path: Path) -> str:
    """Beginning of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _first_sentence(card: str) -> str:
    """First sentence of the first paragraph below the headings, without Markdown marks; empty if there is none."""
    for block in re.split(r"\n\s*\n", card.replace("\r\n", "\n")):
        lines = [line for line in block.strip().splitlines() if not line.startswith("#")]
        if not lines:
            continue
        if lines[0].startswith(("-", "|", "```", "<", "!")):
            return ""
        text = _MARKS.sub(lambda mark: mark[1] or "", " ".join(lines))
        sentence = _SENTENCE_END.split(text, maxsplit=1)[0].strip()
        return f"{sentence[:_MAX_CHARS]}." if sentence else ""
    return ""
