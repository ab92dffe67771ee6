"""An exported generative model, used with TensorFlow alone."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from PIL import Image
from tiny_generator import build_tiny_generator, expected_image

from tfgan_app.export import EXPORTERS, export_model, formats
from tfgan_app.latents import seeded_latents

NAMES = ("bag", "T-shirt/top", "日本 é")


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    models = {"plain": build_tiny_generator(channels=3), "classes": build_tiny_generator(class_names=NAMES)}
    return {
        name: export_model(model, format="saved_model", output_dir=folder, name=name).path
        for name, model in models.items()
    }


@pytest.fixture(scope="module")
def loaded(versions):
    return {name: tf.saved_model.load(str(path)) for name, path in versions.items()}


def decode(output):
    with Image.open(io.BytesIO(output)) as image:
        return image.mode, np.asarray(image, np.int64)


PLAIN_TENSORFLOW = """
import sys
sys.modules["tfgan_app"] = None  # Importing it fails.
import numpy as np, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
told = loaded.signatures["class_names"](labels=tf.constant([2, 0]))
assert [name.decode() for name in told["names"].numpy()] == ["日本 é", "bag"], told
assert told["count"].numpy().tolist() == [3, 3]
seeds, labels = tf.constant([7, 8], tf.int64), tf.constant([2, 0])
images = loaded.signatures["tensor"](seeds=seeds, labels=labels)["outputs"]
files = loaded.signatures["serving_default"](seeds=seeds, classes=told["names"])["output_bytes"]
for file, image in zip(files, images):
    assert (tf.io.decode_png(file) == image).numpy().all()
gray = loaded.signatures["float"](latents=tf.zeros([2, 16]), labels=labels)["outputs"].numpy()
assert abs(gray[0] - 0.75).max() < 1e-6 and abs(gray[1] - 0.5).max() < 1e-6
assert not any(name == "tfgan_app" or name.startswith("tfgan_app.") for name, it in sys.modules.items() if it)
np.save(sys.argv[2], images.numpy())
"""


@pytest.mark.large
def test_plain_tensorflow_runs_it_where_tfgan_app_cannot_be_imported(versions, tmp_path):
    command = [sys.executable, "-I", "-X", "utf8", "-c", PLAIN_TENSORFLOW, str(versions["classes"])]
    finished = subprocess.run(
        [*command, str(tmp_path / "images.npy")], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert finished.returncode == 0, finished.stderr
    expected = np.stack([expected_image(7, label=2), expected_image(8, label=0)])
    np.testing.assert_allclose(np.load(tmp_path / "images.npy").astype(int), expected, atol=1)


@pytest.mark.parametrize(("kind", "channels", "dim"), [("plain", 3, 48), ("classes", 1, 16)])
def test_signatures_are_named_as_documented(loaded, kind, channels, dim):
    described = {
        name: (
            {key: (spec.dtype, spec.shape.as_list()) for key, spec in signature.structured_input_signature[1].items()},
            {key: (spec.dtype, spec.shape.as_list()) for key, spec in signature.structured_outputs.items()},
        )
        for name, signature in loaded[kind].signatures.items()
    }
    conditional = kind == "classes"
    labels = {"labels": (tf.int32, [None])} if conditional else {}
    classes = {"classes": (tf.string, [None])} if conditional else {}
    seeds, latents = {"seeds": (tf.int64, [None])}, {"latents": (tf.float32, [None, dim])}
    images = [None, 4, 4, channels]
    names = {"names": (tf.string, [None]), "count": (tf.int32, [None])}
    assert described == {
        "serving_default": (seeds | classes, {"output_bytes": (tf.string, [None])}),
        "bytes": (seeds | classes, {"output_bytes": (tf.string, [None])}),
        "tensor": (seeds | labels, {"outputs": (tf.uint8, images)}),
        "float": (latents | labels, {"outputs": (tf.float32, images)}),
        **({"class_names": (labels, names)} if conditional else {}),
    }


@pytest.mark.parametrize("seeds", [[42], [5, 5, 2**40]])
def test_seeds_become_color_files(loaded, seeds):
    outputs = loaded["plain"].signatures["serving_default"](seeds=tf.constant(seeds, tf.int64))["output_bytes"]
    for seed, output in zip(seeds, outputs.numpy(), strict=True):
        mode, image = decode(output)
        assert mode == "RGB"
        np.testing.assert_allclose(image, expected_image(seed, channels=3), atol=1)


def test_seeds_and_classes_become_gray_files(loaded):
    outputs = loaded["classes"].signatures["serving_default"](
        seeds=tf.constant([1, 1, 2], tf.int64), classes=tf.constant(["日本 é", "bag", "T-shirt/top"])
    )["output_bytes"]
    for seed, label, output in zip((1, 1, 2), (2, 0, 1), outputs.numpy(), strict=True):
        mode, image = decode(output)
        assert mode == "L"
        np.testing.assert_allclose(image, expected_image(seed, label=label)[..., 0], atol=1)


def test_an_empty_batch_is_empty(loaded):
    seeds = tf.constant([], tf.int64)
    assert loaded["plain"].signatures["serving_default"](seeds=seeds)["output_bytes"].shape == [0]
    assert loaded["plain"].signatures["tensor"](seeds=seeds)["outputs"].shape == [0, 4, 4, 3]


def test_unknown_classes_and_labels_are_an_error_that_names_the_known(loaded):
    signatures = loaded["classes"].signatures
    seeds = tf.constant([0, 1], tf.int64)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be among: bag, T-shirt/top.*Received:.*bug"):
        signatures["serving_default"](seeds=seeds, classes=tf.constant(["bag", "bug"]))
    for wrong in (3, -1):
        labels = tf.constant([0, wrong])
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"must be 0 to 2. Received:.*{wrong}"):
            signatures["tensor"](seeds=seeds, labels=labels)
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be 0 to 2"):
            signatures["float"](latents=tf.zeros([2, 16]), labels=labels)
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be 0 to 2"):
            signatures["class_names"](labels=labels)


def test_every_class_is_compared(tmp_path, monkeypatch):
    model = build_tiny_generator(class_names=tuple(f"class {label}" for label in range(40)))

    def wrong_for_one_class(path):
        return lambda inputs: np.asarray(model(inputs)) + 0.01 * (inputs[1].numpy() == 39)[:, None, None, None]

    row = dataclasses.replace(EXPORTERS["saved_model"], load=wrong_for_one_class)
    monkeypatch.setattr(formats, "SAVED_MODEL", row)
    with pytest.raises(ValueError, match=r"difference 0\.01, .* on latents of shape \[16, 16\]"):
        export_model(model, format="saved_model", output_dir=tmp_path, name="tiny")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", first_quick([(), NAMES], unpack=False))
@pytest.mark.parametrize("format", [format for format in EXPORTERS if format != "web"])
def test_every_format_writes_and_matches(tmp_path, format, names):
    result = export_model(build_tiny_generator(class_names=names), format=format, output_dir=tmp_path, name="tiny")
    assert result.path.exists() and 0 <= result.parity.mean_error <= result.parity.max_error <= 1e-6


def test_a_page_is_for_models_of_images(tmp_path):
    with pytest.raises(ValueError, match="supports models of three-channel images"):
        export_model(build_tiny_generator(), format="web", output_dir=tmp_path, name="tiny")
    assert list(tmp_path.iterdir()) == []


def test_a_different_export_is_refused(tmp_path, monkeypatch):
    model, other = build_tiny_generator(), build_tiny_generator()
    inputs = keras.Input((16,), name="latents")
    darker = keras.Model(inputs, other(inputs) * 0.99)
    write = EXPORTERS["keras"].write
    row = dataclasses.replace(EXPORTERS["keras"], write=lambda _, path, request: write(darker, path, request))
    monkeypatch.setattr(formats, "KERAS", row)
    with pytest.raises(ValueError, match=r"largest absolute difference 0\.01"):
        export_model(model, format="keras", output_dir=tmp_path, name="tiny")
    assert list(tmp_path.iterdir()) == []


def test_exported_latents_are_those_of_the_package(tmp_path):
    # Of an image that shows its latents almost unclipped.
    latents = keras.Input((16,), name="latents")
    wide = keras.layers.Reshape((4, 4, 1))(latents / 16.0 + 0.5)
    model = keras.Model(latents, wide)
    path = export_model(model, format="saved_model", output_dir=tmp_path, name="wide").path
    seeds = tf.range(100, 120, dtype=tf.int64)
    outputs = tf.saved_model.load(str(path)).signatures["tensor"](seeds=seeds)["outputs"].numpy()
    expected = (seeded_latents(seeds, 16).numpy() / 16.0 + 0.5) * 255.0
    np.testing.assert_allclose(outputs.reshape(20, 16), expected, atol=0.501)
