"""Every generator becomes a LiteRT file that computes the same, whatever its architecture: a row buys these tests."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from image_networks import fill_zero_kernels
from lanes import first_quick

from tfgan_app.export.tflite import convert
from tfgan_app.lite.model import run_signature
from tfgan_app.networks import GENERATORS, INPAINTERS, NOISE_GENERATORS, RESTORERS, UPSCALERS

SMALL = {
    "compact": {"width": 8, "blocks": 1},
    "nafnet": {"width": 8, "encoder_blocks": (1, 1), "middle_blocks": 1, "decoder_blocks": (1, 1)},
    "rrdb": {"width": 8, "blocks": 1, "growth": 4},
    "srresnet": {"width": 8, "blocks": 2},
}
SIZE_PX, LATENT_DIM, CLASSES = 32, 8, 3
TABLES = {
    "upscaler": UPSCALERS,
    "restorer": RESTORERS,
    "inpainter": INPAINTERS,
    "translator": GENERATORS,
    "generator": NOISE_GENERATORS,
}
ROWS = [(kind, name) for kind, table in TABLES.items() for name in table]


def build(kind, name):
    keras.utils.set_random_seed(0)
    if kind == "generator":
        return TABLES[kind][name](size_px=SIZE_PX, channels=3, latent_dim=LATENT_DIM, width=8, classes=CLASSES)
    options = {"width": 8, "depth": 3} if name == "unet" and kind == "translator" else SMALL.get(name, {"width": 8})
    return fill_zero_kernels(TABLES[kind][name](**options))


def specs_and_inputs(model, kind):
    rng = np.random.default_rng(0)
    specs, inputs = [], []
    for index, tensor in enumerate(model.inputs):
        shape = [1, *(SIZE_PX if side is None else side for side in tensor.shape[1:])]
        specs.append(tf.TensorSpec(shape, tensor.dtype, name=f"input_{index}"))
        low = 0 if kind == "inpainter" and tensor.shape[-1] == 1 else -1
        numbers = rng.integers(0, CLASSES, shape) if tensor.dtype == "int32" else rng.uniform(low, 1, shape)
        inputs.append(numbers.astype(tensor.dtype))
    return specs, inputs


@pytest.mark.parametrize(("kind", "name"), first_quick(ROWS))
def test_the_file_computes_what_the_network_computes(kind, name):
    model = build(kind, name)
    specs, inputs = specs_and_inputs(model, kind)
    expected = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    named = {spec.name: array for spec, array in zip(specs, inputs, strict=True)}
    np.testing.assert_allclose(run_signature(convert(model, specs), named)["outputs"], expected, atol=1e-4)


@pytest.mark.parametrize(("kind", "name"), [row for row in ROWS if row[0] in ("upscaler", "restorer", "translator")])
@pytest.mark.large
def test_the_file_of_integers_is_near(kind, name):
    model = build(kind, name)
    specs, inputs = specs_and_inputs(model, kind)
    expected = np.asarray(model(inputs[0], training=False))
    content = convert(model, specs, quantize="int8", calibration=[inputs] * 4)
    error = run_signature(content, {specs[0].name: inputs[0]})["outputs"] - expected
    assert 10 * np.log10(np.var(expected) / np.mean(np.square(error))) > 15
