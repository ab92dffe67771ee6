"""Operations that accelerators leave to the CPU are found and counted."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from keras import layers
from lanes import first_quick

from tfgan_app.export.tflite import convert
from tfgan_app.lite import delegations, operator_names
from tfgan_app.networks.compact import SIZES, build_compact

SPEC = tf.TensorSpec([1, 16, 16, 3], tf.float32, name="images")


def found(model):
    return {delegation.delegate.split()[0]: delegation for delegation in delegations(convert(model, [SPEC]))}


@pytest.mark.parametrize("scale", first_quick([2, 3, 4]))
@pytest.mark.parametrize("size", SIZES)
def test_the_networks_for_phones_leave_nothing(scale, size):
    model = build_compact(scale=scale, size=size)
    for delegation in found(model).values():
        assert delegation.left == {} and delegation.parts == 1
        assert delegation.line() == f"{delegation.delegate}: runs all {delegation.taken} operations"


def test_an_open_size_is_for_cpus_alone():
    open_size = tf.TensorSpec([1, None, None, 3], tf.float32, name="images")
    _, *others = delegations(convert(build_compact(), [open_size]))
    for delegation in others:
        assert delegation.taken == 0
        assert delegation.line().endswith("runs nothing: the size of the input is open, which it does not support")


def test_nnapi_does_not_multiply_floats_by_integers():
    _, _, on_nnapi = delegations(convert(build_compact(), [SPEC], quantize="dynamic"))
    assert on_nnapi.left["CONV_2D"] > 10


def test_what_no_delegate_has_is_counted():
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(3, 3, padding="same")(image)
    x = keras.ops.flip(x, axis=1)
    x = keras.ops.flip(layers.Conv2D(3, 3, padding="same")(x), axis=2)
    model = keras.Model(image, layers.Conv2D(3, 3, padding="same")(x))
    names = operator_names(convert(model, [SPEC]))
    assert names.count("REVERSE_V2") == 2 and names.count("CONV_2D") == 3
    for delegation in found(model).values():
        assert delegation.left["REVERSE_V2"] == 2
        assert delegation.parts == 3
        assert delegation.taken + sum(delegation.left.values()) == len(names)
    assert found(model)["XNNPACK"].line() == (
        "XNNPACK (CPU): runs 3 operations, in 3 parts, and leaves to the CPU 2 REVERSE_V2"
    )
