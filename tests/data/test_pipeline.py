"""The pipeline's promises: exact order, equal modes, aligned halves, every kind of image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from pipeline_options import specs

from tfgan_app.data.pairs import ImagePair, find_pairs
from tfgan_app.data.pipeline import build_pair_dataset, load_pairs
from tfgan_app.data.reading import build_pair_reader
from tfgan_app.data.specs import CropSpec, Schedule
from tfgan_app.image_io.loading import read_rgb

MEMORY_MB, DISK_MB = 1024, 0
RESIZES = ["short_side", "squash", "none"]


@pytest.fixture
def pairs(side_by_side):
    return find_pairs(side_by_side, val_fraction=0).train


@pytest.fixture
def odd_pairs(tmp_path, random_image, save):
    """Pairs of two files in every kind that Pillow opens."""
    rgb = random_image(40, 60)
    alpha = np.dstack([rgb, np.linspace(0, 255, rgb[..., 0].size).reshape(40, 60).astype(np.uint8)])
    deep = (rgb[..., 0].astype(np.uint16) << 8) + 7
    turned = Image.Exif()
    turned[0x0112] = 6
    drawing = Image.fromarray(rgb)
    files = {
        "gray.png": drawing.convert("L"),
        "gray.jpg": drawing.convert("L"),
        "gray_alpha.png": drawing.convert("LA"),
        "palette.png": drawing.quantize(16),
        "palette.gif": drawing.quantize(16),
        "bits.png": drawing.convert("1"),
        "alpha.png": Image.fromarray(alpha),
        "deep.png": Image.fromarray(deep),
        "deep.tif": Image.fromarray(deep),
        "cmyk.jpg": drawing.convert("CMYK"),
        "turned.jpg": drawing,
        "plain.jpg": drawing,
        "plain.png": drawing,
        "plain.bmp": drawing,
        "plain.webp": drawing,
        "名前 é.png": drawing,
        "deep/er/nested.jpg": drawing,
    }
    for side in "AB":
        for name, image in files.items():
            path = tmp_path / side / name.replace(".", "_", name.count(".") - 1)
            path = path.with_name(path.name.replace(path.suffix, f"_{path.suffix[1:]}{path.suffix}"))
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path, **({"exif": turned} if name == "turned.jpg" else {}))
    found = find_pairs(tmp_path, val_fraction=0).train
    assert len(found) == len(files)
    return found


def batches(pairs, **options):
    """All batches of a dataset as dicts of numpy arrays."""
    options = {"size_px": 16, "batch_size": 5, "steps": 8, "seed": 3} | options
    return list(build_pair_dataset(pairs, **specs(**options)).as_numpy_iterator())


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        for key in ("input", "target", "position"):
            np.testing.assert_array_equal(a[key], b[key])


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("budget", [MEMORY_MB, DISK_MB])
def test_batches_have_static_shapes_and_count_positions(pairs, resize, budget):
    dataset = build_pair_dataset(
        pairs,
        CropSpec(16, resize=resize),
        Schedule(batch_size=5, steps=4, seed=0, start_step=1),
        cache_budget_mb=budget,
    )
    assert dataset.cardinality() == 3
    assert dataset.element_spec["input"] == tf.TensorSpec([5, 16, 16, 3], tf.uint8)
    assert dataset.element_spec["target"] == tf.TensorSpec([5, 16, 16, 3], tf.uint8)
    positions = np.concatenate([batch["position"] for batch in dataset.as_numpy_iterator()])
    np.testing.assert_array_equal(positions, np.arange(5, 20))


@pytest.mark.parametrize("resize", RESIZES)
def test_memory_and_disk_give_the_same_bits(pairs, resize):
    memory = batches(pairs, resize=resize, cache_budget_mb=MEMORY_MB)
    assert_same(memory, batches(pairs, resize=resize, cache_budget_mb=DISK_MB))


@pytest.mark.parametrize("resize", RESIZES)
def test_memory_and_disk_agree_on_every_kind_of_image(odd_pairs, resize):
    options = {"resize": resize, "batch_size": 17, "steps": 2, "size_px": 50}
    assert_same(batches(odd_pairs, **options), batches(odd_pairs, cache_budget_mb=DISK_MB, **options))


@pytest.mark.parametrize("budget", [MEMORY_MB, DISK_MB])
def test_starting_at_a_step_equals_skipping_to_it(pairs, budget):
    everything = batches(pairs, cache_budget_mb=budget)
    for start in (1, 3, 8):
        assert_same(everything[start:], batches(pairs, start_step=start, cache_budget_mb=budget))


def test_batch_size_and_parallelism_do_not_change_what_a_position_shows(pairs, monkeypatch):
    reference = batches(pairs, batch_size=4, steps=6)
    monkeypatch.setattr("tfgan_app.data.reading.os.cpu_count", lambda: 7)
    regrouped = batches(pairs, batch_size=6, steps=4, cache_budget_mb=DISK_MB)
    for key in ("input", "target"):
        np.testing.assert_array_equal(
            np.concatenate([batch[key] for batch in reference]), np.concatenate([batch[key] for batch in regrouped])
        )


def test_every_epoch_shows_every_pair_once_in_another_order(pairs):
    inputs, _ = load_pairs(pairs, CropSpec(16, resize="squash"))
    shown = np.concatenate([b["input"] for b in batches(pairs, batch_size=12, steps=2, resize="squash")])
    matches = (shown[:, None] == inputs[None]).all(axis=(2, 3, 4))
    order = matches.argmax(axis=1).reshape(2, len(pairs))
    assert all(sorted(epoch) == list(range(len(pairs))) for epoch in order)
    assert (order[0] != order[1]).any()


def test_seed_changes_order_and_crops(pairs):
    assert (batches(pairs)[0]["input"] != batches(pairs, seed=4)[0]["input"]).any()


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("budget", [MEMORY_MB, DISK_MB])
@pytest.mark.parametrize("shape", [(20, 48), (48, 20), (24, 24)])
def test_input_and_target_show_the_same_crop(tmp_path, random_image, save, resize, budget, shape):
    for i in range(3):
        half = random_image(*shape, seed=i)
        save(tmp_path / f"{i}.png", np.concatenate([half, half], axis=1))
    pairs = [ImagePair(path.stem, path, path, "left", "right") for path in sorted(tmp_path.glob("*.png"))]
    crops = np.concatenate([b["input"] for b in batches(pairs, resize=resize, cache_budget_mb=budget)])
    targets = np.concatenate([b["target"] for b in batches(pairs, resize=resize, cache_budget_mb=budget)])
    np.testing.assert_array_equal(crops, targets)
    if resize == "none":
        sources = np.stack([read_rgb(pair.input_path)[:, : shape[1]] for pair in pairs])
        windows = np.lib.stride_tricks.sliding_window_view(sources, (16, 16), axis=(1, 2))
        windows = np.moveaxis(windows, 3, -1).reshape(-1, 16, 16, 3)
        known = {window.tobytes() for window in windows}
        assert all(crop.tobytes() in known for crop in crops)
        assert len({crop.tobytes() for crop in crops}) > 3


def test_crops_along_the_long_side_reach_both_ends(tmp_path, save):
    ramp = np.broadcast_to(np.arange(48, dtype=np.uint8)[None, :, None] * 5, (16, 48, 3))
    path = save(tmp_path / "x.png", np.concatenate([ramp, ramp], axis=1))
    pairs = [ImagePair("x", path, path, "left", "right")]
    lefts = np.concatenate([b["input"][:, 0, 0, 0] // 5 for b in batches(pairs, steps=200)])
    assert set(lefts) == set(range(33))


def test_halves_and_directions(tmp_path, save):
    black, white = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    save(tmp_path / "x.png", np.concatenate([black, white], axis=1))
    for direction, expected in (("a2b", (0, 255)), ("b2a", (255, 0))):
        pairs = find_pairs(tmp_path, direction=direction).train
        inputs, targets = load_pairs(pairs, CropSpec(8))
        assert (inputs.mean(), targets.mean()) == expected


def test_native_size_is_exactly_what_read_rgb_reads(odd_pairs):
    reader = build_pair_reader(odd_pairs, CropSpec(8, resize="none", background=(10, 20, 30)))
    for pair, record in zip(odd_pairs, reader.dataset().as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(record["input"], read_rgb(pair.input_path, background=(10, 20, 30)), pair.name)


def test_input_of_another_size_is_brought_to_the_size_of_the_target(tmp_path, random_image, save):
    big, small = random_image(64, 96), random_image(32, 48)
    pair = ImagePair("x", save(tmp_path / "a.png", big), save(tmp_path / "b.png", small))
    (record,) = build_pair_reader([pair], CropSpec(8, resize="none")).dataset().as_numpy_iterator()
    assert record["input"].shape == record["target"].shape == (32, 48, 3)
    assert np.abs(record["input"].astype(int) - record["target"]).mean() < 3


@pytest.mark.parametrize(("shape", "fits"), [((128, 256), 32), ((128, 260), 32), ((130, 256), 32)])
def test_reduced_jpeg_decoding_stays_aligned_with_a_png(tmp_path, random_image, save, shape, fits):
    rgb = random_image(*shape)
    jpeg = save(tmp_path / "a.jpg", rgb, quality=98, subsampling=0)
    pair = ImagePair("x", jpeg, save(tmp_path / "b.png", rgb))
    inputs, targets = load_pairs([pair], CropSpec(fits, resize="squash"))
    assert np.abs(inputs.astype(int) - targets).max() <= 6


def test_evaluation_takes_the_center(tmp_path, save):
    ramp = np.broadcast_to(np.arange(48, dtype=np.uint8)[None, :, None], (16, 48, 3))
    path = save(tmp_path / "x.png", np.concatenate([ramp, ramp], axis=1))
    inputs, _ = load_pairs([ImagePair("x", path, path, "left", "right")], CropSpec(16))
    np.testing.assert_array_equal(inputs[0, 0, :, 0], np.arange(16, 32))


def test_plain_files_have_no_python_in_the_graph(pairs, odd_pairs):
    def operations(chosen):
        reader = build_pair_reader(chosen, CropSpec(16))
        graph = tf.function(reader.read).get_concrete_function(tf.TensorSpec([], tf.int64)).graph
        functions = graph.as_graph_def().library.function
        return {node.op for node in graph.as_graph_def().node} | {n.op for f in functions for n in f.node_def}

    plain = [pair for pair in odd_pairs if pair.name.startswith(("plain_png", "plain_jpg", "gray_jpg", "gray_png"))]
    assert len(plain) == 4
    assert not any("PyFunc" in name for name in operations(pairs) | operations(plain))
    assert any("PyFunc" in name for name in operations(odd_pairs))


def test_memory_is_not_copied_into_tensorflow(pairs):
    from tfgan_app.data.memory import _aligned, _share_with_tensorflow

    array = _aligned(1000, tf.uint8)
    tensor = _share_with_tensorflow(array)
    array[:] = 42
    assert (tensor.numpy() == 42).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": "stretch"}, "short_side, squash, none. Received: 'stretch'"),
        ({"batch_size": 0}, "batch_size.*Received: 0"),
        ({"size_px": 0}, "`size_px`.*Received: 0"),
        ({"start_step": 9}, "start_step.*steps=8. Received: 9"),
    ],
)
def test_options_are_checked(pairs, options, message):
    with pytest.raises(ValueError, match=message):
        batches(pairs, **options)


def test_no_pairs_and_mixed_layouts_are_refused(pairs):
    with pytest.raises(ValueError, match="at least one readable image pair"):
        batches([])
    with pytest.raises(ValueError, match="both kinds"):
        batches([pairs[0], replace(pairs[1], input_half=None, target_half=None)])
