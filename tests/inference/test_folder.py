"""Prediction of folder trees: the same relative names, for any content."""

from __future__ import annotations

import os
import threading
import time
from functools import partial

import numpy as np
import pytest
import tifffile
from fake_predictors import FakePredictor, enlarged
from PIL import Image

from tfgan_app.image_io import loading
from tfgan_app.image_io.reading import read_image
from tfgan_app.inference import batch as batch_module
from tfgan_app.inference import predict_path
from tfgan_app.inference.bounded_queue import BoundedQueue

negative = FakePredictor(lambda values: 1 - values)
"""A predictor whose results are easy to tell from their inputs."""


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
        result = loading.read_rgb(tmp_path / "out" / name)
        np.testing.assert_allclose(result, np.full((value + 1, 5, 3), 255 - 10 * value), atol=2)


def test_more_images_than_are_read_ahead(tmp_path):
    for index in range(23):
        write(tmp_path / "in" / f"{index:02}.png", value=index)
    summary = predict_path(negative, tmp_path / "in", tmp_path / "out")
    assert [path.name for path in summary.written] == [f"{index:02}.png" for index in range(23)]
    for index in range(23):
        assert loading.read_rgb(tmp_path / "out" / f"{index:02}.png")[0, 0, 0] == 255 - index


def test_bad_files_are_named_and_skipped(tmp_path):
    write(tmp_path / "in" / "good.png")
    (tmp_path / "in" / "corrupt.png").write_bytes(b"no image")
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


def failing_predictor(error, *, after_strips=0):
    class Failing(FakePredictor):
        def rows(self, pixels, *, tile_px=None):
            for count, strip in enumerate(super().rows(pixels, tile_px=1)):
                if count >= after_strips:
                    raise error
                yield strip

    return Failing()


def test_a_failing_model_and_a_failing_disk_are_named_too(tmp_path, monkeypatch):
    for value, name in enumerate("abc"):
        write(tmp_path / "in" / f"{name}.png", value=value, shape=(50, 4))
    open_writer = batch_module.open_image_writer

    def full_disk_for_b(path, **options):
        if path.name == "b.png":
            raise OSError(28, "No space left on device")
        return open_writer(path, **options)

    monkeypatch.setattr(batch_module, "open_image_writer", full_disk_for_b)
    reasons = []
    options = {"on_failure": lambda _, reason: reasons.append(reason)}
    summary = predict_path(negative, tmp_path / "in", tmp_path / "out", tile_px=1, **options)
    assert [path.name for path in summary.failed] == ["b.png"]
    assert "b.png" in reasons[0] and "No space" in reasons[0]
    assert written_names(tmp_path / "out") == {"a.png", "c.png"}
    for strips in (0, 20):
        failing = failing_predictor(ValueError("The model failed"), after_strips=strips)
        summary = predict_path(failing, tmp_path / "in", tmp_path / "new", **options)
        assert len(summary.failed) == 3 and "a.png" in reasons[1]
        assert written_names(tmp_path / "new") == set()  # Nothing unfinished is left.


@pytest.mark.parametrize("strips", [0, 20])
def test_a_mistake_in_the_predictor_is_not_swallowed(tmp_path, strips):
    write(tmp_path / "a.png", shape=(50, 4))
    with pytest.raises(TypeError, match="a bug"):
        predict_path(failing_predictor(TypeError("a bug"), after_strips=strips), tmp_path / "a.png", tmp_path / "b.png")
    assert written_names(tmp_path) == {"a.png"}


def test_names_that_cannot_be_kept_do_not_collide(tmp_path):
    for name in ("a.gif", "a.png", "b.gif", "a.pgm"):
        write(tmp_path / "in" / name) if name != "a.pgm" else Image.new("L", (2, 2)).save(tmp_path / "in" / name)
    predict_path(negative, tmp_path / "in", tmp_path / "out")
    assert written_names(tmp_path / "out") == {"a.png", "a.gif.png", "b.png", "a.pgm.png"}


def test_an_image_goes_to_a_file_or_into_a_folder(tmp_path):
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


def test_no_images_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="There is none at .*missing"):
        predict_path(negative, tmp_path / "missing", tmp_path / "out")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").touch()
    with pytest.raises(ValueError, match="must hold images"):
        predict_path(negative, tmp_path / "in", tmp_path / "out")
    write(tmp_path / "in" / "a.png")
    with pytest.raises(ValueError, match="must be a folder. Received the file"):
        predict_path(negative, tmp_path / "in", write(tmp_path / "file.png"))


def test_reading_and_writing_overlap_the_model(tmp_path, monkeypatch):
    paths = [write(tmp_path / "in" / f"{index}.png", shape=(20, 4)) for index in range(6)]
    reading = {path: threading.Event() for path in paths}
    writing = threading.Event()
    following = iter(paths[1:])
    open_writer = batch_module.open_image_writer

    def noted_read(path, **options):
        reading[path].set()
        return read_image(path, **options)

    def noted_open(path, **options):
        writing.set()
        return open_writer(path, **options)

    class Waiting(FakePredictor):
        def rows(self, pixels, *, tile_px=None):
            next_path = next(following, None)
            assert next_path is None or reading[next_path].wait(timeout=240)
            for count, strip in enumerate(super().rows(pixels)):
                assert count == 0 or writing.wait(timeout=240)  # The first strips are written while others are made.
                yield strip

    monkeypatch.setattr(batch_module, "read_image", noted_read)
    monkeypatch.setattr(batch_module, "open_image_writer", noted_open)
    assert len(predict_path(Waiting(), tmp_path / "in", tmp_path / "out").written) == 6


def test_no_more_is_held_than_a_few_strips_and_images(tmp_path, monkeypatch):
    for index in range(12):
        write(tmp_path / "in" / f"{index:02}.png", shape=(40, 50))
    monkeypatch.setattr(batch_module, "_LOOKAHEAD_PIXELS", 2 * 40 * 50)
    monkeypatch.setattr(batch_module, "BoundedQueue", partial(BoundedQueue, capacity_bytes=2 * 50 * 3))
    counts = {"read": 0, "taken": 0, "ahead": 0, "made": 0, "stored": 0, "waiting": 0}
    open_writer = batch_module.open_image_writer

    def counted_read(path, **options):
        counts["read"] += 1
        counts["ahead"] = max(counts["ahead"], counts["read"] - counts["taken"])
        return read_image(path, **options)

    class Counted(FakePredictor):
        def rows(self, pixels, *, tile_px=None):
            counts["taken"] += 1
            for strip in super().rows(pixels, tile_px=1):
                counts["made"] += 1
                counts["waiting"] = max(counts["waiting"], counts["made"] - counts["stored"])
                yield strip

    class SlowWriter:
        def __init__(self, opened):
            self._opened = opened

        def __enter__(self):
            self._writer = self._opened.__enter__()
            self.notes = self._writer.notes
            return self

        def __exit__(self, *error):
            return self._opened.__exit__(*error)

        def write(self, rows):
            time.sleep(0.0005)
            counts["stored"] += 1
            self._writer.write(rows)

    monkeypatch.setattr(batch_module, "read_image", counted_read)
    monkeypatch.setattr(batch_module, "open_image_writer", lambda *args, **kw: SlowWriter(open_writer(*args, **kw)))
    assert len(predict_path(Counted(), tmp_path / "in", tmp_path / "out").written) == 12
    assert counts["ahead"] <= 3
    assert counts["waiting"] <= 4 * 3  # Two strips wait and one is at work for each image under way.


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "CMYK", "I;16"])
def test_every_kind_of_image_is_predicted(tmp_path, mode):
    path = tmp_path / "in.tif"
    flat = Image.new("RGB", (5, 4), "white").convert("L" if mode == "I;16" else mode)
    flat = flat.convert("I;16").point(lambda value: value * 257) if mode == "I;16" else flat
    flat.save(path)
    predict_path(negative, path, tmp_path / "out.png")
    assert loading.read_rgb(tmp_path / "out.png").max() <= 1


def test_depth_gray_and_transparency_survive(tmp_path):
    rng = np.random.default_rng(0)
    deep = rng.integers(0, 65536, (9, 7, 3), np.uint16)
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "deep.tif", deep, photometric="rgb", metadata=None)
    gray = rng.integers(0, 256, (9, 7), np.uint8)
    Image.fromarray(gray).save(tmp_path / "in" / "gray.png")
    clear = rng.integers(0, 256, (9, 7, 4), np.uint8)
    Image.fromarray(clear).save(tmp_path / "in" / "clear.png")
    predict_path(negative, tmp_path / "in", tmp_path / "out")
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "deep.tif").pixels, 65535 - deep)
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "gray.png").pixels[..., 0], 255 - gray)
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "clear.png").alpha, clear[..., 3])


def test_larger_images_than_the_inputs(tmp_path):
    write(tmp_path / "in.png", shape=(3, 4), value=77)
    predict_path(FakePredictor(lambda values: enlarged(values, 4), scale=4), tmp_path / "in.png", tmp_path / "out.png")
    np.testing.assert_array_equal(loading.read_rgb(tmp_path / "out.png"), np.full((12, 16, 3), 77, np.uint8))


def test_results_that_would_be_too_large_are_refused_before_they_are_computed(tmp_path):
    write(tmp_path / "in" / "a.png", shape=(10, 10))
    write(tmp_path / "in" / "b.jpg", shape=(1, 20000))
    predictor = FakePredictor(lambda values: values.repeat(4, 0).repeat(4, 1), scale=4)
    reasons = []
    options = {"on_failure": lambda _, reason: reasons.append(reason)}
    predict_path(predictor, tmp_path / "in", tmp_path / "out", max_output_pixels=1599, **options)
    assert "a.png" in reasons[0] and "40 x 40 pixels; accepted are at most 1599 pixels" in reasons[0]
    predict_path(predictor, tmp_path / "in", tmp_path / "out", **options)
    assert "b.jpg" in reasons[2] and "write a PNG or TIFF file" in reasons[2]
    assert len(predictor.seen) == 1


def test_the_format_can_be_chosen(tmp_path):
    for name in ("a.png", "a.jpg", "b.JPEG", "sub/c.bmp"):
        write(tmp_path / "in" / name)
    predict_path(negative, tmp_path / "in", tmp_path / "jpg", output_format="jpg", quality=80)
    assert written_names(tmp_path / "jpg") == {"a.jpg", "a.png.jpg", "b.JPEG", "sub/c.jpg"}
    predict_path(negative, tmp_path / "in", tmp_path / "webp", output_format=".WEBP")
    assert written_names(tmp_path / "webp") == {"a.webp", "a.png.webp", "b.webp", "sub/c.webp"}
    assert loading.image_header(tmp_path / "webp" / "b.webp").format == "WEBP"
    source = tmp_path / "in" / "a.png"
    assert predict_path(negative, source, tmp_path / "x", output_format="tiff").written == [tmp_path / "x" / "a.tiff"]
    for options, output, message in (
        ({"output_format": "gif"}, "y", "must be one of bmp, jfif, .*. Received: gif"),
        ({"output_format": "tiff"}, "y.png", r"must fit the output format tiff. Received: '.*y\.png'"),
        ({"quality": 101}, "y", "`quality` must be from 1 to 100. Received: 101"),
    ):
        with pytest.raises(ValueError, match=message):
            predict_path(negative, source, tmp_path / output, **options)


def test_an_interrupted_prediction_goes_on(tmp_path):
    for index in range(4):
        write(tmp_path / "in" / f"{index}.png", value=index)
    write(tmp_path / "out" / "1.png", value=99)
    seen = []
    options = {"skip_existing": True, "on_progress": lambda *counts: seen.append(counts)}
    summary = predict_path(negative, tmp_path / "in", tmp_path / "out", **options)
    assert [path.name for path in summary.skipped] == ["1.png"]
    assert [path.name for path in summary.written] == ["0.png", "2.png", "3.png"]
    assert loading.read_rgb(tmp_path / "out" / "1.png")[0, 0, 0] == 99
    assert seen == [(2, 4), (3, 4), (4, 4)]
    assert len(predict_path(negative, tmp_path / "in", tmp_path / "out", **options).skipped) == 4


def test_pixels_tell_how_far_the_work_is(tmp_path):
    write(tmp_path / "in" / "a.png", shape=(20, 30))
    write(tmp_path / "in" / "b.png", shape=(10, 10))
    seen = []
    predictor = FakePredictor(lambda values: values.repeat(2, 0).repeat(2, 1), scale=2)
    predict_path(predictor, tmp_path / "in", tmp_path / "out", on_pixels=lambda *pixels: seen.append(pixels))
    assert seen[0] == (75, 1200)  # 5 of 40 rows, and of the second image nothing is known.
    assert seen[-1] == (700, 700)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_could_not_be_kept_is_told(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("RGBA", (4, 4), (9, 9, 9, 128)).save(tmp_path / "in" / "a.png")
    Image.new("CMYK", (4, 4)).save(tmp_path / "in" / "b.tif")
    notes = {}
    options = {"on_note": lambda source, text: notes.setdefault(source.name, []).append(text)}
    predict_path(negative, tmp_path / "in", tmp_path / "out", output_format="jpg", **options)
    assert notes["a.png"] == ["transparency was composited on white, since JPEG does not support it"]
    assert "CMYK was converted to sRGB" in notes["b.tif"][0]


def test_a_turned_photo_comes_out_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 3)).save(tmp_path / "photo.jpg", exif=exif)
    predict_path(negative, tmp_path / "photo.jpg", tmp_path / "out.jpg")
    header = loading.image_header(tmp_path / "out.jpg")
    assert (header.width, header.height, header.orientation) == (3, 6, 1)
    assert os.path.exists(tmp_path / "photo.jpg")


def test_a_tiff_of_several_pages_is_predicted_page_by_page(tmp_path):
    rng = np.random.default_rng(0)
    pages = [rng.integers(0, 65536, (5, 4), np.uint16), rng.integers(0, 256, (3, 7, 3), np.uint8)]
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=">") as file:
        file.write(pages[0], metadata=None, description="the first", software="s")
        file.write(pages[0][:2, :2], metadata=None, subfiletype=1)  # A copy of smaller size is no page.
        file.write(pages[1], photometric="rgb", metadata=None, description="the second", extratags=[(274, "H", 1, 3)])
    notes = []
    options = {"on_note": lambda _, text: notes.append(text)}
    assert len(predict_path(negative, tmp_path / "a.tif", tmp_path / "b.tif", **options).written) == 1
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert [page.description for page in file.pages] == ["the first", "the second"]
        np.testing.assert_array_equal(file.pages[0].asarray(), 65535 - pages[0])
        np.testing.assert_array_equal(file.pages[1].asarray(), 255 - pages[1][::-1, ::-1])
    assert notes == []
    predict_path(negative, tmp_path / "a.tif", tmp_path / "b.png", **options)
    copies = "its smaller copies, separate pages, were left out"
    assert notes == ["only the first of 2 pages was read", copies]


def test_a_stack_of_imagej(tmp_path):
    stack = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True)
    notes = []
    predict_path(negative, tmp_path / "a.tif", tmp_path / "b.tif", on_note=lambda _, text: notes.append(text))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), 255 - stack)
    assert notes == ["its ImageDescription describes the layout of the file (ImageJ) and was left out"]


def test_a_bad_page_leaves_nothing(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for side in (4, 40):
            file.write(np.zeros((side, side), np.uint8), metadata=None)
    reasons = []
    options = {"on_failure": lambda _, reason: reasons.append(reason), "max_pixels": 100}
    assert len(predict_path(negative, tmp_path / "a.tif", tmp_path / "b.tif", **options).failed) == 1
    assert "a.tif" in reasons[0] and "40 x 40 pixels" in reasons[0]
    assert written_names(tmp_path) == {"a.tif"}


def test_pages_of_a_large_file_have_wide_offsets(tmp_path, monkeypatch):
    monkeypatch.setattr("tfgan_app.image_io.tiff_stream._CLASSIC_BYTES", 50)
    stack = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in stack:
            file.write(page, metadata=None)
    predict_path(negative, tmp_path / "a.tif", tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert file.is_bigtiff and len(file.pages) == 3
        np.testing.assert_array_equal(file.asarray(), 255 - stack)
