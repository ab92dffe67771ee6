"""The promises of the pair pipeline for labeled images, and its own: labels, gray, arrays."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from pipeline_options import specs

from tfgan_app.data.class_folders import find_labeled
from tfgan_app.data.labeled import LabeledImages
from tfgan_app.data.pipeline import build_labeled_dataset, load_labeled
from tfgan_app.data.reading import build_labeled_reader
from tfgan_app.data.specs import CropSpec, Schedule

MEMORY_MB, DISK_MB = 1024, 0
RESIZES = ["short_side", "squash", "none"]


@pytest.fixture
def images(tmp_path, random_image, save):
    """12 images of three classes, shapes and formats."""
    for i in range(12):
        shape = [(24, 24), (30, 40), (45, 34)][i % 3]
        save(tmp_path / f"class{i // 4}" / f"p{i:02d}.{('png', 'jpg', 'bmp')[i % 3]}", random_image(*shape, seed=i))
    return find_labeled(tmp_path, val_fraction=0).train


@pytest.fixture
def array():
    """20 images of noise in an array, the label of each is its first pixel."""
    images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(20)
    return LabeledImages([f"{i:02d}" for i in range(20)], np.arange(20, dtype=np.int32), images=images)


def batches(images, **options):
    options = {"size_px": 16, "channels": 3, "batch_size": 5, "steps": 8, "seed": 3} | options
    return list(build_labeled_dataset(images, **specs(**options)).as_numpy_iterator())


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.keys() == b.keys() == {"image", "label", "position"}
        for key, value in a.items():
            np.testing.assert_array_equal(value, b[key])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("budget", [MEMORY_MB, DISK_MB])
def test_batches_have_static_shapes(images, channels, budget):
    dataset = build_labeled_dataset(
        images,
        CropSpec(16, channels=channels),
        Schedule(batch_size=5, steps=4, seed=0, start_step=1),
        cache_budget_mb=budget,
    )
    assert dataset.cardinality() == 3
    assert dataset.element_spec == {
        "image": tf.TensorSpec([5, 16, 16, channels], tf.uint8),
        "label": tf.TensorSpec([5], tf.int32),
        "position": tf.TensorSpec([5], tf.int64),
    }


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_memory_and_disk_give_the_same_bits(images, resize, channels):
    memory = batches(images, resize=resize, channels=channels)
    assert_same(memory, batches(images, resize=resize, channels=channels, cache_budget_mb=DISK_MB))


@pytest.mark.parametrize("budget", [MEMORY_MB, DISK_MB])
def test_starting_at_a_step_equals_skipping_to_it(images, budget):
    everything = batches(images, cache_budget_mb=budget)
    for start in (1, 8):
        assert_same(everything[start:], batches(images, start_step=start, cache_budget_mb=budget))


@pytest.mark.parametrize("budget", [MEMORY_MB, DISK_MB])
def test_labels_travel_with_their_images_through_every_epoch(array, budget):
    shown = batches(array, batch_size=10, steps=4, cache_budget_mb=budget)
    for batch in shown:
        np.testing.assert_array_equal(batch["image"][:, 0, 0, 0], batch["label"])
    epochs = np.concatenate([batch["label"] for batch in shown]).reshape(2, 20)
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert (epochs[0] != epochs[1]).any()


def test_labels_of_files_are_those_of_their_folders(tmp_path, save):
    for label in range(3):
        for i in range(4):
            save(tmp_path / str(label) / f"{i}.png", np.full((8, 8), 50 * label, np.uint8))
    images = find_labeled(tmp_path, val_fraction=0).train
    for batch in batches(images, size_px=8, channels=1, cache_budget_mb=DISK_MB):
        np.testing.assert_array_equal(batch["image"].max(axis=(1, 2, 3)), 50 * batch["label"])


def test_images_without_classes_have_the_label_minus_1(tmp_path, random_image, save):
    save(tmp_path / "x.png", random_image(16, 16))
    images = find_labeled(tmp_path).train
    assert batches(images)[0]["label"].tolist() == [-1] * 5


def test_arrays_come_out_bit_for_bit(array):
    np.testing.assert_array_equal(load_labeled(array, CropSpec(16, channels=3)), array.images)
    for budget in (MEMORY_MB, DISK_MB):
        for batch in batches(array, cache_budget_mb=budget):
            np.testing.assert_array_equal(batch["image"], array.images[batch["label"]])


def test_an_array_gives_the_same_batches_as_its_files(array, tmp_path, save):
    paths = [save(tmp_path / f"{name}.png", image) for name, image in zip(array.names, array.images, strict=True)]
    files = LabeledImages(array.names, array.labels, paths=paths)
    for options in ({"size_px": 16}, {"size_px": 11}, {"size_px": 11, "resize": "none", "channels": 1}):
        assert_same(batches(array, **options), batches(files, **options))


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(".png", "RGB"), (".png", "L"), (".png", "P"), (".jpg", "RGB"), (".jpg", "L"), (".bmp", "RGB"), (".bmp", "L")],
)
def test_one_channel_is_the_luma_of_pillow(tmp_path, suffix, mode):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    image = Image.fromarray(noise).convert(mode)
    image.save(tmp_path / f"x{suffix}")
    with Image.open(tmp_path / f"x{suffix}") as stored:
        expected = np.asarray(stored.convert("RGB").convert("L"))
    images = find_labeled(tmp_path).train
    np.testing.assert_array_equal(load_labeled(images, CropSpec(64, channels=1))[0, :, :, 0], expected)


def test_luma_and_gray_of_arrays(array):
    gray = LabeledImages(array.names, array.labels, images=array.images[..., 1:2])
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in array.images])
    np.testing.assert_array_equal(load_labeled(array, CropSpec(16, channels=1))[..., 0], expected)
    np.testing.assert_array_equal(load_labeled(gray, CropSpec(16, channels=1)), gray.images)
    np.testing.assert_array_equal(load_labeled(gray, CropSpec(16, channels=3)), np.repeat(gray.images, 3, axis=3))


def test_gray_needs_one_byte_per_pixel(images):
    # 12 images whose short side is 256: not quite 1 MB in gray, not quite 3 MB in color.
    reads = []
    for channels in (1, 3):
        progress = []
        build_labeled_dataset(
            images,
            CropSpec(256, channels=channels),
            Schedule(batch_size=1, steps=1, seed=0),
            cache_budget_mb=2,
            on_progress=lambda *counts, progress=progress: progress.append(counts),
        )
        reads.append(progress[-1:])
    assert reads == [[(12, 12)], []]


def test_transparent_images_show_the_background(tmp_path, save):
    save(tmp_path / "x.png", np.zeros((8, 8, 4), np.uint8))
    images = find_labeled(tmp_path).train
    loaded = load_labeled(images, CropSpec(8, channels=3, background=(1, 2, 3)))
    assert (loaded == [1, 2, 3]).all()


def test_evaluation_takes_the_center_of_every_image_in_order(tmp_path, save):
    for name, offset in (("b", 100), ("a", 0)):
        ramp = np.broadcast_to(np.arange(48, dtype=np.uint8)[None, :, None] + offset, (16, 48, 3))
        save(tmp_path / f"{name}.png", ramp.astype(np.uint8))
    loaded = load_labeled(find_labeled(tmp_path, val_fraction=0).train, CropSpec(16, channels=3))
    np.testing.assert_array_equal(loaded[0, 0, :, 0], np.arange(16, 32))
    np.testing.assert_array_equal(loaded[1, 0, :, 0], np.arange(116, 132))


def test_many_small_records_are_read_in_order():
    batch_images = np.random.default_rng(0).integers(0, 256, (600, 4, 4, 1), np.uint8)
    images = LabeledImages([str(i) for i in range(600)], np.zeros(600, np.int32), images=batch_images)
    reader = build_labeled_reader(images, CropSpec(4, channels=1))
    np.testing.assert_array_equal(np.stack([record["image"] for record in reader.records()]), batch_images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": "stretch"}, "short_side, squash, none. Received: 'stretch'"),
        ({"channels": 4}, "channels.*1 or 3. Received: 4"),
        ({"batch_size": 0}, "batch_size.*Received: 0"),
        ({"size_px": 0}, "size_px.*Received: 0"),
        ({"start_step": 9}, "start_step.*steps=8. Received: 9"),
    ],
)
def test_options_are_checked(array, options, message):
    with pytest.raises(ValueError, match=message):
        batches(array, **options)


def test_no_images_are_refused(array):
    with pytest.raises(ValueError, match="at least one readable image"):
        batches(array.select([]))
