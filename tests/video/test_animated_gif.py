"""Animated GIFs in and out: timing, repeats and transparency."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from PIL import Image
from small_videos import Enlarger, moving_images, read_video, write_video

from tfgan_app.video.prediction import predict_video

DURATIONS = [100, 40, 250, 1000, 20]


def write_gif(path, *, loop=0, disc=False, durations=DURATIONS):
    """A moving square on red; with `disc`, on a transparent background."""
    frames = []
    for index in range(len(durations)):
        pixels = np.zeros((24, 32, 4), np.uint8)
        pixels[:] = (0, 0, 0, 0) if disc else (200, 30, 30, 255)
        pixels[6:18, 4 + 4 * index : 12 + 4 * index] = (20, 220, 40 * index, 255)
        frames.append(Image.fromarray(pixels) if disc else Image.fromarray(pixels[..., :3]))
    options = {"loop": loop} if loop is not None else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, disposal=2 * disc, **options)
    return path


def predict(source, target, *, scale=1, **options):
    notes, predictor = [], Enlarger(scale)
    predict_video(predictor, source, target, on_note=notes.append, **options)
    return predictor, notes


def read_gif(path):
    """Frames as RGBA, durations in ms, and the loop count."""
    with Image.open(path) as image:
        frames, durations = [], []
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGBA")).astype(int))
            durations.append(image.info.get("duration", 0))
        return frames, durations, image.info.get("loop")


@pytest.mark.parametrize("loop", [None, 0, 3])
def test_times_and_repeats_stay(tmp_path, loop):
    source = write_gif(tmp_path / "in.gif", loop=loop)
    _, notes = predict(source, tmp_path / "out.gif", scale=3)
    frames, durations, found = read_gif(tmp_path / "out.gif")
    assert durations == DURATIONS and found == loop and not notes
    for frame, original in zip(frames, read_gif(source)[0], strict=True):
        assert np.abs(frame[1::3, 1::3] - original).max() <= 2


def test_what_is_transparent_stays_so_without_a_halo(tmp_path):
    source = write_gif(tmp_path / "in.gif", disc=True)
    predictor, _ = predict(source, tmp_path / "out.gif", scale=2)
    # Just outside of the square the model sees its color, not black.
    np.testing.assert_allclose(predictor.first[12, 12:16], [[20, 220, 0]] * 4, atol=3)
    for frame, original in zip(read_gif(tmp_path / "out.gif")[0], read_gif(source)[0], strict=True):
        inside, outside = original[..., 3] == 255, original[..., 3] == 0
        assert inside.any() and outside.any()
        assert (frame[::2, ::2, 3][inside] == 255).mean() > 0.9
        assert (frame[::2, ::2, 3][outside] == 0).mean() > 0.9
        seen = frame[frame[..., 3] == 255]
        assert seen[:, 1].min() > 200 and seen[:, 0].max() < 40


def test_many_colors_are_near_the_original(tmp_path):
    images = moving_images(4, height=64, width=64)
    decoded = [Image.fromarray(image) for image in images]
    decoded[0].save(tmp_path / "in.gif", save_all=True, append_images=decoded[1:], duration=80)
    originals = read_gif(tmp_path / "in.gif")[0]
    predict(tmp_path / "in.gif", tmp_path / "out.gif")
    for frame, original in zip(read_gif(tmp_path / "out.gif")[0], originals, strict=True):
        assert np.abs(frame - original).mean() < 3


def test_a_gif_into_a_video(tmp_path):
    source = write_gif(tmp_path / "in.gif", disc=True, durations=[100, 0, 250, 40])
    _, notes = predict(source, tmp_path / "out.mp4", scale=2)
    result = read_video(tmp_path / "out.mp4")
    np.testing.assert_allclose(result.times, [0, 0.1, 0.2, 0.45], atol=1e-3)  # Browsers take 0 for 100 ms.
    assert result.duration == pytest.approx(0.49, abs=1e-3)
    assert np.abs(result.frames[0][2, 2].astype(int) - 255).max() <= 3  # On white.
    assert any("white" in note for note in notes)


def test_a_video_into_a_gif(tmp_path):
    images = moving_images(30)
    # 30 frames a second: a frame is 3.33 hundredths of a second.
    source = write_video(
        tmp_path / "in.mp4",
        images,
        times=[427 * index for index in range(30)],
        sound=("aac", 1.0),
        tags={"title": "A"},
    )
    _, notes = predict(source, tmp_path / "out.gif")
    frames, durations, _ = read_gif(tmp_path / "out.gif")
    assert len(frames) == 30 and set(durations) <= {30, 40} and sum(durations) == pytest.approx(1000, abs=15)
    np.testing.assert_allclose(frames[7][..., :3], images[7], atol=40)
    assert np.abs(frames[7][..., :3] - images[7]).mean() < 6
    assert {note.split(" not kept")[0] for note in notes} == {
        "its sound, subtitles and attachments are",
        "its tags are",
        "a GIF keeps at most 256 colors per frame",
    }


def test_frames_are_not_gathered(tmp_path):
    write_gif(tmp_path / "in.gif", durations=[50] * 5)
    images = [Image.fromarray(image) for image in moving_images(60, height=48, width=64)]
    images[0].save(tmp_path / "in.gif", save_all=True, append_images=images[1:], duration=50)
    tracemalloc.start()
    try:
        predict(tmp_path / "in.gif", tmp_path / "out.gif", scale=4)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * 4 * (4 * 48) * (4 * 64) * 3  # Six frames of floats; 60 of bytes would be 15.


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_gif_that_is_cut_off_is_one_line(tmp_path, share):
    images = [Image.fromarray(image) for image in moving_images(10)]
    images[0].save(tmp_path / "in.gif", save_all=True, append_images=images[1:], duration=50)
    data = (tmp_path / "in.gif").read_bytes()
    (tmp_path / "in.gif").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"^Cannot predict the video '.*in\.gif': it is"):
        predict(tmp_path / "in.gif", tmp_path / "out.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["in.gif"]


def test_a_gif_that_is_too_large_is_refused(tmp_path):
    write_gif(tmp_path / "in.gif")
    with pytest.raises(ValueError, match="it is 32 x 24 pixels; accepted are 1 to 767 pixels a frame"):
        predict(tmp_path / "in.gif", tmp_path / "out.gif", max_pixels=767)
