"""Animated WebP and PNG in and out: timing, number of plays, transparency and metadata."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from handmade_png import with_damaged_chunk
from PIL import Image, PngImagePlugin
from small_videos import Enlarger, moving_images, read_video, write_video

from tfgan_app.image_io import png_chunk
from tfgan_app.video import is_video, predict_video

DURATIONS = [100, 40, 250, 1000, 33]
FORMATS = {"gif": "GIF", "webp": "WEBP", "png": "PNG", "apng": "PNG"}


def frames_of(*, alpha):
    """A moving square on red; with `alpha`, half transparent on a transparent background."""
    frames = []
    for index in range(len(DURATIONS)):
        pixels = np.zeros((24, 32, 4), np.uint8)
        pixels[:] = (0, 0, 0, 0) if alpha else (200, 30, 30, 255)
        pixels[6:18, 4 + 4 * index : 12 + 4 * index] = (20, 220, 40 * index, 128 if alpha else 255)
        frames.append(Image.fromarray(pixels) if alpha else Image.fromarray(pixels[..., :3]))
    return frames


def write_animation(path, *, alpha=False, **options):
    frames = frames_of(alpha=alpha)
    options = {"duration": DURATIONS, "loop": 0, "lossless": True, "exact": True, **options}
    if path.suffix == ".webp" and options["lossless"] is not True:
        options["quality"] = 90
    if path.suffix != ".webp":
        options |= {"disposal": 2 if path.suffix == ".gif" else 0}
    frames[0].save(path, FORMATS[path.suffix[1:]], save_all=True, append_images=frames[1:], **options)
    return path


def read_animation(path):
    """Frames as RGBA, durations in ms, the loop count, and metadata."""
    with Image.open(path) as image:
        frames, durations = [], []
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGBA")).astype(int))
            durations.append(image.info.get("duration", 0))
        return frames, durations, image.info.get("loop"), image.info


def predict(source, target, *, scale=1, **options):
    notes, predictor = [], Enlarger(scale)
    predict_video(predictor, source, target, on_note=notes.append, **options)
    return predictor, notes


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("loop", [0, 1, 3])
@pytest.mark.parametrize("suffix", ["webp", "png", "apng"])
def test_frames_times_and_plays_stay(tmp_path, suffix, loop, alpha):
    source = write_animation(tmp_path / f"in.{suffix}", loop=loop, alpha=alpha)
    assert is_video(source)
    target = tmp_path / f"out.{suffix}"
    _, notes = predict(source, target, scale=3)
    frames, durations, found, _ = read_animation(target)
    assert notes == [] and durations == DURATIONS and found == loop
    for frame, original in zip(frames, read_animation(source)[0], strict=True):
        enlarged = original.repeat(3, 0).repeat(3, 1)
        inside = (slice(None), slice(None)) if not alpha else (slice(24, 48), slice(None))
        if not alpha:
            np.testing.assert_array_equal(frame, enlarged)
        visible = (enlarged[..., 3] > 0) & (frame[..., 3] > 0)
        np.testing.assert_array_equal(frame[visible][:, :3], enlarged[visible][:, :3])
        # Edges of the transparency are smoothed, nothing else is.
        assert (np.abs(frame[..., 3] - enlarged[..., 3])[inside] > 1).mean() < 0.2
        assert np.median(frame[..., 3][enlarged[..., 3] > 0]) == (128 if alpha else 255)


@pytest.mark.parametrize("target", ["gif", "webp", "png", "apng"])
@pytest.mark.parametrize("source", ["gif", "webp", "png"])
def test_each_kind_becomes_each_other(tmp_path, source, target):
    write_animation(tmp_path / f"in.{source}", loop=2 if source != "gif" else 1)
    predict(tmp_path / f"in.{source}", tmp_path / f"out.{target}", scale=2)
    frames, durations, loop, _ = read_animation(tmp_path / f"out.{target}")
    unit = 10 if "gif" in (source, target) else 1
    np.testing.assert_allclose(durations, DURATIONS, atol=unit - 1)
    assert loop == (1 if target == "gif" else 2)  # Shown twice is repeated once.
    for frame, original in zip(frames, read_animation(tmp_path / f"in.{source}")[0], strict=True):
        np.testing.assert_allclose(frame[::2, ::2], original, atol=6 if target == "gif" else 0)


@pytest.mark.parametrize("suffix", ["webp", "png"])
def test_what_it_says_is_kept_or_noted(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "a title")
    extra = {"pnginfo": info} if suffix == "png" else {"xmp": b"<x/>"}
    source = write_animation(tmp_path / f"in.{suffix}", exif=exif, **extra)
    _, notes = predict(source, tmp_path / f"out.{suffix}", scale=2)
    with Image.open(tmp_path / f"out.{suffix}") as image:
        assert image.getexif()[0x010F] == "a maker" and image.is_animated
        assert image.text["Title"] == "a title" if suffix == "png" else image.info["xmp"] == b"<x/>"
    assert notes == []
    for target, name in (("gif", "GIF"), ("mp4", "MP4")):
        _, notes = predict(source, tmp_path / f"out.{target}", scale=2)
        assert f"the EXIF block has no place in {name} and was left out" in notes


def test_a_comment_of_a_gif_is_kept(tmp_path):
    write_animation(tmp_path / "in.gif", comment=b"x" * 300)
    assert predict(tmp_path / "in.gif", tmp_path / "out.gif")[1] == []
    assert read_animation(tmp_path / "out.gif")[3]["comment"] == b"x" * 300


def test_lossy_and_lossless_webp(tmp_path):
    noise = [Image.fromarray(it) for it in np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)]
    sizes = {}
    for lossless in (True, False):
        noise[0].save(tmp_path / "in.webp", save_all=True, append_images=noise[1:], lossless=lossless, quality=80)
        predict(tmp_path / "in.webp", tmp_path / "out.webp")
        same = np.array_equal(read_animation(tmp_path / "out.webp")[0], read_animation(tmp_path / "in.webp")[0])
        assert same == lossless
        for quality in (20, 100):
            predict(tmp_path / "in.webp", tmp_path / "out.webp", quality=quality)
            sizes[lossless, quality] = (tmp_path / "out.webp").stat().st_size
    assert sizes[True, 20] < sizes[True, 100] / 2 and sizes[False, 20] < sizes[False, 100] / 2


def test_the_image_of_an_apng_for_other_viewers_is_no_frame(tmp_path):
    frames = frames_of(alpha=False)
    poster = Image.new("RGB", (32, 24), "blue")
    poster.save(tmp_path / "in.png", save_all=True, default_image=True, append_images=frames, duration=DURATIONS)
    _, notes = predict(tmp_path / "in.png", tmp_path / "out.png")
    found, durations, _, _ = read_animation(tmp_path / "out.png")
    assert durations == DURATIONS and notes == ["its image for viewers without animation was left out"]
    np.testing.assert_array_equal(found[0][..., :3], np.asarray(frames[0]))


def test_a_turned_animation_is_turned_once(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_animation(tmp_path / "in.webp", exif=exif)
    predict(tmp_path / "in.webp", tmp_path / "out.webp")
    frames, _, _, _ = read_animation(tmp_path / "out.webp")
    np.testing.assert_array_equal(frames[0], np.rot90(read_animation(tmp_path / "in.webp")[0][0], -1))
    with Image.open(tmp_path / "out.webp") as image:
        assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("suffix", ["webp", "apng"])
def test_a_video_into_an_animation(tmp_path, suffix):
    images = moving_images(30)
    source = write_video(tmp_path / "in.mp4", images, times=[427 * index for index in range(30)])
    predict(source, tmp_path / f"out.{suffix}")
    frames, durations, _, _ = read_animation(tmp_path / f"out.{suffix}")
    assert len(frames) == 30 and set(durations[:-1]) <= {33, 34} and sum(durations) == pytest.approx(1000, abs=9)
    assert np.abs(frames[7][..., :3] - images[7]).mean() < 4
    with pytest.raises(ValueError, match="a PNG of a video would be an animation: use .apng"):
        predict(source, tmp_path / "out.png")


@pytest.mark.parametrize("suffix", ["webp", "png"])
def test_an_animation_into_a_video(tmp_path, suffix):
    source = write_animation(tmp_path / f"in.{suffix}", alpha=True)
    _, notes = predict(source, tmp_path / "out.mp4", scale=2)
    result = read_video(tmp_path / "out.mp4")
    assert len(result.frames) == len(DURATIONS) and result.duration == pytest.approx(sum(DURATIONS) / 1000, abs=2e-3)
    # Half transparent on white.
    np.testing.assert_allclose(result.frames[0][24, 16], [137, 237, 127], atol=8)
    assert any("white" in note for note in notes)


@pytest.mark.parametrize("suffix", ["webp", "png"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_an_animation_that_is_cut_off_is_one_line(tmp_path, suffix, share):
    source = write_animation(tmp_path / f"in.{suffix}")
    data = source.read_bytes()
    source.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"^Cannot predict the video '.*in\.\w+': it is") as caught:
        predict(source, tmp_path / f"out.{suffix}")
    assert "\n" not in str(caught.value) and [path.name for path in tmp_path.iterdir()] == [source.name]


def test_an_apng_with_a_damaged_text(tmp_path):
    source = write_animation(tmp_path / "in.png")
    source.write_bytes(with_damaged_chunk(source.read_bytes(), b"tEXt", b"Title\0x"))
    assert is_video(source)
    _, notes = predict(source, tmp_path / "out.png")
    assert notes == ["its damaged chunk tEXt (wrong checksum) was left out"]
    assert read_animation(tmp_path / "out.png")[1] == DURATIONS


@pytest.mark.parametrize("channels", [1, 3])
def test_an_apng_of_sixteen_bits(tmp_path, channels):
    values = np.random.default_rng(0).integers(0, 65536, (2, 6, 8, channels), np.uint16)
    header = struct.pack(">IIHHBB", 0, 0, 100, 1000, 0, 0)
    frames = [zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in frame)) for frame in values]
    place = struct.pack(">II", 8, 6) + header
    chunks = [(b"acTL", struct.pack(">II", 2, 0)), (b"fcTL", struct.pack(">I", 0) + place), (b"IDAT", frames[0])]
    chunks += [(b"fcTL", struct.pack(">I", 1) + place), (b"fdAT", struct.pack(">I", 2) + frames[1]), (b"IEND", b"")]
    kind = struct.pack(">IIBBBBB", 8, 6, 16, 0 if channels == 1 else 2, 0, 0, 0)
    coded = b"".join(png_chunk(name, data) for name, data in [(b"IHDR", kind), *chunks])
    (tmp_path / "in.png").write_bytes(b"\x89PNG\r\n\x1a\n" + coded)
    _, notes = predict(tmp_path / "in.png", tmp_path / "out.png")
    assert notes == ["16 bits per channel were reduced to 8"]
    for frame, original in zip(read_animation(tmp_path / "out.png")[0], values, strict=True):
        np.testing.assert_allclose(frame[..., :3], np.broadcast_to(original / 257, (6, 8, 3)), atol=1)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_one_frame_is_no_animation(tmp_path, suffix):
    Image.new("RGB", (4, 4), "red").save(tmp_path / f"a.{suffix}", save_all=True)
    assert not is_video(tmp_path / f"a.{suffix}")
