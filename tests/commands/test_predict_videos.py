"""Videos and animations of any kind, alone and among images, as a user predicts them."""

from __future__ import annotations

import os
import sys
from fractions import Fraction

import keras
import numpy as np
import pytest
from PIL import Image
from small_videos import moving_images, read_video, write_video

from tfgan_app import cli
from tfgan_app.image_io.loading import read_rgb, write_image

CONTAINERS = {
    "avi": ("mpeg4", "libmp3lame"),
    "ts": ("mpeg2video", "mp2"),
    "mpg": ("mpeg1video", "mp2"),
    "vob": ("mpeg2video", "mp2"),
    "wmv": ("wmv2", None),
    "flv": ("flv1", "libmp3lame"),
    "3gp": ("libx264", "aac"),
    "mts": ("libx264", "ac3"),
    "m2ts": ("libx264", "aac"),
    "ogv": ("libvpx", "libopus"),
    "mp4": ("libx264", "aac"),
    "m4v": ("libx264", "aac"),
    "mov": ("libx264", "aac"),
    "mkv": ("libx264", "aac"),
    "webm": ("libvpx-vp9", "libopus"),
}
KEPT = {"mp4", "m4v", "mov", "mkv", "webm"}
COUNT = 6


@pytest.fixture(scope="module")
def negative(tmp_path_factory):
    """A model file whose outputs are known: 1 - input."""
    inputs = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(3, 1)
    model = keras.Model(inputs, convolution(inputs))
    convolution.set_weights([-np.eye(3, dtype=np.float32)[None, None], np.ones(3, np.float32)])
    path = tmp_path_factory.mktemp("model") / "negative.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A video of each kind of container."""
    folder = tmp_path_factory.mktemp("videos")
    for suffix, (codec, sound) in CONTAINERS.items():
        images = moving_images(COUNT, height=96, width=128)
        options = {"time_base": Fraction(1, 25), "times": list(range(COUNT)), "codec": codec}
        write_video(folder / f"a.{suffix}", images, sound=sound and (sound, COUNT / 25), **options)
    return folder


def run(model, source, target, *flags):
    arguments = ("--model", model, "--input", source, "--output", target, *flags)
    return cli.run(cli.parse(["tfgan_app", "predict", *map(str, arguments)]))


def names_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def write_animation(path, *, count=3, file_format=None):
    frames = [Image.fromarray(np.full((20, 24, 3), 40 * index, np.uint8)) for index in range(count)]
    options = {"lossless": True} if path.suffix == ".webp" else {}
    frames[0].save(
        path, file_format, save_all=True, append_images=frames[1:], duration=[50, 100, 200][:count], **options
    )
    return path


def frames_in(path):
    with Image.open(path) as image:
        return getattr(image, "n_frames", 1)


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_video_is_known_by_its_content(negative, videos, tmp_path, suffix):
    source = tmp_path / "no-suffix"
    source.write_bytes((videos / f"a.{suffix}").read_bytes())
    assert run(negative, source, tmp_path / "out.mp4") == 0
    result, original = read_video(tmp_path / "out.mp4"), read_video(source)
    assert len(result.frames) == len(original.frames) and ("audio" in result.kinds) == ("audio" in original.kinds)
    assert np.abs(255 - original.frames[0].astype(int) - result.frames[0]).mean() < 4


def test_a_folder_of_videos(negative, videos, tmp_path, capsys):
    assert run(negative, videos, tmp_path / "out") == 0
    expected = {f"a.{suffix}" for suffix in KEPT} | {f"a.{suffix}.mp4" for suffix in CONTAINERS.keys() - KEPT}
    assert names_in(tmp_path / "out") == expected
    assert f"{len(CONTAINERS)} written to {tmp_path / 'out'}" in capsys.readouterr().out
    for name in expected:
        assert len(read_video(tmp_path / "out" / name).frames) >= COUNT - 1


def test_a_video_into_a_folder(negative, videos, tmp_path, capsys):
    assert run(negative, videos / "a.avi", tmp_path / "out") == 0
    assert run(negative, videos / "a.mkv", tmp_path / "out") == 0
    assert run(negative, videos / "a.mkv", tmp_path / "out", "--output-format", "webm") == 0
    assert names_in(tmp_path / "out") == {"a.mp4", "a.mkv", "a.webm"}
    assert capsys.readouterr().out.splitlines()[0] == f"{COUNT} frames written to {tmp_path / 'out' / 'a.mp4'}"


def test_images_animations_and_videos_in_one_tree(negative, videos, tmp_path, capsys):
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "sub").mkdir(parents=True)
    write_image(source / "a.png", np.full((5, 4, 3), 10, np.uint8))
    Image.new("RGB", (5, 4)).save(source / "still.gif")
    for name in ("b.gif", "sub/c.webp", "sub/d.png", "e.apng"):
        write_animation(source / name, file_format="PNG" if name.endswith("apng") else None)
    (source / "sub" / "f.mp4").write_bytes((videos / "a.mp4").read_bytes())
    (source / "g.avi").write_bytes((videos / "a.avi").read_bytes())
    (source / "module.ts").write_text("export const answer: number = 42\n" * 40)
    (source / "broken.mp4").write_bytes(b"?" * 3000)
    (source / "cut.mkv").write_bytes((videos / "a.mkv").read_bytes()[:900])
    assert run(negative, source, target) == 1
    animations = {"b.gif", "sub/c.webp", "sub/d.png", "e.apng"}
    assert names_in(target) == animations | {"a.png", "still.png", "sub/f.mp4", "g.mp4"}
    for name in animations:
        assert frames_in(target / name) == 3
    said = capsys.readouterr()
    assert said.out == f"8 written to {target}, 2 failed\n"
    lines = said.err.splitlines()
    for name in ("broken.mp4", "cut.mkv"):
        assert sum(line.startswith(f"Cannot predict the video '{source / name}': ") for line in lines) == 1
    # And on where it stopped: what is there is kept, as of images.
    (target / "g.mp4").unlink()
    times = {name: (target / name).stat().st_mtime_ns for name in names_in(target)}
    assert run(negative, source, target, "--resume") == 1
    assert {name: (target / name).stat().st_mtime_ns for name in times} == times
    assert capsys.readouterr().out == f"1 written to {target}, 7 already existed, 2 failed\n"


def test_resume_of_a_single_video(negative, videos, tmp_path, capsys):
    for _ in range(2):
        assert run(negative, videos / "a.mp4", tmp_path / "b.mp4", "--resume") == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{COUNT} frames written to {tmp_path / 'b.mp4'}",
        f"0 frames written, {tmp_path / 'b.mp4'} already existed",
    ]


@pytest.mark.parametrize(
    ("source", "target", "frames"),
    [
        ("a.webp", "b.webp", 3),
        ("a.png", "b.png", 3),
        ("a.gif", "b.webp", 3),
        ("a.gif", "b.apng", 3),
        ("a.webp", "b.gif", 3),
        ("a.webp", "b.jpg", 1),
        ("a.webp", "b.png", 1),
        ("a.gif", "b.png", 1),
        ("a.png", "b.tif", 1),
    ],
)
def test_the_suffix_says_whether_it_moves(negative, tmp_path, capsys, source, target, frames):
    write_animation(tmp_path / source)
    assert run(negative, tmp_path / source, tmp_path / target) == 0
    assert frames_in(tmp_path / target) == frames
    note = f"note: '{tmp_path / source}': only the first of 3 frames was read"
    assert (note in capsys.readouterr().err) == (frames == 1)
    assert read_rgb(tmp_path / target)[0, 0, 0] == 255


def test_formats_that_are_asked_for_of_a_folder(negative, videos, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    write_image(source / "a.bmp", np.full((5, 4, 3), 10, np.uint8))
    write_animation(source / "b.gif")
    (source / "c.avi").write_bytes((videos / "a.avi").read_bytes())
    for output_format, expected in (
        ("webp", {"a.webp": 1, "b.webp": 3, "c.mp4": None}),
        ("jpg", {"a.jpg": 1, "b.jpg": 1, "c.mp4": None}),
        ("webm", {"a.bmp": 1, "b.webm": None, "c.webm": None}),
        ("gif", {"a.bmp": 1, "b.gif": 3, "c.gif": COUNT}),
    ):
        assert run(negative, source, tmp_path / output_format, "--output-format", output_format) == 0
        assert names_in(tmp_path / output_format) == expected.keys()
        for name, frames in expected.items():
            assert frames is None or frames_in(tmp_path / output_format / name) == frames


@pytest.mark.parametrize(
    ("target", "flags", "message"),
    [
        ("b.avi", (), "must be one of .apng, .gif, .m4v, .mkv, .mov, .mp4, .png, .webm, .webp. Received"),
        ("b.jpg", (), "must be one of .apng, .gif"),
        ("b.png", (), "use .apng"),
        ("b.mp4", ("--quality", 80), "`--quality` is not supported"),
        ("b.mp4", ("--mask", "x.png"), "`--mask` is not supported"),
        ("b.mp4", ("--output-format", "webm"), "suffix must fit the output format webm"),
        ("out", ("--output-format", "avi"), "The output format must be one of apng, bmp"),
    ],
)
def test_what_a_video_cannot_become_is_one_line(negative, videos, tmp_path, capsys, target, flags, message):
    assert run(negative, videos / "a.mp4", tmp_path / target, *flags) == 2
    line = capsys.readouterr().err
    assert message in line and line.count("\n") == 1 and names_in(tmp_path) == set()


@pytest.mark.parametrize(
    ("source", "target", "flags", "message"),
    [
        ("a.png", "b.mp4", (), "suffix must be one of .bmp, .jfif"),
        ("a.png", "b.apng", (), "suffix must be one of .bmp, .jfif"),
        ("a.png", "out", ("--output-format", "mp4"), "The output format of images must be one of bmp, jfif"),
        ("", "out", ("--output-format", "mp4"), "The output format of images must be one of bmp, jfif"),
        ("m.webp", "b.jpg", ("--output-format", "gif"), "The output format of images must be one of bmp, jfif"),
        ("m.webp", "b.gif", ("--output-format", "webp"), "suffix must fit the output format webp"),
        ("m.webp", "b.webp", ("--quality", 101), "`quality` must be from 1 to 100. Received: 101"),
    ],
)
def test_what_an_image_cannot_become_is_one_line(negative, tmp_path, capsys, source, target, flags, message):
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.png", np.full((5, 4, 3), 10, np.uint8))
    if source == "m.webp":
        write_animation(tmp_path / "in" / "m.webp")
    assert run(negative, tmp_path / "in" / source, tmp_path / target, *flags) == 2
    line = capsys.readouterr().err
    assert message in line and line.count("\n") == 1 and not (tmp_path / target).exists()


def test_the_quality_of_an_animated_webp(negative, tmp_path):
    frames = [Image.fromarray(it) for it in np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    sizes = []
    for quality in (10, 95):
        assert run(negative, tmp_path / "a.webp", tmp_path / "b.webp", "--quality", quality) == 0
        sizes.append((tmp_path / "b.webp").stat().st_size)
    assert sizes[0] < sizes[1] / 2


def test_videos_without_pyav_are_named_and_images_are_done(negative, videos, tmp_path, capsys, monkeypatch):
    source = tmp_path / "in"
    source.mkdir()
    write_image(source / "a.png", np.full((5, 4, 3), 10, np.uint8))
    write_animation(source / "b.webp")
    (source / "c.mp4").write_bytes((videos / "a.mp4").read_bytes())
    monkeypatch.setitem(sys.modules, "av", None)
    assert run(negative, source, tmp_path / "out") == 1
    assert names_in(tmp_path / "out") == {"a.png", "b.webp"}
    assert "c.mp4': Videos need PyAV. Install it with: pip install" in capsys.readouterr().err


def test_an_image_named_like_a_video_is_an_image(negative, tmp_path):
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.mp4", "JPEG")
    assert run(negative, tmp_path / "a.mp4", tmp_path / "b.png") == 0
    assert frames_in(tmp_path / "b.png") == 1


def test_in_a_folder_what_is_named_like_a_video_is_an_image_or_named(negative, tmp_path, capsys):
    source = tmp_path / "in"
    source.mkdir()
    Image.new("RGB", (4, 4), "red").save(source / "image.mp4", "JPEG")
    os.mkfifo(source / "pipe.mp4")
    os.mkfifo(source / "pages.tif")
    (source / "loop.avi").symlink_to("loop.avi")
    (source / "lost.mkv").symlink_to("gone.mkv")
    (source / "endless.mpg").symlink_to("/dev/zero")
    (source / "module.ts").write_text("export const answer: number = 42")
    assert run(negative, source, tmp_path / "out") == 1
    assert names_in(tmp_path / "out") == {"image.png"}
    lines = capsys.readouterr().err.splitlines()
    for name in ("pipe.mp4", "pages.tif", "loop.avi", "lost.mkv", "endless.mpg"):
        assert sum(name in line.partition(":")[0] for line in lines) == 1
    assert not any("module.ts" in line for line in lines)
