"""An exported SavedModel, used with TensorFlow alone."""

from __future__ import annotations

import io
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_app.export import export_model
from tfgan_app.image_io import loading


def build_negative():
    """An inference model whose outputs are known: 1 - input, at any size."""
    inputs = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(3, 1)
    model = keras.Model(inputs, convolution(inputs))
    convolution.set_weights([-np.eye(3, dtype=np.float32)[None, None], np.ones(3, np.float32)])
    return model


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return export_model(build_negative(), format="saved_model", output_dir=folder, name="negative").path


@pytest.fixture(scope="module")
def signatures(version):
    loaded = tf.saved_model.load(str(version))
    yield loaded.signatures
    del loaded


RECEPTIVE_FIELD = ("scale", "halo_px", "multiple", "bytes_per_px", "makes_color")


def random_image(height, width):
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def file_bytes(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **options)
    return buffer.getvalue()


def predict_files(signatures, *contents):
    outputs = signatures["serving_default"](image_bytes=tf.constant(contents))["output_bytes"].numpy()
    return [np.asarray(Image.open(io.BytesIO(content))) for content in outputs]


PLAIN_TENSORFLOW = """
import sys
sys.modules["tfgan_app"] = None  # Importing it fails.
import numpy as np, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
image = np.full((1, 5, 3, 3), 55, np.uint8)
outputs = loaded.signatures["tensor"](images=tf.constant(image))["outputs"]
assert outputs.dtype == tf.uint8 and (outputs.numpy() == 200).all()
outputs = loaded.signatures["float"](images=tf.constant(image / np.float32(255)))["outputs"]
assert outputs.dtype == tf.float32 and abs(outputs.numpy() - 200 / 255).max() < 1e-6
data = tf.stack([tf.io.encode_png(image[0]), tf.io.encode_png(image[0, :1])])
outputs = loaded.signatures["serving_default"](image_bytes=data)["output_bytes"]
assert [tf.io.decode_png(output).shape.as_list() for output in outputs] == [[5, 3, 3], [1, 3, 3]]
assert not any(name == "tfgan_app" or name.startswith("tfgan_app.") for name, it in sys.modules.items() if it)
print("done")
"""


@pytest.mark.large
def test_plain_tensorflow_runs_it_where_tfgan_app_cannot_be_imported(version, tmp_path):
    command = [sys.executable, "-I", "-c", PLAIN_TENSORFLOW, str(version)]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "done\n"


def test_signatures_are_named_as_documented(signatures):
    described = {
        name: (
            {key: (spec.dtype, spec.shape.as_list()) for key, spec in signature.structured_input_signature[1].items()},
            {key: (spec.dtype, spec.shape.rank) for key, spec in signature.structured_outputs.items()},
        )
        for name, signature in signatures.items()
    }
    images = [None, None, None, 3]
    assert described == {
        "float": ({"images": (tf.float32, images)}, {"outputs": (tf.float32, 4)}),
        "tensor": ({"images": (tf.uint8, images)}, {"outputs": (tf.uint8, 4)}),
        "receptive_field": ({"images": (tf.uint8, images)}, dict.fromkeys(RECEPTIVE_FIELD, (tf.int32, 1))),
        "serving_default": ({"image_bytes": (tf.string, [None])}, {"output_bytes": (tf.string, 1)}),
        "bytes": ({"image_bytes": (tf.string, [None])}, {"output_bytes": (tf.string, 1)}),
    }


def test_a_batch_of_files_may_mix_sizes_and_formats(signatures):
    images = [random_image(*size) for size in ((8, 5), (1, 1), (33, 17))]
    contents = [
        loading.encode_png(images[0]),
        file_bytes(Image.fromarray(images[1]), "BMP"),
        file_bytes(Image.fromarray(images[2]), "JPEG", quality=95),
    ]
    images[2] = np.asarray(Image.open(io.BytesIO(contents[2])))
    for output, image in zip(predict_files(signatures, *contents), images, strict=True):
        np.testing.assert_array_equal(output, 255 - image)


def test_an_empty_batch_is_empty(signatures):
    outputs = signatures["serving_default"](image_bytes=tf.constant([], tf.string))["output_bytes"]
    assert outputs.shape == [0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_png_of_every_mode_is_read_as_prediction_reads_it(signatures, tmp_path, mode):
    rgba = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8))
    image = rgba.convert("L" if mode == "I;16" else mode)
    image = image.convert("I;16").point(lambda value: value * 257) if mode == "I;16" else image
    path = tmp_path / "image.png"
    image.save(path)
    (output,) = predict_files(signatures, path.read_bytes())
    np.testing.assert_allclose(output, 255 - loading.read_rgb(path).astype(int), atol=1)


def test_cmyk_jpeg_is_read(signatures):
    content = file_bytes(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")
    (output,) = predict_files(signatures, content)
    np.testing.assert_allclose(output[4, 4], [0, 255, 255], atol=4)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no image", "must be a PNG, JPEG, still WebP, GIF or 24-bit BMP file"),
        (b"", "must be a PNG, JPEG, still WebP, GIF or 24-bit BMP file"),
        (b"\xff\xd8\xff\xe0 broken", "(?i)jpeg"),
        (loading.encode_png(random_image(32, 32))[:200], "(?i)png"),
    ],
)
def test_malformed_bytes_are_an_error_that_names_the_problem(signatures, content, problem):
    with pytest.raises(tf.errors.InvalidArgumentError, match=problem):
        signatures["serving_default"](image_bytes=tf.constant([content]))


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (31, 2)])
def test_odd_sizes(signatures, size):
    images = np.stack([random_image(*size)] * 2)
    np.testing.assert_array_equal(signatures["tensor"](images=tf.constant(images))["outputs"], 255 - images)


def build_enlarging():
    """1 - input, three times as large, with a halo of one pixel."""
    inputs = keras.Input((None, None, 3))
    negative = build_negative()(keras.layers.DepthwiseConv2D(3, padding="same", depthwise_initializer=center)(inputs))
    return keras.Model(inputs, keras.layers.UpSampling2D(3)(negative))


def center(shape, dtype=None):
    """A 3 x 3 identity kernel."""
    return np.pad(np.ones((1, 1, *shape[2:]), np.float32), ((1, 1), (1, 1), (0, 0), (0, 0)))


@pytest.fixture(scope="module")
def enlarging(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    loaded = tf.saved_model.load(
        str(export_model(build_enlarging(), format="saved_model", output_dir=folder, name="enlarging").path)
    )
    yield loaded.signatures
    del loaded


def test_a_model_may_enlarge(enlarging):
    image = random_image(5, 4)
    expected = 255 - image.repeat(3, 0).repeat(3, 1)
    np.testing.assert_array_equal(enlarging["tensor"](images=tf.constant(image[None]))["outputs"][0], expected)
    (output,) = predict_files(enlarging, loading.encode_png(image))
    np.testing.assert_array_equal(output, expected)


def test_receptive_field_is_told_for_each_image(enlarging):
    told = enlarging["receptive_field"](images=tf.zeros([2, 1, 1, 3], tf.uint8))
    # Alive at once at the end: 3 channels of float32, and as many nine times over.
    expected = {"scale": 3, "halo_px": 1, "multiple": 1, "bytes_per_px": 3 * 4 * 10, "makes_color": 0}
    assert {name: values.numpy().tolist() for name, values in told.items()} == {
        name: [value] * 2 for name, value in expected.items()
    }


def test_a_model_that_looks_at_the_whole_image_says_so(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.GroupNormalization(-1)])
    path = export_model(model, format="saved_model", output_dir=tmp_path, name="global").path
    told = tf.saved_model.load(str(path)).signatures["receptive_field"](images=tf.zeros([1, 1, 1, 3], tf.uint8))
    assert told["halo_px"].numpy().tolist() == [-1]


def test_weights_are_stored_once(tmp_path):
    layers = [keras.Input((None, None, 3)), keras.layers.Conv2D(256, 3, padding="same"), keras.layers.Conv2D(3, 1)]
    model = keras.Sequential(layers)
    path = export_model(model, format="saved_model", output_dir=tmp_path, name="wide").path
    stored = sum(file.stat().st_size for file in (path / "variables").iterdir())
    assert stored < 1.5 * 4 * model.count_params()
