"""A folder tree in, the same relative names out, whatever is in it."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from PIL import Image

from tfgan_app import images
from tfgan_app.inference import predict_path


def negative(pictures):
    """A predictor whose results are easy to tell from their inputs."""
    return 255 - pictures


def write(path, *, shape=(3, 4), value=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*shape, 3), value, np.uint8)).save(path)
    return path


def written_names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_tree_keeps_its_relative_names(tmp_path):
    names = ["a.png", "sub/b.JPG", "sub/deep/日本 é.png", "c.bmp"]
    for value, name in enumerate(names):
        write(tmp_path / "in" / name, shape=(value + 1, 5), value=10 * value)
    seen = []
    summary = predict_path(negative, tmp_path / "in", tmp_path / "out", on_progress=lambda *counts: seen.append(counts))
    assert written_names(tmp_path / "out") == set(names)
    assert len(summary.written) == 4 and not summary.failed
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for value, name in enumerate(names):
        result = images.read_rgb(tmp_path / "out" / name)
        np.testing.assert_allclose(result, np.full((value + 1, 5, 3), 255 - 10 * value), atol=2)


def test_more_pictures_than_are_read_ahead(tmp_path):
    for index in range(23):
        write(tmp_path / "in" / f"{index:02}.png", value=index)
    summary = predict_path(negative, tmp_path / "in", tmp_path / "out")
    assert [path.name for path in summary.written] == [f"{index:02}.png" for index in range(23)]
    for index in range(23):
        assert images.read_rgb(tmp_path / "out" / f"{index:02}.png")[0, 0, 0] == 255 - index


def test_bad_files_are_named_and_skipped(tmp_path):
    write(tmp_path / "in" / "good.png")
    (tmp_path / "in" / "corrupt.png").write_bytes(b"no picture")
    write(tmp_path / "in" / "huge.png", shape=(20, 20))
    failures = {}
    summary = predict_path(
        negative,
        tmp_path / "in",
        tmp_path / "out",
        max_pixels=100,
        on_failure=lambda source, reason: failures.update({source.name: reason}),
    )
    assert written_names(tmp_path / "out") == {"good.png"}
    assert [path.name for path in summary.failed] == ["corrupt.png", "huge.png"]
    assert "corrupt.png" in failures["corrupt.png"]
    assert "huge.png" in failures["huge.png"] and "accepted are 1 to 100 pixels" in failures["huge.png"]


def test_a_failing_model_and_a_failing_disk_are_named_too(tmp_path, monkeypatch):
    write(tmp_path / "in" / "a.png", value=0)
    write(tmp_path / "in" / "b.png", value=1)
    write_picture = images.write_picture

    def full_disk_for_b(path, rgb):
        if path.name == "b.png":
            raise OSError(28, "No space left on device")
        write_picture(path, rgb)

    monkeypatch.setattr(images, "write_picture", full_disk_for_b)
    reasons = []
    options = {"on_failure": lambda _, reason: reasons.append(reason)}
    summary = predict_path(negative, tmp_path / "in", tmp_path / "out", **options)
    assert [path.name for path in summary.failed] == ["b.png"]
    assert "b.png" in reasons[0] and "No space" in reasons[0]

    def failing(pictures):
        raise ValueError("The model failed")

    summary = predict_path(failing, tmp_path / "in", tmp_path / "out", **options)
    assert len(summary.failed) == 2 and "a.png" in reasons[1]


def test_a_mistake_in_the_predictor_is_not_swallowed(tmp_path):
    write(tmp_path / "a.png")

    def mistaken(pictures):
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        predict_path(mistaken, tmp_path / "a.png", tmp_path / "b.png")


def test_names_that_cannot_be_kept_do_not_collide(tmp_path):
    for name in ("a.gif", "a.png", "b.gif", "a.pgm"):
        write(tmp_path / "in" / name) if name != "a.pgm" else Image.new("L", (2, 2)).save(tmp_path / "in" / name)
    predict_path(negative, tmp_path / "in", tmp_path / "out")
    assert written_names(tmp_path / "out") == {"a.png", "a.gif.png", "b.png", "a.pgm.png"}


def test_a_picture_goes_to_a_file_or_into_a_folder(tmp_path):
    source = write(tmp_path / "in.png")
    assert predict_path(negative, source, tmp_path / "new.jpg").written == [tmp_path / "new.jpg"]
    assert predict_path(negative, source, tmp_path / "folder").written == [tmp_path / "folder" / "in.png"]
    assert predict_path(negative, source, tmp_path / "v1.2").written == [tmp_path / "v1.2" / "in.png"]
    with pytest.raises(ValueError, match=r"suffix must be one of .*x\.gif"):
        predict_path(negative, source, tmp_path / "x.gif")


def test_inputs_are_never_overwritten(tmp_path):
    source = write(tmp_path / "in" / "a.png")
    before = source.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for input_path, output in (
        (source, source),
        (source, tmp_path / "in"),
        (tmp_path / "in", tmp_path / "in"),
        (tmp_path / "in", tmp_path / "link"),
        (tmp_path / "link", tmp_path / "in"),
    ):
        with pytest.raises(ValueError, match="would overwrite the input"):
            predict_path(negative, input_path, output)
    assert source.read_bytes() == before


def test_an_output_inside_the_input_is_not_predicted_again(tmp_path):
    write(tmp_path / "in" / "a.png")
    for _ in range(2):
        summary = predict_path(negative, tmp_path / "in", tmp_path / "in" / "out")
        assert [path.name for path in summary.written] == ["a.png"]
    assert written_names(tmp_path / "in") == {"a.png", "out/a.png"}


def test_no_pictures_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="There is none at .*missing"):
        predict_path(negative, tmp_path / "missing", tmp_path / "out")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").touch()
    with pytest.raises(ValueError, match="must hold pictures"):
        predict_path(negative, tmp_path / "in", tmp_path / "out")
    write(tmp_path / "in" / "a.png")
    with pytest.raises(ValueError, match="must be a folder. Received the file"):
        predict_path(negative, tmp_path / "in", write(tmp_path / "file.png"))


def test_reading_overlaps_the_model(tmp_path, monkeypatch):
    paths = [write(tmp_path / "in" / f"{index}.png") for index in range(6)]
    reading = {path: threading.Event() for path in paths}
    following = iter(paths[1:])
    read_rgb = images.read_rgb

    def noted_read(path, **options):
        reading[path].set()
        return read_rgb(path, **options)

    def model(pictures):
        next_path = next(following, None)
        assert next_path is None or reading[next_path].wait(timeout=30)
        return pictures

    monkeypatch.setattr(images, "read_rgb", noted_read)
    assert len(predict_path(model, tmp_path / "in", tmp_path / "out").written) == 6


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "CMYK", "I;16"])
def test_every_kind_of_picture_is_predicted(tmp_path, mode):
    path = tmp_path / "in.tif"
    flat = Image.new("RGB", (5, 4), "white").convert("L" if mode == "I;16" else mode)
    flat = flat.convert("I;16").point(lambda value: value * 257) if mode == "I;16" else flat
    flat.save(path)
    predict_path(negative, path, tmp_path / "out.png")
    assert images.read_rgb(tmp_path / "out.png").max() <= 1


def test_a_turned_photo_comes_out_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 3)).save(tmp_path / "photo.jpg", exif=exif)
    predict_path(negative, tmp_path / "photo.jpg", tmp_path / "out.jpg")
    header = images.picture_header(tmp_path / "out.jpg")
    assert (header.width, header.height, header.orientation) == (3, 6, 1)
    assert os.path.exists(tmp_path / "photo.jpg")
