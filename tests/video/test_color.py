"""Colors of videos are not shifted: their description is kept, and so are the values."""

from __future__ import annotations

import av
import numpy as np
import pytest
from small_videos import Enlarger, read_video, write_video

from tfgan_app.video.prediction import predict_video

BT709, BT601_625, BT601, BT2020 = 1, 5, 6, 9
LIMITED, FULL = 1, 2
WEIGHTS = {BT709: (0.2126, 0.0722), BT601_625: (0.299, 0.114), BT601: (0.299, 0.114), BT2020: (0.2627, 0.0593)}

COLORS = np.array(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [200, 150, 120], [30, 90, 60], [128, 128, 128]]
)


def blocks():
    """RGB [32, 64, 3] of 16 x 16 blocks, each of one color."""
    return COLORS.reshape(2, 4, 3).repeat(16, axis=0).repeat(16, axis=1)


def planes_of(rgb, *, matrix, color_range, chroma="420"):
    """YUV by the equations of ITU-R BT.601, 709 and 2020, in PyAV's layout."""
    red, blue = WEIGHTS[matrix]
    r, g, b = np.moveaxis(rgb / 255.0, -1, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)
    y_scale, c_scale, black = (219, 224, 16) if color_range == LIMITED else (255, 255, 0)
    y, u, v = y * y_scale + black, u * c_scale + 128, v * c_scale + 128
    u, v = (x[::2, ::2] for x in (u, v)) if chroma == "420" else (u, v)
    planes = np.concatenate([np.rint(x).clip(0, 255).ravel() for x in (y, u, v)])
    return planes.astype(np.uint8).reshape(-1, rgb.shape[1])


def write_blocks(path, *, color, **planes):
    """An almost lossless video of the blocks."""
    return write_video(path, [planes_of(blocks(), **planes)] * 3, color=color)


def predict(source, target, **options):
    notes, predictor = [], Enlarger(options.pop("scale", 1))
    predict_video(predictor, source, target, on_note=notes.append, **options)
    return predictor, notes


def middles(image):
    """The color in the middle of each block of an RGB image, int [8, 3]."""
    size = image.shape[0] // 2
    return image[size // 2 :: size, size // 2 :: size].reshape(8, 3).astype(int)


@pytest.mark.parametrize("color_range", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [BT709, BT601_625, BT601, BT2020])
def test_models_see_the_true_colors_and_results_keep_the_numbers(tmp_path, matrix, color_range):
    color = {"colorspace": matrix, "color_range": color_range, "color_primaries": matrix, "color_trc": 1}
    source = write_blocks(tmp_path / "in.mp4", color=color, matrix=matrix, color_range=color_range)
    predictor, notes = predict(source, tmp_path / "out.mp4", crf=1)
    assert not notes and np.abs(middles(predictor.first) - COLORS).max() <= 3
    result = read_video(tmp_path / "out.mp4", pixel_format="yuv420p")
    assert result.color == (matrix, color_range, matrix, 1)
    expected = planes_of(blocks(), matrix=matrix, color_range=color_range)
    assert np.abs(result.frames[1].astype(int) - expected).mean() < 2  # Some color runs over edges at 4:2:0.
    middle = slice(8, 32, 16)
    assert np.abs(result.frames[1][middle, 8::16].astype(int) - expected[middle, 8::16]).max() <= 2


def test_a_file_that_names_no_matrix_does_not_change_it_once_enlarged(tmp_path):
    expected = planes_of(blocks(), matrix=BT601, color_range=LIMITED)
    source = write_blocks(tmp_path / "in.mp4", color={}, matrix=BT601, color_range=LIMITED)
    predictor, _ = predict(source, tmp_path / "out.mp4", scale=20, crf=10)
    assert np.abs(middles(predictor.first) - COLORS).max() <= 3
    result = read_video(tmp_path / "out.mp4", pixel_format="yuv420p")
    assert result.frames[0].shape == (960, 1280) and result.color == (BT601, LIMITED, 2, 2)
    assert np.abs(result.frames[0][160:640:320, 160::320].astype(int) - expected[8:32:16, 8::16]).max() <= 2


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_ten_bits_stay_ten(tmp_path, codec):
    ramp = np.linspace(20000, 28000, 64).round().astype(np.uint16)
    image = np.tile(ramp[None, :, None], (64, 1, 3))
    color = {"colorspace": BT709, "color_range": LIMITED}
    source = write_video(tmp_path / "in.mp4", [image] * 6, codec="libx265", pixel_format="yuv420p10le", color=color)
    predictor, notes = predict(source, tmp_path / "out.mp4", codec=codec, crf=0)
    assert predictor.seen[0] == ((64, 64, 3), np.uint16, None) and not notes
    result, origin = (read_video(path, pixel_format="rgb48le") for path in (tmp_path / "out.mp4", source))
    assert result.pixel_format == "yuv420p10le"
    difference = np.abs(result.frames[1].astype(int) - origin.frames[1])
    assert difference.mean() < 60 and difference.max() < 250  # A step of 10 bits is 75 of these, one of 8 bits is 299.
    assert len(np.unique(result.frames[1])) > 60


def test_what_an_encoder_does_not_take_is_noted(tmp_path):
    images = [blocks().astype(np.uint16) * 257] * 2
    source = write_video(tmp_path / "in.mkv", images, codec="ffv1", pixel_format="rgb48le")
    predictor, notes = predict(source, tmp_path / "out.mp4", crf=1)
    assert notes[0] == "its 16 bits per channel become 10, the most that libx264 supports here"
    np.testing.assert_array_equal(predictor.first, images[0])
    result = read_video(tmp_path / "out.mp4", pixel_format="rgb48le")
    assert result.pixel_format == "yuv420p10le"
    assert np.abs(middles(result.frames[0]) - COLORS * 257).max() < 3 * 257


def test_full_resolution_of_color_stays(tmp_path):
    planes = planes_of(blocks(), matrix=BT709, color_range=LIMITED, chroma="444").reshape(3, 32, 64)
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = BT709, LIMITED
        output.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv444p")))
        output.mux(stream.encode(None))
    _, notes = predict(source, tmp_path / "out.mp4", crf=0)
    result = read_video(tmp_path / "out.mp4", pixel_format="yuv444p")
    assert not notes and result.pixel_format == "yuv444p"
    assert np.abs(result.frames[0].astype(int).reshape(planes.shape) - planes).max() <= 2


def test_rgb_becomes_yuv_that_says_so(tmp_path):
    image = blocks().astype(np.uint8)
    source = write_video(tmp_path / "in.mkv", [image] * 2, codec="ffv1", pixel_format="bgr0")
    predictor, notes = predict(source, tmp_path / "out.mp4", crf=1)
    assert np.array_equal(predictor.first, image)
    assert notes == ["its color is stored at half the resolution (4:2:0), which all players support"]
    result = read_video(tmp_path / "out.mp4", pixel_format="yuv420p")
    assert result.color == (BT709, LIMITED, 1, 13)
    expected = planes_of(blocks(), matrix=BT709, color_range=LIMITED)
    assert np.abs(result.frames[0][8:32:16, 8::16].astype(int) - expected[8:32:16, 8::16]).max() <= 2


def test_hdr_keeps_its_names_and_is_noted(tmp_path):
    color = {"colorspace": BT2020, "color_range": LIMITED, "color_primaries": 9, "color_trc": 16}
    images = [blocks().astype(np.uint16) * 257] * 6
    source = write_video(tmp_path / "in.mp4", images, codec="libx265", pixel_format="yuv420p10le", color=color)
    _, notes = predict(source, tmp_path / "out.mp4")
    assert read_video(tmp_path / "out.mp4").color == (BT2020, LIMITED, 9, 16)
    assert len(notes) == 1 and "HDR" in notes[0]


def test_transparency_is_noted(tmp_path):
    source = tmp_path / "in.mkv"
    image = np.full((32, 32, 4), 128, np.uint8)
    with av.open(str(source), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgra"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgra")))
        output.mux(stream.encode(None))
    _, notes = predict(source, tmp_path / "out.webm")
    assert "its transparency is not kept" in notes
