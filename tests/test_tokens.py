"""Byte-pair tokens: learned from captions, the same in Python's reading and in a graph."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.tokens import PADDING, UNKNOWN, Vocabulary, learn_vocabulary, tokenize

TEXTS = ["a red apple", "a red bus", "a green apple", "the green bus", "A  RED\tbus"]


@pytest.fixture(scope="module")
def vocabulary():
    return learn_vocabulary(TEXTS, size=64, length=8)


def merged(text, vocabulary):
    """The encoding as Sennrich et al. describe it, in plain Python: the first merge that applies, again."""
    rank = {pair: index for index, pair in enumerate(vocabulary.merges)}
    ids = {symbol: index + 2 for index, symbol in enumerate(vocabulary.symbols)}
    found = []
    for word in text.lower().split():
        parts = ["\u2581", *word]
        while True:
            known = [(rank[pair], at) for at, pair in enumerate(itertools.pairwise(parts)) if pair in rank]
            if not known:
                break
            _, at = min(known)
            parts[at : at + 2] = ["".join(parts[at : at + 2])]
        found += [ids.get(part, UNKNOWN) for part in parts]
    return (found + [PADDING] * vocabulary.length)[: vocabulary.length]


def test_frequent_words_become_one_token(vocabulary):
    tokens = tokenize(tf.constant(TEXTS), vocabulary).numpy()
    assert tokens.dtype == np.int32 and tokens.shape == (5, 8)
    texts = [[vocabulary.symbols[index - 2] for index in row if index > 1] for row in tokens]
    assert texts[0] == ["\u2581a", "\u2581red", "\u2581apple"]
    np.testing.assert_array_equal(tokens[1], tokens[4])


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "a bred reader",
        "applepie red-green",
        "a.b\\c[d]^$(e)*+?|",
        "\u2581 a \u2581 red",
        "Ä ÖL 日本語 é",
        "x" * 99,
    ],
)
def test_the_graph_agrees_with_plain_python(text):
    vocabulary = learn_vocabulary([*TEXTS, "a.b\\c[d]^$(e)*+?|", "a.b\\c[d]^$(e)*+?|", "äöl 日本"], size=80, length=12)
    expected = merged(text.replace("\u2581", " "), vocabulary)
    np.testing.assert_array_equal(tokenize(tf.constant([text]), vocabulary)[0], expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"", [0] * 8), (b" \n\t ", [0] * 8), (b"\xff\xfe", None), (b"red\x01\x02apple", None)],
)
def test_odd_texts_have_tokens(vocabulary, text, expected):
    tokens = tokenize(tf.constant([text]), vocabulary).numpy()[0]
    assert tokens.min() >= 0 and tokens.max() < vocabulary.size
    if expected is not None:
        assert tokens.tolist() == expected


def test_control_characters_separate_words(vocabulary):
    tokens = tokenize(tf.constant([b"red\x01apple", b"red apple"]), vocabulary).numpy()
    np.testing.assert_array_equal(*tokens)


def test_a_text_depends_on_no_other(vocabulary):
    together = tokenize(tf.constant(TEXTS), vocabulary).numpy()
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_array_equal(tokenize(tf.constant([text]), vocabulary)[0], row)


def test_a_vocabulary_is_kept_as_json(vocabulary):
    again = Vocabulary.from_config(vocabulary.to_config())
    assert again == vocabulary and hash(again) == hash(vocabulary)


def test_a_vocabulary_keeps_to_its_size_and_depends_on_the_texts_alone():
    assert learn_vocabulary(TEXTS, size=24, length=4).size == 24
    assert learn_vocabulary(TEXTS[::-1], size=40, length=4) == learn_vocabulary(TEXTS, size=40, length=4)
    # A pair that occurs once makes no symbol.
    assert not learn_vocabulary(["abc"], size=64, length=4).merges
