"""Exported .tflite files: the same images at every size, integers as in 8-bit files, and builtin operations only."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import ops

from tfgan_app.export import export_model
from tfgan_app.export.tflite import convert
from tfgan_app.inference import load_predictor, predictor_of
from tfgan_app.layers import BilinearUpsampling, CropLike, FromUnitRange, OneHot, PadToMultiple, ToUnitRange
from tfgan_app.lite import LiteModel
from tfgan_app.lite.model import run_signature
from tfgan_app.networks.compact import build_compact
from tfgan_app.networks.nafnet import build_nafnet


def inference_model(build, *, seed=0):
    """A generator between images in [0, 1]."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((None, None, 3), name="images")
    return keras.Model(images, ToUnitRange()(build(FromUnitRange()(images))))


def build_fixed_only():
    """A network that computes sizes while it runs, and sees the whole image."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(PadToMultiple(2)(image))
    x = keras.layers.GroupNormalization(groups=-1)(BilinearUpsampling()(x))
    return keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(CropLike()([x, image])))


NETWORKS = {
    "any": (lambda: build_compact(scale=2, width=16, blocks=1), 2),
    "multiple": (lambda: build_nafnet(width=4, encoder_blocks=(1,), middle_blocks=1, decoder_blocks=(1,)), 1),
    "fixed": (build_fixed_only, 1),
}


def photographs(count=3, size=48):
    """Smooth images with an edge."""
    rng = np.random.default_rng(0)
    place = np.linspace(0, 1, size)
    images = []
    for _ in range(count):
        phase, slope = rng.random((2, 3))
        waves = 0.5 + 0.5 * np.sin(6 * (place[:, None, None] * slope + place[None, :, None] + phase))
        images.append(np.rint(255 * np.where(place[:, None, None] > 0.6, 1 - waves, waves)).astype(np.uint8))
    return images


def export(model, folder, **options):
    options = {"quantize": "none", "tile_px": 32, "calibration": photographs(8), **options}
    held_out = [(image, None) for image in photographs()]
    return export_model(model, format="tflite", output_dir=folder, name="tiny", held_out=held_out, **options)


@pytest.fixture(scope="module")
def models():
    return {sizes: inference_model(build()) for sizes, (build, _) in NETWORKS.items()}


@pytest.fixture(scope="module")
def files(models, tmp_path_factory):
    return {sizes: export(model, tmp_path_factory.mktemp(sizes)).path for sizes, model in models.items()}


@pytest.mark.parametrize("sizes", NETWORKS)
def test_the_card_says_to_which_sizes_a_file_can_be_resized(files, sizes):
    lite = LiteModel(files[sizes])
    assert (lite.card.sizes, lite.card.tile_px, lite.card.scale) == (sizes, 32, NETWORKS[sizes][1])


@pytest.mark.parametrize("sizes", ["any", "multiple"])
@pytest.mark.parametrize("size", [(1, 1), (31, 45), (70, 20)])
def test_images_of_every_size_come_out_as_from_the_model(models, files, sizes, size):
    image = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    expected = predictor_of(models[sizes], "model")(image).astype(int)
    assert np.abs(load_predictor(files[sizes])(image) - expected).max() <= 1


def test_a_file_of_one_size_is_exact_there_and_blended_beyond(models, files):
    predictor = load_predictor(files["fixed"])
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    expected = predictor_of(models["fixed"], "model").image(image).astype(int)
    assert np.abs(predictor.image(image) - expected).max() <= 1
    large = np.tile(image, (3, 4, 1))[:90, :101]
    assert predictor.image(large).shape == large.shape
    assert "made for images of 32 x 32 pixels, so this one was blended" in predictor.blends(90, 101)
    assert predictor.blends(32, 32) is None
    assert predictor.image(image[:5, :9]).shape == (5, 9, 3)
    assert "extended by reflection" in predictor.blends(5, 9)


@pytest.mark.large
def test_an_open_size_makes_such_a_model_exact_everywhere(models, tmp_path):
    predictor = load_predictor(export(models["fixed"], tmp_path, tile_px=0).path)
    for size in ((32, 32), (33, 47), (90, 101)):
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        expected = predictor_of(models["fixed"], "model").image(image).astype(int)
        assert np.abs(predictor.image(image) - expected).max() <= 1


@pytest.mark.parametrize(("quantize", "suffix", "least_db"), [("float16", "_float16", 50), ("dynamic", "_dynamic", 38)])
def test_weights_of_fewer_bits(models, files, tmp_path, quantize, suffix, least_db):
    small = export(models["any"], tmp_path, quantize=quantize)
    assert small.path.name == f"tiny{suffix}.tflite" and small.parity.least_psnr >= least_db
    assert small.path.stat().st_size < files["any"].stat().st_size


def test_integers_are_the_levels_of_8_bit_files(models, tmp_path):
    path = export(models["any"], tmp_path, quantize="int8").path
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    for details in (runner.get_input_details()["images"], runner.get_output_details()["outputs"]):
        scale, zero_point = details["quantization"]
        assert details["dtype"] == np.uint8 and zero_point == 0
        np.testing.assert_allclose(scale, 1 / 255, rtol=1e-5)
    image = photographs()[0][:32, :32]
    expected = predictor_of(models["any"], "model").image(image).astype(int)
    received = runner(images=image[np.newaxis])["outputs"][0].astype(int)
    assert np.abs(received - expected).mean() < 2
    np.testing.assert_array_equal(load_predictor(path).image(image), received)


@pytest.mark.large
def test_outputs_are_levels_also_of_a_network_that_never_reaches_black_and_white(tmp_path):
    keras.utils.set_random_seed(0)
    images = keras.Input((None, None, 3), name="images")
    gray = keras.layers.Rescaling(0.3, offset=0.4)(keras.layers.Conv2D(3, 1, activation="tanh")(images))
    model = keras.Model(images, gray)
    path = export(model, tmp_path, quantize="int8").path
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    assert runner.get_output_details()["outputs"]["quantization"] == (np.float32(1 / 255), 0)
    image = photographs()[0][np.newaxis, :32, :32]
    received = runner(images=image)["outputs"].astype(int)
    assert np.abs(received - predictor_of(model, "model")(image)).mean() < 1.5


@pytest.mark.large
@pytest.mark.parametrize(("weight", "bias"), [(0.1, -99.0), (100.0, -299.999)], ids=["dead", "almost"])
def test_a_dead_layer_is_named_before_it_crashes_the_runtime(tmp_path, weight, bias):
    images = keras.Input((None, None, 3), name="images")
    constant = keras.initializers.Constant
    dead = keras.layers.Conv2D(
        8, 1, activation="relu", kernel_initializer=constant(weight), bias_initializer=constant(bias)
    )
    x = keras.layers.Conv2D(3, 3, padding="same")(dead(images))
    with pytest.raises(ValueError, match="outputs almost only zeros for all calibration images: it is dead"):
        export(keras.Model(images, keras.layers.Add()([images, x])), tmp_path, quantize="int8")


@pytest.mark.large
def test_held_out_images_smaller_than_a_fixed_size_are_compared_too(models, tmp_path):
    result = export(models["fixed"], tmp_path, tile_px=64)
    assert result.parity.batches == 3 + 1


@pytest.mark.parametrize(("sizes", "tile_px"), [("multiple", 31), ("any", 5000), ("any", -4)])
def test_a_tile_that_the_network_cannot_be_cut_into_is_refused(models, tmp_path, sizes, tile_px):
    with pytest.raises(ValueError, match=rf"`tile` must be a multiple of \d up to 4096 .* Received: {tile_px}"):
        export(models[sizes], tmp_path, tile_px=tile_px)


@pytest.mark.large
def test_what_is_lost_against_the_ground_truth_is_measured(models, tmp_path):
    predictor = predictor_of(models["any"], "model")
    pairs = [(image, predictor.image(image)) for image in photographs()]
    with pytest.raises(
        ValueError,
        match=r"worse than the model: it loses \d+\.\d+ dB .* limit 0\.3\. Compared layer by layer, .* at the layer `",
    ):
        # Against the model's own images everything that integers change is a loss.
        export_model(
            models["any"],
            format="tflite",
            output_dir=tmp_path,
            name="tiny",
            quantize="int8",
            tile_px=32,
            held_out=pairs,
            calibration=photographs(8),
        )
    assert list(tmp_path.iterdir()) == []


def test_an_operation_that_litert_has_not_is_named(tmp_path):
    class Inverted(keras.layers.Layer):
        def call(self, inputs):
            return inputs + 1e-9 * ops.sum(ops.linalg.inv(ops.eye(2)[None] * (1.0 + ops.sum(inputs))))

    inputs = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="operations that LiteRT lacks: .*MatrixInverse.* another format") as caught:
        export(keras.Model(inputs, Inverted()(inputs)), tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_labels_choose_the_same_row_in_integers():
    labels, latents = keras.Input((), dtype="int32", name="labels"), keras.Input((4,), name="latents")
    rows = keras.layers.Dense(12, use_bias=False, kernel_initializer="he_normal")(OneHot(5)(labels))
    shade = keras.layers.Dense(1, kernel_initializer="ones")(latents)
    x = keras.layers.Activation("sigmoid")((rows + 1.0) * shade)
    model = keras.Model([latents, labels], keras.layers.Reshape((2, 2, 3))(x))
    rng = np.random.default_rng(0)
    rows = [[rng.normal(size=(1, 4)).astype(np.float32), np.array([index % 5], np.int32)] for index in range(60)]
    specs = [tf.TensorSpec([1, 4], tf.float32, name="latents"), tf.TensorSpec([1], tf.int32, name="labels")]
    content = convert(model, specs, quantize="int8", calibration=rows)
    for row in rows[:10]:
        found = run_signature(content, dict(zip(("latents", "labels"), row, strict=True)))["outputs"]
        np.testing.assert_allclose(found, model(row), atol=0.1)


def test_integers_want_images_to_choose_their_ranges_on(models, tmp_path):
    with pytest.raises(ValueError, match="needs images to choose the ranges of integers on. Received none"):
        export(models["any"], tmp_path, quantize="int8", calibration=[])


def test_a_file_is_not_overwritten(models, tmp_path):
    (tmp_path / "tiny_int8.tflite").write_bytes(b"precious")
    with pytest.raises(ValueError, match=r"tiny_int8\.tflite' exists already"):
        export(models["any"], tmp_path, quantize="int8")
    assert (tmp_path / "tiny_int8.tflite").read_bytes() == b"precious"
