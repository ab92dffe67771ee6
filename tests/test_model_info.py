"""One description of a model, the same wherever it was exported to."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from tiny_generator import build_tiny_generator
from tiny_style import build_tiny_style_model

from tfgan_app.export import export_model
from tfgan_app.inference import load_predictor
from tfgan_app.keras_info import model_info
from tfgan_app.layers import MakesColor, PixelShuffle, Provenance
from tfgan_app.model_info import ModelInfo

STYLE_PX = 64


def build_images_model(*, channels=3, scale=1):
    """A convolution of 5 x 5 pixels, of three channels out."""
    inputs = keras.Input((None, None, channels), name="images")
    x = keras.layers.Conv2D(3 * scale**2, 5, padding="same")(inputs)
    x = PixelShuffle(scale)(x) if scale > 1 else x
    return keras.Model(inputs, MakesColor()(x))


MODELS = {
    "images": (build_images_model, {"scale": 1, "halo_px": 2, "makes_color": True}),
    "upscaler": (lambda: build_images_model(scale=2), {"scale": 2, "halo_px": 2, "bytes_per_px": 2 * 4 * 3 * 4}),
    "inpainting": (lambda: build_images_model(channels=4), {"kind": "inpainting", "channels": 4}),
    "style": (build_tiny_style_model, {"kind": "style", "scale": 1, "multiple": 8, "makes_color": True}),
    "noise": (
        lambda: build_tiny_generator(channels=3),
        {"kind": "noise", "latent_dim": 48, "scale": None, "image_size": (4, 4)},
    ),
    "classes": (
        lambda: build_tiny_generator(class_names=("cat", "dog")),
        {"kind": "noise", "latent_dim": 16, "output_channels": 1, "classes": ("cat", "dog")},
    ),
}
STORED = ("kind", "receptive_field", "channels", "bytes_per_px", "makes_color", "latent_dim", "classes", "value_range")


@pytest.mark.parametrize("name", MODELS)
def test_a_keras_model_is_described(name):
    build, expected = MODELS[name]
    info = model_info(build())
    expected = {"kind": "images", "channels": 3, **expected}
    assert {key: getattr(info, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "format"),
    [
        (name, format)
        for name in MODELS
        for format in ("saved_model", "tflite")
        if (name, format) != ("style", "tflite")
    ],
)
def test_an_export_has_the_description_of_its_model(name, format, tmp_path):
    model = MODELS[name][0]()
    expected = model_info(model)
    rng = np.random.default_rng(0)
    held_out = [(rng.integers(0, 256, (STYLE_PX, STYLE_PX, expected.channels), np.uint8), None) for _ in range(2)]
    exported = export_model(
        model, format=format, output_dir=tmp_path, name="m", license="MIT", held_out=held_out if expected.scale else ()
    )
    found = load_predictor(exported.path).info
    assert {key: getattr(found, key) for key in STORED} == {key: getattr(expected, key) for key in STORED}


def test_the_license_and_origin_of_an_imported_model_are_told():
    inputs = keras.Input((None, None, 3), name="images")
    facts = {"Architecture": "srvgg", "License": "BSD-3-Clause"}
    info = model_info(keras.Model(inputs, Provenance(facts)(inputs)))
    assert (info.license, info.facts) == ("BSD-3-Clause", {"Architecture": "srvgg"})


def test_a_model_that_is_no_model_of_images_is_refused():
    inputs = keras.Input((None, None, 3), name="images")
    with pytest.raises(ValueError, match=r"must map one tensor \[batch, height, width, channels\] to one such tensor"):
        model_info(keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs)))


def test_the_default_is_a_model_of_rgb_images():
    info = ModelInfo()
    assert (info.kind, info.scale, info.halo_px, info.multiple, info.channels) == ("images", None, None, 1, 3)
