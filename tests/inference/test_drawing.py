"""Pictures of seeds and classes in files that tell them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from tiny_generator import build_tiny_generator, expected_picture

from tfgan_app.inference import Sampler, draw_pictures, load_predictor

NAMES = ("bag", "T-shirt/top")


@pytest.fixture(scope="module")
def samplers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = {
        "gray": build_tiny_generator(),
        "colour": build_tiny_generator(channels=3),
        "classes": build_tiny_generator(class_names=NAMES),
    }
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    return {name: load_predictor(folder / f"{name}.keras") for name in models}


def written_names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("kind", "mode", "channels"), [("gray", "L", 1), ("colour", "RGB", 3)])
def test_files_are_named_by_seed(samplers, tmp_path, kind, mode, channels):
    seen = []
    options = {"count": 19, "seed": 9_999_990, "on_progress": lambda *counts: seen.append(counts)}
    summary = draw_pictures(samplers[kind], tmp_path / "out", **options)
    seeds = range(9_999_990, 10_000_009)
    assert [path.name for path in summary.written] == [f"seed-{seed}.png" for seed in seeds]
    assert len(written_names(tmp_path / "out")) == 19 and not summary.failed
    assert seen == [(done, 19) for done in range(1, 20)]
    for seed, path in zip(seeds, summary.written, strict=True):
        with Image.open(path) as image:
            assert image.mode == mode
            picture = np.asarray(image, np.int64).reshape(4, 4, channels)
        np.testing.assert_allclose(picture, expected_picture(seed, channels=channels), atol=1)


def test_one_picture_can_be_drawn_again(samplers, tmp_path):
    draw_pictures(samplers["gray"], tmp_path / "all", count=10, seed=40)
    again = draw_pictures(samplers["gray"], tmp_path / "sub" / "one.png", seed=42)
    assert again.written == [tmp_path / "sub" / "one.png"]
    assert (tmp_path / "sub" / "one.png").read_bytes() == (tmp_path / "all" / "seed-0000042.png").read_bytes()


def test_every_class_has_a_folder(samplers, tmp_path):
    draw_pictures(samplers["classes"], tmp_path / "all", count=2)
    files = {"seed-0000000.png", "seed-0000001.png"}
    assert written_names(tmp_path / "all") == {f"{name}/{file}" for name in ("bag", "T-shirt_top") for file in files}
    with Image.open(tmp_path / "all" / "T-shirt_top" / "seed-0000001.png") as image:
        np.testing.assert_allclose(np.asarray(image, int), expected_picture(1, label=1)[..., 0], atol=1)
    summary = draw_pictures(samplers["classes"], tmp_path / "some", count=2, classes=["t-shirt/TOP", "1"])
    assert written_names(tmp_path / "some") == {f"T-shirt_top/{file}" for file in files}
    for path in summary.written:
        assert path.read_bytes() == (tmp_path / "all" / "T-shirt_top" / path.name).read_bytes()
    assert draw_pictures(samplers["classes"], tmp_path / "bag.png", classes=["bag"]).written == [tmp_path / "bag.png"]


def test_the_count_has_a_default(samplers, tmp_path):
    assert len(draw_pictures(samplers["gray"], tmp_path / "out").written) == 16
    assert len(draw_pictures(samplers["gray"], tmp_path / "one.PNG").written) == 1
    (tmp_path / "folder.png").mkdir()
    assert len(draw_pictures(samplers["gray"], tmp_path / "folder.png").written) == 16


def test_a_file_that_cannot_be_written_is_named(samplers, tmp_path):
    taken = tmp_path / "seed-0000003.png"
    taken.mkdir()
    failures = []
    summary = draw_pictures(samplers["gray"], tmp_path, count=12, on_failure=lambda *failure: failures.append(failure))
    assert summary.failed == [taken] and len(summary.written) == 11
    assert failures == [(taken, f"Cannot write the picture '{taken}': Is a directory")]
    assert len(written_names(tmp_path)) == 11  # Nothing unfinished is left.


def test_nothing_is_written_where_an_argument_is_wrong(samplers, tmp_path):
    (tmp_path / "file").write_bytes(b"precious")
    for kind, output, options, message in (
        ("gray", "out", {"classes": ["bag"]}, "The model has no classes. Received: bag"),
        ("classes", "out", {"classes": ["bag", "bug"]}, "no class 'bug'. .*: bag, T-shirt/top"),
        ("gray", "out", {"truncation": 0.0}, "`truncation` must be a positive number"),
        ("gray", "out", {"seed": 2**63 - 2, "count": 3}, "Seeds must be at most 9223372036854775807"),
        ("gray", "x.jpg", {}, r"must be a \.png file. Received: '.*x\.jpg'"),
        ("gray", "x.png", {"count": 2}, r"several pictures \(2\) must be a folder"),
        ("classes", "x.png", {}, r"several pictures \(1 of each of 2 classes\) must be a folder"),
        ("gray", "file", {}, "must be a folder or a .png file. Received the file"),
    ):
        with pytest.raises(ValueError, match=message):
            draw_pictures(samplers[kind], tmp_path / output, **options)
    assert written_names(tmp_path) == {"file"} and (tmp_path / "file").read_bytes() == b"precious"


def test_a_model_that_fails_stops_the_work(tmp_path):
    def failing(latents):
        raise ValueError("The model failed")

    with pytest.raises(ValueError, match="The model failed"):
        draw_pictures(Sampler(failing, "model", latent_dim=4), tmp_path / "out")
