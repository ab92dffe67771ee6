"""Tiles give the result of the whole image for all sizes, and memory stays flat."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from lanes import first_quick
from local_networks import LOCAL_NETWORKS, build_local_network

from tfgan_app.inference import Predictor, tiling
from tfgan_app.inference.tiling import EFFICIENT_TILE_PX, Cutter, choose_tile_px
from tfgan_app.layers import ReceptiveField, receptive_field_of
from tfgan_app.model_info import ModelInfo

SIZES = [(1, 1), (1, 90), (13, 13), (47, 61), (96, 64), (150, 8)]
TILE_PX = 16


def random_image(height, width, dtype=np.uint8):
    rng = np.random.default_rng(height * width)
    return rng.integers(0, np.iinfo(dtype).max + 1, (height, width, 3), dtype)


def predictor_of(model, **options):
    signature = [tf.TensorSpec([None, None, None, 3])]
    forward = tf.function(lambda images: model(images, training=False), input_signature=signature)
    return Predictor(forward, "model", info=ModelInfo(receptive_field=receptive_field_of(model), **options))


def whole(model, pixels):
    """float32 `[scale * height, scale * width, 3]` by one call on the whole image."""
    largest = np.iinfo(pixels.dtype).max
    return np.clip(np.asarray(model(pixels[np.newaxis] / np.float32(largest)))[0], 0, 1)


def shift_model(*, scale=1):
    """A model that enlarges its input `scale` times by repetition."""
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, layers.UpSampling2D(scale)(inputs))


@pytest.mark.parametrize("name", first_quick(LOCAL_NETWORKS, count=2))
def test_tiles_are_the_whole_image_at_every_size(name):
    model = build_local_network(name)
    predictor = predictor_of(model)
    assert predictor.local
    # TensorFlow mirrors no more pixels than there are.
    for size in [size for size in SIZES if name != "mirrored" or min(size) > 2]:
        pixels = random_image(*size)
        rows = list(predictor.rows(pixels, tile_px=TILE_PX))
        np.testing.assert_allclose(np.concatenate(rows), whole(model, pixels), atol=1e-5)


def test_sixteen_bits_keep_their_precision():
    model = build_local_network("enlarging")
    pixels = random_image(40, 50, np.uint16)
    result = np.concatenate(list(predictor_of(model).rows(pixels, tile_px=TILE_PX)))
    np.testing.assert_allclose(result, whole(model, pixels), atol=1e-6)
    copied = np.concatenate(list(predictor_of(shift_model()).rows(pixels, tile_px=7)))
    np.testing.assert_array_equal(np.rint(copied * 65535).astype(np.uint16), pixels)


def test_all_tiles_have_one_shape_and_see_no_more_than_they_need():
    model = build_local_network("strided")
    receptive_field = receptive_field_of(model)
    shapes = []

    def forward(images):
        shapes.append(tuple(images.shape[1:3]))
        return model(images)

    list(
        Predictor(forward, "model", info=ModelInfo(receptive_field=receptive_field)).rows(
            random_image(301, 203), tile_px=50
        )
    )
    assert len(set(shapes)) == 1
    seen = 52 + 2 * (receptive_field.halo_px + receptive_field.multiple)
    assert max(shapes[0]) <= seen and shapes[0][0] % 4 == 301 % 4 and shapes[0][1] % 4 == 203 % 4
    assert len(shapes) == 6 * 4


def test_tiles_of_a_very_wide_image_are_low():
    limits = tiling.TileLimits(strip_bytes=2**20)
    heights = []

    def forward(images):
        heights.append(images.shape[1])
        return tf.identity(images)

    pixels = random_image(150, 2000)
    result = np.concatenate(
        list(
            Predictor(forward, "model", info=ModelInfo(receptive_field=ReceptiveField(1, 2)), limits=limits).rows(
                pixels, tile_px=1000
            )
        )
    )
    np.testing.assert_allclose(result, pixels / np.float32(255), atol=1e-6)
    assert max(heights) < 50
    heights.clear()
    whole = ModelInfo(receptive_field=ReceptiveField(1, None))
    list(Predictor(forward, "model", info=whole, limits=limits).rows(pixels, tile_px=2000))
    assert heights == [150]  # One that is not local would give another result.


def test_what_fits_in_a_tile_is_one_call_even_for_a_model_that_is_not_local():
    model = keras.Sequential([keras.Input((None, None, 3)), layers.GroupNormalization(-1)])
    predictor = predictor_of(model)
    assert not predictor.local
    pixels = random_image(60, 50)
    for tile_px in (60, None):
        result = np.concatenate(list(predictor.rows(pixels, tile_px=tile_px)))
        np.testing.assert_allclose(result, whole(model, pixels), atol=1e-6)


@pytest.mark.parametrize("size", [(700, 40), (40, 700), (500, 430)])
def test_tiles_that_differ_are_blended_without_a_seam(size):
    """A model that adds a different level to each tile: the steps between them become gentle slopes."""
    calls = []

    def forward(images):
        calls.append(images)
        return images * 0 + 0.1 * (len(calls) % 7)

    predictor = Predictor(forward, "model", info=ModelInfo(receptive_field=ReceptiveField(1, None, 8)))
    result = np.concatenate(list(predictor.rows(np.zeros((*size, 3), np.uint8), tile_px=96)))
    assert result.shape == (*size, 3) and len(calls) > 3
    assert np.ptp(result) > 0.3
    for axis in (0, 1):
        assert np.abs(np.diff(result, axis=axis)).max() < 0.6 * np.pi / 2 / 60


def test_only_what_is_blended_is_said_to_be():
    far, near = (
        Predictor(lambda images: images, "m", info=ModelInfo(receptive_field=ReceptiveField(1, context)))
        for context in (None, 3)
    )
    said = "the model sees whole images and this image is too large for it, so it was blended from tiles"
    assert far.blends(500, 40, tile_px=96) == far.blends(40, 500, tile_px=96) == said
    assert far.blends(90, 96, tile_px=96) is None
    assert near.blends(500, 500, tile_px=96) is None
    deep = Predictor(
        lambda images: images, "m", info=ModelInfo(receptive_field=ReceptiveField(4, 349), bytes_per_px=8204)
    )
    assert "sees 349 pixels around" in deep.blends(900, 900, tile_px=96)


def test_blending_leaves_equal_tiles_alone():
    """A result without differences between tiles is unchanged, at the right position and scale."""
    pixels = random_image(330, 290)
    predictor = Predictor(
        lambda images: tf.repeat(tf.repeat(images, 2, 1), 2, 2),
        "m",
        info=ModelInfo(receptive_field=ReceptiveField(2, None, 16)),
    )
    result = np.concatenate(list(predictor.rows(pixels, tile_px=100)))
    np.testing.assert_allclose(result, (pixels / np.float32(255)).repeat(2, 0).repeat(2, 1), atol=1e-6)


@pytest.mark.parametrize("halo_px", [3, None])
def test_too_little_memory_makes_the_tiles_smaller_and_goes_on(halo_px):
    pixels = random_image(300, 260)
    sizes, failures = [], [5]

    def forward(images):
        sizes.append(max(images.shape[1:3]))
        if sizes[-1] > 250 or len(sizes) in failures:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nand a long stack")
        return tf.identity(images)

    predictor = Predictor(forward, "model", info=ModelInfo(receptive_field=ReceptiveField(1, halo_px)))
    result = np.concatenate(list(predictor.rows(pixels, tile_px=1000)))
    np.testing.assert_allclose(result, pixels / np.float32(255), atol=1e-6)
    assert sizes[0] == 300 and max(sizes[5:]) < sizes[4]
    sizes.clear()
    failures.clear()
    list(predictor.rows(pixels))
    assert max(sizes) <= 250  # The next image does not try again what failed.


def test_far_too_little_memory_is_one_clear_line():
    def forward(images):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\nand a long stack")

    rows = Predictor(forward, "model", info=ModelInfo(receptive_field=ReceptiveField(1, 20))).rows(
        random_image(200, 200)
    )
    with pytest.raises(ValueError, match=r"not enough memory to run the model on 74 x 74 pixels") as caught:
        list(rows)
    assert "\n" not in str(caught.value)


def test_what_a_model_must_not_do_is_said():
    pixels = random_image(8, 8)
    cropping = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(3, 3)])
    with pytest.raises(ValueError, match=r"must make images \[1, 8, 8, 3\] of .* Received: \[1, 6, 6, 3\]"):
        list(predictor_of(cropping).rows(pixels))
    diverged = Predictor(lambda images: images * np.nan, "model", info=ModelInfo(receptive_field=ReceptiveField(1, 0)))
    with pytest.raises(ValueError, match="NaN or infinite values"):
        list(diverged.rows(pixels))


def test_a_model_that_looks_too_far_for_its_memory_is_blended():
    """The context of tiles would cost many times their kept part: 349 pixels at 8 kB each, as in RRDB networks."""
    far = {"receptive_field": ReceptiveField(4, 349), "bytes_per_px": 8204}
    assert not Predictor(lambda images: images, "model", info=ModelInfo(**far)).local
    assert Predictor(lambda images: images, "model", info=ModelInfo(**(far | {"bytes_per_px": 600}))).local
    sizes = []

    def forward(images):
        sizes.append(images.shape[1])
        return tf.repeat(tf.repeat(images, 4, 1), 4, 2)

    pixels = random_image(400, 300)
    result = np.concatenate(list(Predictor(forward, "model", info=ModelInfo(**far)).rows(pixels, tile_px=64)))
    np.testing.assert_allclose(result, (pixels / np.float32(255)).repeat(4, 0).repeat(4, 1), atol=1e-6)
    assert max(sizes) < 300


def test_arguments_are_checked_before_anything_runs():
    predictor = predictor_of(shift_model())
    for wrong in (np.zeros((4, 4, 3), np.float64), np.zeros((1, 4, 4, 3), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"uint8, uint16 or float32 \[height, width, 3\]"):
            predictor.rows(wrong)
    with pytest.raises(ValueError, match="`tile_px` must be a positive integer. Received: 0"):
        predictor.rows(random_image(4, 4), tile_px=0)


def test_cuts_cover_every_pixel_with_all_of_its_context():
    rng = np.random.default_rng(0)
    for _ in range(500):
        context, multiple, overlap = int(rng.integers(80)), int(rng.choice([1, 2, 3, 16])), int(rng.choice([0, 64]))
        length, tile = int(rng.integers(1, 2000)), int(rng.integers(1, 300))
        spans = Cutter(context, multiple, overlap).cut(length, tile)
        assert spans[0].keep_start == 0 and spans[-1].keep_stop == length
        for span in spans:
            assert span.start == 0 or span.keep_start - span.start >= context
            assert span.stop == length or span.stop - span.keep_stop >= context
            assert span.start % multiple == 0 and (length - span.stop + span.start) % multiple == 0
        for span, following in itertools.pairwise(spans):
            assert following.keep_start == span.keep_stop - overlap > span.keep_start


def test_the_size_of_a_tile_follows_from_model_and_memory():
    plenty = 64 * 2**30

    def choose(receptive_field, *, size=(4000, 4000), bytes_per_px=500, free_bytes=plenty):
        return choose_tile_px(*size, receptive_field=receptive_field, bytes_per_px=bytes_per_px, free_bytes=free_bytes)

    assert choose(ReceptiveField(4, 12)) == EFFICIENT_TILE_PX
    assert choose(ReceptiveField(1, 100)) == 600
    assert choose(ReceptiveField(4, 12), free_bytes=20 * 2**20) < EFFICIENT_TILE_PX
    assert choose(ReceptiveField(4, 12), free_bytes=0) == 32
    assert choose(ReceptiveField(1, None)) == 4000
    tight = choose(ReceptiveField(1, None), free_bytes=2**30)
    assert 500 < tight < 900 and (tight + 130) ** 2 * 500 < 2**29
    assert choose(ReceptiveField(1, None), size=(200, 5000), free_bytes=4 * 2**30) == 5000
    assert choose(ReceptiveField(4, None), bytes_per_px=None, free_bytes=2**30) < 100


MEASURE = r"""
import json, re, sys, time
from pathlib import Path
import numpy as np
from tfgan_app.inference import load_predictor
predictor = load_predictor(sys.argv[1])
side = int(sys.argv[2])
pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
start, done = time.process_time(), 0
for rows in predictor.rows(pixels):
    done += len(rows)
# Not `ru_maxrss`, which starts from what the process that started this one takes.
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 2**20
print(json.dumps({"rows": done, "seconds": time.process_time() - start, "gib": peak}))
"""


@pytest.mark.manual
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory as Linux tells it")
def test_a_hundred_megapixels_take_no_more_memory_than_one(tmp_path):
    inputs = keras.Input((None, None, 3))
    x = inputs
    for _ in range(3):
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    outputs = layers.Conv2DTranspose(3, 8, 4, padding="same", activation="sigmoid")(x)
    path = tmp_path / "small.keras"
    keras.Model(inputs, outputs).save(path)
    root = Path(__file__).parents[2]
    measured = {}
    for side in (125, 1250, 2500):
        command = [sys.executable, "-c", MEASURE, str(path), str(side)]
        finished = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        measured[side] = json.loads(finished.stdout.splitlines()[-1])
    print(measured)
    assert all(measured[side]["rows"] == 4 * side for side in measured)
    assert measured[2500]["gib"] < 1.4
    assert measured[2500]["gib"] < measured[1250]["gib"] + 0.3
    assert measured[2500]["seconds"] < 6 * measured[1250]["seconds"]
