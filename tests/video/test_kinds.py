"""Detection of videos by content, for any file name."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tfgan_app.image_io import tiff_pages
from tfgan_app.video import is_animation, is_video
from tfgan_app.video.kinds import holds_video


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x18ftypmp42", True),
        (b"\0\0\0\x18ftypqt  ", True),
        (b"\0\0\0\x18ftyp3gp5", True),
        (b"\0\0\0\x08wide\0\0\0\0mdat", True),
        (b"\0\0\0\x18ftypavif", False),
        (b"\0\0\0\x18ftypheic", False),
        (b"RIFF\0\0\0\0AVI LIST", True),
        (b"RIFF\0\0\0\0WEBPVP8 ", False),
        (b"RIFF\0\0\0\0WAVEfmt ", False),
        ((b"G" + bytes(187)) * 4, True),
        ((bytes(4) + b"G" + bytes(187)) * 4, True),
        (b"G" + b"o" * 900, False),
        (b"\xff\xd8\xff\xe0", False),
        (b"import x from 'y'", False),
        (b"", False),
    ],
)
def test_signatures(head, expected):
    assert holds_video(head) == expected


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.mp4", b"?" * 100, True),  # A broken video, which is to be named as one.
        ("a.ts", b"export const a = 1", False),
        ("a.mp4", None, False),
        ("a.jpg", b"\0\0\0\x18ftypmp42" + bytes(40), True),
        ("a", b"\x1a\x45\xdf\xa3" + bytes(40), True),
        ("a.txt", b"hello", False),
        ("a.avi", b"", True),
    ],
)
def test_content_goes_before_the_name(tmp_path, name, content, expected):
    if content is None:
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / name, "PNG")
    else:
        (tmp_path / name).write_bytes(content)
    assert is_video(tmp_path / name) == expected


HEADS = st.sampled_from(
    [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8X", b"\0\0\0\x18ftyp", b"\x1a\x45\xdf\xa3"]
)


def test_noise_is_never_an_error(tmp_path):
    path = tmp_path / "a.bin"

    @settings(
        max_examples=200,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(HEADS, st.binary(max_size=100))
    def run(head, noise):
        path.write_bytes(head + noise)
        assert is_video(path) in (True, False)

    run()


def test_a_pipe_is_no_video_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert not is_video(tmp_path / "pipe.mp4") and not is_animation(tmp_path / "pipe.mp4")
    assert tiff_pages(tmp_path / "pipe.mp4") == [0]
