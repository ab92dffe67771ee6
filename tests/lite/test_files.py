"""Metadata of .tflite files is read back; wrong metadata is a one-line error."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfgan_app.export.tflite import convert
from tfgan_app.inference import load_predictor
from tfgan_app.lite import Card, LiteModel, read_card, with_card

CARD = Card("enlarger", "1.2.3", license="CC0-1.0", tile_px=8, sizes="any", scale=2, halo_px=None)


@pytest.fixture(scope="module")
def content():
    def enlarge(images, training):
        del training
        return tf.repeat(tf.repeat(1.0 - images, 2, axis=1), 2, axis=2)

    enlarge.variables = []
    return convert(enlarge, [tf.TensorSpec([1, None, None, 3], tf.float32, name="images")])


def test_a_card_is_read_back_and_replaced(content):
    assert read_card(content) is None
    marked = with_card(content, CARD)
    assert read_card(marked) == CARD
    other = dataclasses.replace(CARD, name="other", classes=("bag", "日本"), latent_dim=4)
    again = with_card(marked, other)
    assert read_card(again) == other
    assert again.count(b'"classes"') == 1


def test_a_file_with_a_card_runs_as_before(content):
    image = np.random.default_rng(0).random((1, 5, 7, 3), np.float32)
    outputs = []
    for each in (content, with_card(content, CARD)):
        interpreter = Interpreter(model_content=each)
        interpreter.resize_tensor_input(0, image.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(0, image)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_array_equal(*outputs)
    np.testing.assert_array_equal(LiteModel(with_card(content, CARD))(image), outputs[0])


@pytest.mark.parametrize(("fill", "mode"), [("mirror", "reflect"), ("edge", "edge"), ("zero", "constant")])
def test_images_are_continued_to_a_multiple_as_the_network_does(fill, mode):
    def mean(images, training):
        del training
        return 0.0 * images + tf.reduce_mean(images, (1, 2), keepdims=True)

    mean.variables = []
    content = convert(mean, [tf.TensorSpec([1, 8, 8, 3], tf.float32, name="images")])
    lite = LiteModel(with_card(content, Card("mean", "1", tile_px=8, sizes="multiple", multiple=4, fill=fill)))
    image = np.random.default_rng(0).random((1, 5, 7, 3), np.float32)
    expected = np.pad(image, ((0, 0), (0, 3), (0, 1), (0, 0)), mode).mean((1, 2), keepdims=True)
    np.testing.assert_allclose(lite(image), np.broadcast_to(expected, image.shape), atol=1e-6)


def test_ranges_are_written_in_words():
    assert json.loads(CARD.to_json())["input_range"] == "0 to 1, float32"
    assert json.loads(dataclasses.replace(CARD, quantize="int8").to_json())["output_range"] == "0 to 255, uint8"


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": 0},
        {"scale": "2"},
        {"tile_px": 1.5},
        {"sizes": "some"},
        {"fill": "blue"},
        {"channels": None},
        {"multiple": -1},
    ],
)
def test_a_card_with_a_value_of_the_wrong_type_is_refused(changes):
    with pytest.raises(ValueError, match="wrong type"):
        Card.from_json(json.dumps(dataclasses.asdict(CARD) | changes))


def test_what_is_no_such_file_is_said_in_one_line(content, tmp_path):
    path = tmp_path / "model.tflite"
    rng = np.random.default_rng(0)
    marked = with_card(content, CARD)
    for broken in (b"", b"TFL3", b"hello, world", content, marked[: len(marked) // 3], marked[:40] + rng.bytes(400)):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="Cannot load the LiteRT model") as caught:
            load_predictor(path)
        assert "\n" not in str(caught.value)
