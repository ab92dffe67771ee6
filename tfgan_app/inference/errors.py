"""What TensorFlow and Keras say, in one line."""

from __future__ import annotations


def one_line(error: Exception) -> str:
    """The first line of an error's message, since TensorFlow and Keras append stacks and advice."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
