"""The page's description of a model, from the files beside it."""

from __future__ import annotations

import json

import pytest

from tfgan_app.serving.model_cards import card_facts

OWN = "# x\n\n- Parameters: 489,072\n- License of the weights: Apache-2.0\n- Written by: tfgan_app\n"


def write(root, *, own="", card="", shipped=""):
    version = root / "upscale" / "3"
    version.mkdir(parents=True)
    for path, text in ((version, own), (version.parent, card)):
        (path / "MODEL_CARD.md").write_text(text, encoding="utf-8")
    (root / "shipped.json").write_text(shipped, encoding="utf-8")
    return version


@pytest.mark.parametrize(
    ("card", "about"),
    [
        ("# upscale\n\nImages four times\nas wide: the network `compact`.", "Images four times as wide."),
        ("# upscale\nTakes away [noise](x.md), and blocks. More.\n", "Takes away noise, and blocks."),
        ("\n\nscale 2.5 and upscale_x4 are kept", "scale 2.5 and upscale_x4 are kept."),
        ("# upscale\n\n- Format: a SavedModel\n", None),
        ("# upscale\n\n| a | b |\n", None),
        ("# upscale", None),
        ("", None),
    ],
)
def test_the_first_sentence_of_the_model_card_is_told(tmp_path, card, about):
    facts = card_facts(write(tmp_path, own=OWN, card=card))
    assert facts.pop("about", None) == about
    assert facts == {"license": "Apache-2.0", "parameters": "489,072"}


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ({"what_for": "images, larger", "license": "MIT"}, {"about": "Images, larger.", "license": "MIT"}),
        ({"what_for": 3}, {"about": "A card."}),
        ([], {"about": "A card."}),
    ],
)
def test_what_is_written_beside_the_models_goes_first(tmp_path, entry, facts):
    own = "- License of the weights: not stated\n"
    assert card_facts(write(tmp_path, own=own, card="A card.", shipped=json.dumps({"upscale": entry}))) == facts


def test_files_that_are_missing_or_damaged_tell_nothing(tmp_path):
    assert card_facts(tmp_path / "none" / "1") == {}
    version = write(tmp_path, shipped="{")
    (version / "MODEL_CARD.md").write_bytes(b"\xff" * 10**6)
    assert card_facts(version) == {}
