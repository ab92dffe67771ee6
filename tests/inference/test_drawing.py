"""Images drawn from seeds and classes, in files named after them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from tiny_generator import build_tiny_generator, expected_image

from tfgan_app.inference import Sampler, draw_images, load_predictor
from tfgan_app.model_info import ModelInfo

NOISE = ModelInfo(kind="noise", latent_dim=4)

NAMES = ("bag", "T-shirt/top")


@pytest.fixture(scope="module")
def samplers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = {
        "gray": build_tiny_generator(),
        "color": build_tiny_generator(channels=3),
        "classes": build_tiny_generator(class_names=NAMES),
    }
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    return {name: load_predictor(folder / f"{name}.keras") for name in models}


def written_names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("kind", "mode", "channels"), [("gray", "L", 1), ("color", "RGB", 3)])
def test_files_are_named_by_seed(samplers, tmp_path, kind, mode, channels):
    seen = []
    options = {"count": 19, "seed": 9_999_990, "on_progress": lambda *counts: seen.append(counts)}
    summary = draw_images(samplers[kind], tmp_path / "out", **options)
    seeds = range(9_999_990, 10_000_009)
    assert [path.name for path in summary.written] == [f"seed-{seed}.png" for seed in seeds]
    assert len(written_names(tmp_path / "out")) == 19 and not summary.failed
    assert seen == [(done, 19) for done in range(1, 20)]
    for seed, path in zip(seeds, summary.written, strict=True):
        with Image.open(path) as image:
            assert image.mode == mode
            image = np.asarray(image, np.int64).reshape(4, 4, channels)
        np.testing.assert_allclose(image, expected_image(seed, channels=channels), atol=1)


def test_one_image_can_be_drawn_again(samplers, tmp_path):
    draw_images(samplers["gray"], tmp_path / "all", count=10, seed=40)
    again = draw_images(samplers["gray"], tmp_path / "sub" / "one.png", seed=42)
    assert again.written == [tmp_path / "sub" / "one.png"]
    assert (tmp_path / "sub" / "one.png").read_bytes() == (tmp_path / "all" / "seed-0000042.png").read_bytes()


def test_every_class_has_a_folder(samplers, tmp_path):
    draw_images(samplers["classes"], tmp_path / "all", count=2)
    files = {"seed-0000000.png", "seed-0000001.png"}
    assert written_names(tmp_path / "all") == {f"{name}/{file}" for name in ("bag", "T-shirt_top") for file in files}
    with Image.open(tmp_path / "all" / "T-shirt_top" / "seed-0000001.png") as image:
        np.testing.assert_allclose(np.asarray(image, int), expected_image(1, label=1)[..., 0], atol=1)
    summary = draw_images(samplers["classes"], tmp_path / "some", count=2, classes=["t-shirt/TOP", "1"])
    assert written_names(tmp_path / "some") == {f"T-shirt_top/{file}" for file in files}
    for path in summary.written:
        assert path.read_bytes() == (tmp_path / "all" / "T-shirt_top" / path.name).read_bytes()
    assert draw_images(samplers["classes"], tmp_path / "bag.png", classes=["bag"]).written == [tmp_path / "bag.png"]


def test_the_count_has_a_default(samplers, tmp_path):
    assert len(draw_images(samplers["gray"], tmp_path / "out").written) == 16
    assert len(draw_images(samplers["gray"], tmp_path / "one.PNG").written) == 1
    (tmp_path / "folder.png").mkdir()
    assert len(draw_images(samplers["gray"], tmp_path / "folder.png").written) == 16


def cells(path, *, rows, columns):
    """The images of a grid of 4 px images with 2 px between."""
    with Image.open(path) as image:
        grid = np.asarray(image)
    assert grid.shape[:2] == (2 + 6 * rows, 2 + 6 * columns)
    return [[grid[2 + 6 * row :, 2 + 6 * column :][:4, :4] for column in range(columns)] for row in range(rows)]


@pytest.mark.parametrize(("kind", "mode", "channels"), [("gray", "L", 1), ("color", "RGB", 3)])
def test_several_images_in_a_file_are_a_grid(samplers, tmp_path, kind, mode, channels):
    seen = []
    options = {"count": 10, "seed": 5, "on_progress": lambda *counts: seen.append(counts)}
    summary = draw_images(samplers[kind], tmp_path / "sub" / "grid.png", **options)
    assert summary.written == [tmp_path / "sub" / "grid.png"] and seen[-1] == (10, 10)
    with Image.open(summary.written[0]) as image:
        assert image.mode == mode
    drawn = cells(summary.written[0], rows=3, columns=4)
    for index in range(10):
        expected = expected_image(5 + index, channels=channels)
        received = drawn[index // 4][index % 4].reshape(expected.shape)
        np.testing.assert_allclose(received.astype(int), expected, atol=1)
    assert (drawn[2][2] == 255).all() and (drawn[2][3] == 255).all()


def test_each_class_of_a_grid_has_its_rows(samplers, tmp_path):
    draw_images(samplers["classes"], tmp_path / "both.png", count=3)
    for label, row in enumerate(cells(tmp_path / "both.png", rows=2, columns=3)):
        for seed, received in enumerate(row):
            np.testing.assert_allclose(received.astype(int), expected_image(seed, label=label)[..., 0], atol=1)
    draw_images(samplers["classes"], tmp_path / "long.png", count=20)
    drawn = cells(tmp_path / "long.png", rows=4, columns=16)
    np.testing.assert_allclose(drawn[2][0].astype(int), expected_image(0, label=1)[..., 0], atol=1)
    draw_images(samplers["classes"], tmp_path / "bags.png", count=4, classes=["bag"])
    assert len(cells(tmp_path / "bags.png", rows=2, columns=2)) == 2
    draw_images(samplers["classes"], tmp_path / "one_of_each.png")
    assert len(cells(tmp_path / "one_of_each.png", rows=2, columns=1)) == 2


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp", ".TIFF"])
@pytest.mark.parametrize("count", [1, 4])
def test_a_grid_takes_any_format_that_is_written(samplers, tmp_path, suffix, count):
    path = tmp_path / f"grid{suffix}"
    assert draw_images(samplers["gray"], path, count=count).written == [path]
    with Image.open(path) as image:
        assert image.size == ((4, 4) if count == 1 else (14, 14))


def test_a_grid_of_too_many_pixels_is_refused_after_a_few(tmp_path):
    drawn = []

    def large(latents):
        drawn.append(1)
        return np.zeros((1, 1024, 1024, 1), np.float32)

    with pytest.raises(ValueError, match=r"at most 67,108,864 pixels. Received: 65 images of 1024 x 1024"):
        draw_images(Sampler(large, "model", info=NOISE), tmp_path / "grid.png", count=65)
    assert len(drawn) <= 8 and not list(tmp_path.iterdir())


def test_a_grid_that_cannot_be_written_is_named(samplers, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    failures = []
    options = {"count": 4, "on_failure": lambda *failure: failures.append(failure)}
    target = tmp_path / "file" / "grid.png"
    assert draw_images(samplers["gray"], target, **options).failed == [target]
    assert failures[0][1].startswith(f"Cannot write the image '{target}': ")


def test_a_file_that_cannot_be_written_is_named(samplers, tmp_path):
    taken = tmp_path / "seed-0000003.png"
    taken.mkdir()
    failures = []
    summary = draw_images(samplers["gray"], tmp_path, count=12, on_failure=lambda *failure: failures.append(failure))
    assert summary.failed == [taken] and len(summary.written) == 11
    assert failures == [(taken, f"Cannot write the image '{taken}': Is a directory")]
    assert len(written_names(tmp_path)) == 11  # Nothing unfinished is left.


def test_nothing_is_written_where_an_argument_is_wrong(samplers, tmp_path):
    (tmp_path / "file").write_bytes(b"precious")
    for kind, output, options, message in (
        ("gray", "out", {"classes": ["bag"]}, "The model has no classes. Received: bag"),
        ("classes", "out", {"classes": ["bag", "bug"]}, "no class 'bug'. .*: bag, T-shirt/top"),
        ("gray", "out", {"truncation": 0.0}, "`truncation` must be a positive number"),
        ("gray", "out", {"seed": 2**63 - 2, "count": 3}, "Seeds must be at most 9223372036854775807"),
        ("gray", "x.gif", {}, r"must be one of \..*\.png.*Received: '.*x\.gif'"),
        ("gray", "x.png", {"count": 4097}, "A grid may have at most 4096 images. Received: 4097. Give a folder"),
        ("classes", "x.png", {"count": 2049}, "Received: 2049 of each of 2 classes"),
        ("gray", "file", {}, "must be a folder or an image file, such as a .png. Received the file"),
    ):
        with pytest.raises(ValueError, match=message):
            draw_images(samplers[kind], tmp_path / output, **options)
    assert written_names(tmp_path) == {"file"} and (tmp_path / "file").read_bytes() == b"precious"


def test_a_model_that_fails_stops_the_work(tmp_path):
    def failing(latents):
        raise ValueError("The model failed")

    with pytest.raises(ValueError, match="The model failed"):
        draw_images(Sampler(failing, "model", info=NOISE), tmp_path / "out")
