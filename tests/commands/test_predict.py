"""`tfgan_app predict` as a user runs it."""

from __future__ import annotations

import argparse

import keras
import numpy as np
import pytest

from tfgan_app.commands import predict
from tfgan_app.images import read_rgb, write_picture


@pytest.fixture(scope="module")
def negative(tmp_path_factory):
    """A model file whose outputs are known: 1 - input, at any size."""
    inputs = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(3, 1)
    model = keras.Model(inputs, convolution(inputs))
    convolution.set_weights([-np.eye(3, dtype=np.float32)[None, None], np.ones(3, np.float32)])
    path = tmp_path_factory.mktemp("model") / "negative.keras"
    model.save(path)
    return path


def arguments(model, **changes):
    flags = {"input": None, "output": None, "tile": None, "count": None, "seed": None, "checkpoint": "last"}
    return argparse.Namespace(model=str(model), **{**flags, **changes})


def test_a_folder_with_a_corrupt_file(negative, tmp_path, capsys):
    picture = np.random.default_rng(0).integers(0, 256, (5, 3, 3), np.uint8)
    write_picture(tmp_path / "in" / "sub" / "ä.png", picture)
    (tmp_path / "in" / "corrupt.jpg").write_bytes(b"?")
    args = arguments(negative, input=str(tmp_path / "in"), output=str(tmp_path / "out"))
    assert predict.run(args) == 1
    np.testing.assert_array_equal(read_rgb(tmp_path / "out" / "sub" / "ä.png"), 255 - picture)
    printed = capsys.readouterr()
    assert "1 written to" in printed.out and "1 failed" in printed.out
    assert printed.err.count("corrupt.jpg") == 1 and printed.err.count("\n") == 1
    (tmp_path / "in" / "corrupt.jpg").unlink()
    assert predict.run(args) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": None}, "`--input` must name"),
        ({"tile": 64}, "`--tile` is not supported for this model"),
        ({"count": 3}, "`--count` is not supported for this model"),
        ({"input": "missing"}, "There is none at 'missing'"),
    ],
)
def test_flags_that_do_not_apply(negative, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        predict.run(arguments(negative, **{"input": str(tmp_path), "output": str(tmp_path / "out"), **changes}))
