"""Byte-pair tokens of captions: a vocabulary learned from texts, and their ids, computed in a TensorFlow graph."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf

PADDING, UNKNOWN = 0, 1
"""Ids behind the end of a text, and of symbols that are not in the vocabulary."""

_FIRST_ID = 2
_SPACE = "\u2581"
"""Beginning of a word, as in SentencePiece."""

# Around each symbol while a text is split. Texts lose their control characters first.
_OPEN, _CLOSE = "\x01", "\x02"


@dataclass(frozen=True)
class Vocabulary:
    """Symbols and merges of a byte-pair encoding.

    "Neural Machine Translation of Rare Words with Subword Units", Sennrich et al. 2016, arXiv:1508.07909. Symbols
    are characters of Unicode, not bytes; texts are in lower case.

    Attributes:
        symbols: Text of each id from 2 on.
        merges: Pairs of symbols that become one, in the order in which they are applied.
        length: Tokens of a text; longer texts are cut, shorter ones end with `PADDING`.
    """

    symbols: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    length: int

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.symbols) + _FIRST_ID

    def to_config(self) -> dict[str, Any]:
        """Returns lists and numbers that JSON holds."""
        return {"symbols": list(self.symbols), "merges": [list(pair) for pair in self.merges], "length": self.length}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Vocabulary:
        """Reads the result of `to_config`."""
        merges = tuple((first, second) for first, second in config["merges"])
        return cls(tuple(config["symbols"]), merges, int(config["length"]))


def learn_vocabulary(texts: Iterable[str], *, size: int, length: int) -> Vocabulary:
    """Learns a vocabulary: all characters of the texts, then the most frequent pair of symbols, again and again.

    Pairs lie inside of words. Of equally frequent pairs the first in the order of the alphabet is taken, so the result
    depends on the texts alone.

    Args:
        texts: The captions.
        size: Maximum number of ids; all characters are kept even beyond it.
        length: Tokens of a text, at least 1.

    Returns:
        The vocabulary.
    """
    counts = Counter(word for text in _normalized(list(texts)) for word in re.findall(f"{_SPACE}[^{_SPACE}]*", text))
    words = {word: list(word) for word in sorted(counts)}
    symbols = sorted({character for word in words for character in word})
    merges: list[tuple[str, str]] = []
    while len(symbols) + _FIRST_ID < size:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in words.items():
            for pair in itertools.pairwise(parts):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best, count = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        if count < 2:
            break
        merges.append(best)
        if "".join(best) not in symbols:
            symbols.append("".join(best))
        words = {word: _merged(parts, best) for word, parts in words.items()}
    return Vocabulary(tuple(symbols), tuple(merges), length)


def _merged(parts: Sequence[str], pair: tuple[str, str]) -> list[str]:
    result: list[str] = []
    index = 0
    while index < len(parts):
        if tuple(parts[index : index + 2]) == pair:
            result.append("".join(pair))
            index += 2
        else:
            result.append(parts[index])
            index += 1
    return result


def tokenize(texts: tf.Tensor, vocabulary: Vocabulary) -> tf.Tensor:
    """Computes the ids of texts, in operations that a SavedModel keeps.

    Pairs are merged in the order of the vocabulary, each from left to right. A pair can only arise from earlier merges,
    so that this is the usual encoding.

    Args:
        texts: string `[batch]`, UTF-8; invalid bytes count as unknown symbols.
        vocabulary: The vocabulary.

    Returns:
        int32 `[batch, length]`.
    """
    import tensorflow as tf

    split = tf.strings.regex_replace(_normalized_tensor(texts), r"([\s\S])", rf"{_OPEN}\1{_CLOSE}")
    if vocabulary.merges:
        pairs = [
            (re.escape(f"{_OPEN}{first}{_CLOSE}{_OPEN}{second}{_CLOSE}"), _plain(f"{_OPEN}{first}{second}{_CLOSE}"))
            for first, second in vocabulary.merges
        ]
        patterns, merged = (tf.constant(list(each)) for each in zip(*pairs, strict=True))
        # A loop over constants: one node for each merge would make the graph large.
        split = tf.foldl(
            lambda text, index: tf.raw_ops.RegexReplace(input=text, pattern=patterns[index], rewrite=merged[index]),
            tf.range(len(pairs)),
            initializer=split,
        )
    parts = tf.strings.split(tf.strings.regex_replace(split, _OPEN, ""), _CLOSE)
    # Behind the last symbol there is an empty part; longer texts are cut.
    parts = parts[:, : vocabulary.length].to_tensor("", shape=[None, vocabulary.length])
    # Compared with all symbols: a lookup table would need initialization wherever the model is loaded.
    same = parts[:, :, tf.newaxis] == tf.constant(list(vocabulary.symbols))
    known = tf.argmax(same, axis=-1, output_type=tf.int32) + _FIRST_ID
    ids = tf.where(tf.reduce_any(same, axis=-1), known, UNKNOWN)
    return tf.where(parts == "", PADDING, ids)


def _normalized_tensor(texts: tf.Tensor) -> tf.Tensor:
    """Texts in lower case, each word behind `_SPACE`, without control characters."""
    import tensorflow as tf

    valid = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    lower = tf.strings.lower(valid, encoding="utf-8")
    spaced = tf.strings.strip(tf.strings.regex_replace(lower, rf"[\x00-\x20{_SPACE}]+", " "))
    words = tf.strings.regex_replace(spaced, " ", _SPACE)
    return tf.where(words == "", "", tf.strings.join([_SPACE, words]))


def _normalized(texts: list[str]) -> list[str]:
    import tensorflow as tf

    if not texts:
        return []
    return [text.decode() for text in _normalized_tensor(tf.constant(texts)).numpy()]


def _plain(text: str) -> str:
    """A text as the rewrite of a regular expression, in which a backslash has a meaning."""
    return text.replace("\\", "\\\\")
