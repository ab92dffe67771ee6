"""Video in, video out: timing, sound, tags and aspect are kept, and no broken file is left behind."""

from __future__ import annotations

import sys
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image
from small_videos import Enlarger, moving_images, read_video, rotate, write_video

from tfgan_app.video import is_video, predict_video

VARIABLE_TIMES = [0, 512, 1024, 4096, 4200, 5000, 9000, 9100, 9200, 9300, 12000, 20000]


def predict(source, target, *, scale=1, **options):
    """Returns the predictor and the notes."""
    notes, predictor = [], Enlarger(scale)
    predict_video(predictor, source, target, on_note=notes.append, **options)
    return predictor, notes


def mean_difference(first, second):
    return np.abs(np.asarray(first, float) - second).mean()


@pytest.mark.parametrize(("suffix", "sound"), [("mp4", "libopus"), ("mov", "aac"), ("mkv", "aac"), ("webm", "libopus")])
def test_frames_times_sound_and_tags_arrive(tmp_path, suffix, sound):
    images, progress = moving_images(), []
    source = write_video(tmp_path / "in.mp4", images, sound=(sound, 0.48), tags={"title": "Übung"})
    target = tmp_path / f"out.{suffix}"
    done = predict_video(Enlarger(2), source, target, tile_px=32, on_progress=lambda *counts: progress.append(counts))
    result, origin = read_video(target), read_video(source)
    assert done == len(result.frames) == 12 and progress == [(index + 1, 12) for index in range(12)]
    # Matroska has no times before zero, so all may start a little later, but together.
    starts = [seen.packets["audio"][0][0] for seen in (origin, result)]
    np.testing.assert_allclose(np.array(result.times) - starts[1], np.array(origin.times) - starts[0], atol=2e-3)
    assert result.duration == pytest.approx(0.48, abs=0.03)
    assert result.tags["title"] == "Übung"
    assert [packet for _, packet in result.packets["audio"]] == [it for _, it in origin.packets["audio"]]
    assert result.frames[0].shape == (96, 128, 3)
    for frame, image in zip(result.frames, images, strict=True):
        assert mean_difference(frame[::2, ::2], image) < 3
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in.mp4", f"out.{suffix}"]


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_every_codec(tmp_path, capfd, codec):
    images = moving_images(height=64, width=64)
    source = write_video(tmp_path / "in.mp4", images)
    predict(source, tmp_path / "out.mp4", codec=codec)
    result = read_video(tmp_path / "out.mp4")
    assert {"libdav1d": "av1"}.get(result.codec, result.codec) == codec
    assert max(mean_difference(*pair) for pair in zip(result.frames, images, strict=True)) < 4
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_codec_is_kept_and_quality_follows_crf(tmp_path, codec):
    encoder = {"h264": "libx264", "hevc": "libx265"}[codec]
    source = write_video(tmp_path / "in.mp4", moving_images(height=64), codec=encoder)
    sizes = []
    for crf in (5, 45):
        predict(source, tmp_path / "out.mp4", crf=crf)
        sizes.append((tmp_path / "out.mp4").stat().st_size)
    assert read_video(tmp_path / "out.mp4").codec == codec and sizes[0] > 1.5 * sizes[1]


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9"])
@pytest.mark.parametrize("count", [1, 2])
def test_clips_of_few_frames(tmp_path, count, codec):
    source = write_video(tmp_path / "in.mp4", moving_images(count))
    for _ in range(3):
        predict(source, tmp_path / "out.mp4", codec=codec)
        result = read_video(tmp_path / "out.mp4")
        assert len(result.frames) == count and result.duration == pytest.approx(0.04 * count)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_variable_frame_rates_stay(tmp_path, b_frames):
    images = moving_images()
    source = write_video(tmp_path / "in.mp4", images, times=VARIABLE_TIMES, max_b_frames=b_frames)
    predict(source, tmp_path / "out.mp4")
    result = read_video(tmp_path / "out.mp4")
    np.testing.assert_allclose(result.times, np.array(VARIABLE_TIMES) / 12800, atol=1e-6)
    if not b_frames:  # With them, the file that FFmpeg makes here ends before its last frame begins.
        assert result.duration == pytest.approx(read_video(source).duration, abs=1e-4) == 20512 / 12800
    predict(tmp_path / "out.mp4", tmp_path / "again.mkv")
    np.testing.assert_allclose(read_video(tmp_path / "again.mkv").times, result.times, atol=1e-3)


@pytest.mark.parametrize(
    ("matrix", "upright"),
    [
        ((0, 1, -1, 0), lambda x: np.rot90(x, -1)),
        ((0, -1, 1, 0), lambda x: np.rot90(x, 1)),
        ((-1, 0, 0, -1), lambda x: np.rot90(x, 2)),
        ((-1, 0, 0, 1), lambda x: x[:, ::-1]),
        ((0, 1, 1, 0), lambda x: x.transpose(1, 0, 2)),
    ],
)
def test_frames_come_out_upright_once(tmp_path, matrix, upright):
    images = moving_images()
    source = write_video(tmp_path / "in.mp4", images, sample_aspect_ratio=Fraction(4, 3))
    rotate(source, matrix)
    predictor, notes = predict(source, tmp_path / "out.mp4")
    result = read_video(tmp_path / "out.mp4")
    assert result.rotation == 0 and not notes
    assert mean_difference(result.frames[3], upright(images[3])) < 4
    assert predictor.first.shape == upright(images[0]).shape
    assert result.aspect == (Fraction(4, 3) if matrix[0] else Fraction(3, 4))


def test_sound_that_the_container_does_not_take_is_encoded_anew(tmp_path):
    source = write_video(tmp_path / "in.mp4", moving_images(), sound=("aac", 0.5))
    _, notes = predict(source, tmp_path / "out.webm")
    assert notes == ["its sound (aac) is re-encoded as opus"]
    with av.open(str(tmp_path / "out.webm")) as container:
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=48000)
        frames = [it for frame in container.decode(audio=0) for it in resampler.resample(frame)]
        wave = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    assert len(wave) / 48000 == pytest.approx(0.5, abs=0.05)
    middle = wave[4800 : 4800 + 9600].astype(float)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 440 * 9600 / 48000


def test_subtitles_and_chapters(tmp_path):
    (tmp_path / "text.srt").write_text("1\n00:00:00,100 --> 00:00:00,300\nHello\n")
    plain = write_video(tmp_path / "plain.mkv", moving_images())
    chapter = {"id": 1, "start": 0, "end": 200, "time_base": Fraction(1, 1000), "metadata": {"title": "A"}}
    with (
        av.open(str(plain)) as images,
        av.open(str(tmp_path / "text.srt")) as text,
        av.open(str(tmp_path / "in.mkv"), "w") as output,
    ):
        output.set_chapters([chapter])
        streams = [output.add_stream_from_template(it.streams[0]) for it in (images, text)]
        streams[1].metadata["language"] = "deu"
        for container, stream in zip((images, text), streams, strict=True):
            for packet in [it for it in container.demux() if it.size]:
                packet.stream = stream
                output.mux(packet)
    _, notes = predict(tmp_path / "in.mkv", tmp_path / "out.mkv")
    assert not notes and read_video(tmp_path / "out.mkv").packets["subtitle"] == [(0.1, b"Hello")]
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.chapters()[0]["metadata"] == {"title": "A"}
        assert container.streams.subtitles[0].language == "deu"
    _, notes = predict(tmp_path / "in.mkv", tmp_path / "out.webm")
    assert notes == ["its track of subtitles (subrip) cannot be kept in this kind of file"]


def test_odd_sizes(tmp_path):
    images = moving_images(height=49, width=63)
    source = write_video(tmp_path / "in.webm", images, codec="libvpx-vp9", time_base=Fraction(1, 1000), times=range(12))
    _, notes = predict(source, tmp_path / "out.webm")
    assert not notes and read_video(tmp_path / "out.webm").frames[0].shape == (49, 63, 3)
    _, notes = predict(source, tmp_path / "out.mp4", scale=3, codec="h264")
    frame = read_video(tmp_path / "out.mp4").frames[0]
    assert frame.shape == (148, 190, 3) and "even sizes" in notes[0]
    assert mean_difference(frame[1:147:3, 1:189:3], images[0]) < 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interrupted_run_leaves_what_was_there(tmp_path, error):
    class Interrupted(Enlarger):
        def rows(self, pixels, *, tile_px=None):
            if len(self.seen) == 5:
                raise error
            yield from super().rows(pixels, tile_px=tile_px)

    source = write_video(tmp_path / "in.mp4", moving_images(40))
    target = tmp_path / "out.mp4"
    target.write_bytes(b"earlier")
    with pytest.raises(error):
        predict_video(Interrupted(), source, target)
    assert target.read_bytes() == b"earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_few_frames_are_in_memory_at_a_time(tmp_path):
    source = write_video(tmp_path / "in.mp4", moving_images(60, height=64, width=96))
    tracemalloc.start()
    try:
        predict(source, tmp_path / "out.mp4", scale=4)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    floats = 4 * 4 * 64 * 4 * 96 * 3
    assert peak < 6 * floats  # Of 60 frames, which would take 15 times their floats even as bytes.


def damaged(data, kind):
    cut = {"cut": 0.6, "cut short": 0.9}.get(kind)
    if cut:
        return data[: int(cut * len(data))]
    at = data.index(b"mdat") + 4000
    return data[:at] + bytes(1500) + data[at + 1500 :]


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("mp4", "cut"), ("mp4", "cut short"), ("mp4", "damaged"), ("mkv", "cut"), ("mkv", "cut short")],
)
def test_damaged_files_are_one_line_and_nothing_is_written(tmp_path, suffix, kind):
    whole = write_video(tmp_path / "whole.mp4", moving_images(200, height=80), sound=("aac", 8.0))
    predict(whole, tmp_path / f"in.{suffix}")  # Its index is at the front.
    source = tmp_path / f"in.{suffix}"
    source.write_bytes(damaged(source.read_bytes(), kind))
    with pytest.raises(ValueError, match=r"^Cannot predict the video '.*in\.\w+': it is (damaged|truncated)") as caught:
        predict(source, tmp_path / "out.mp4")
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"in.{suffix}", "whole.mp4"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"", "the file is empty"),
        (b"no video at all" * 50, "damaged or not a video"),
        (b"#EXTM3U\n#EXTINF:10,\nother.mp4\n#EXT-X-ENDLIST\n", "damaged or not a video"),
        (b"ffconcat version 1.0\nfile 'other.mp4'\n", "damaged or not a video"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, content, message):
    write_video(tmp_path / "other.mp4", moving_images(3))
    if content is not None:
        (tmp_path / "in.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        predict(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_sound_alone_is_refused(tmp_path):
    source = write_video(tmp_path / "in.mp4", moving_images(3), sound=("aac", 0.3))
    with av.open(str(source)) as container, av.open(str(tmp_path / "sound.mp4"), "w") as output:
        stream = output.add_stream_from_template(container.streams.audio[0])
        for packet in [it for it in container.demux(audio=0) if it.size]:
            packet.stream = stream
            output.mux(packet)
    with pytest.raises(ValueError, match="it has no video track"):
        predict(tmp_path / "sound.mp4", tmp_path / "out.mp4")


def test_arguments_are_checked_before_anything_is_computed(tmp_path):
    source, predictor = write_video(tmp_path / "in.mp4", moving_images(3)), Enlarger(400)
    for target, options, message in (
        ("in.mp4", {}, "overwrite its source"),
        ("out.wmv", {}, "must be one of .apng, .gif, .m4v"),
        ("out.webm", {"codec": "h264"}, "must be one of vp9, av1. Received: h264"),
        ("out.mp4", {"max_pixels": 3071}, "it is 64 x 48 pixels; accepted are 1 to 3071 pixels a frame"),
        ("out.mp4", {}, "libx264 does not support 25600 x 19200 px"),
        ("out.gif", {}, "Cannot predict"),
    ):
        predictor.scale = 2000 if target == "out.gif" else 400
        with pytest.raises(ValueError, match=message):
            predict_video(predictor, source, tmp_path / target, **options)
    assert not predictor.seen and [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_missing_library_is_one_line(tmp_path, monkeypatch):
    source = write_video(tmp_path / "in.mp4", moving_images(3))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match=r"pip install 'tfgan_app\[video\]'"):
        predict(source, tmp_path / "out.mp4")


def test_what_is_a_video(tmp_path):
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moves.GIF", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "still.gif")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    found = {name: is_video(tmp_path / name) for name in ("moves.GIF", "still.gif", "broken.gif", "none.gif")}
    assert found == {"moves.GIF": True, "still.gif": False, "broken.gif": False, "none.gif": False}
    assert is_video("film.MP4") and is_video("film.webm") and not is_video("image.png")
