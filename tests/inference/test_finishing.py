"""Steps around a model: size, periodic borders, grain, and kept regions."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from fake_predictors import FakePredictor
from PIL import Image
from small_image_models import model_of, predictor_of
from small_videos import moving_images, write_video

from tfgan_app.degradations.resampling import resize
from tfgan_app.image_io import read_image
from tfgan_app.inference import Finish, FinishedPredictor, Sizing, chain_predictors, predict_path
from tfgan_app.inference.keeping import feathered
from tfgan_app.video import predict_video

PIXELS = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)


class Fake(FakePredictor):
    """A model that only predicts rows."""

    def bound_to(self, pixels):
        return self


def all_rows(predictor, pixels, **options):
    return np.concatenate(list(predictor.rows(pixels, **options)))


def darkened(values):
    return values * 0.5


def test_the_size_is_resized_from_the_model_s():
    finished = FinishedPredictor(predictor_of(model_of(scale=4)), Finish(Sizing(width=100)))
    own = all_rows(predictor_of(model_of(scale=4)), PIXELS)
    expected = np.clip(resize(own[None], height=75, width=100)[0], 0, 1)
    np.testing.assert_allclose(all_rows(finished, PIXELS, tile_px=16), expected, atol=2e-5)
    assert finished.remarks(48, 64) == ["the model's 256 x 192 pixels were resized to 100 x 75 (bicubic, antialiased)"]


WRAPPED = {
    "plain": lambda: predictor_of(model_of()),
    "enlarging": lambda: predictor_of(model_of(scale=4)),
    "strided": lambda: predictor_of(model_of(stride=4)),
    "chain": lambda: chain_predictors([predictor_of(model_of(seed=5)), predictor_of(model_of(scale=2))]),
}


@pytest.mark.parametrize("tile_px", [16, 1000])
@pytest.mark.parametrize("name", WRAPPED)
def test_rolling_the_input_rolls_the_result(name, tile_px):
    predictor = WRAPPED[name]()
    wrapped = FinishedPredictor(predictor, Finish(wrap=True))
    result = all_rows(wrapped, PIXELS, tile_px=tile_px)
    step = predictor.info.receptive_field.multiple
    for shift in ((0, 5 * step), (3 * step, 0), (-7 * step, 11 * step), (24, 32)):
        rolled = all_rows(wrapped, np.roll(PIXELS, shift, (0, 1)), tile_px=tile_px)
        expected = np.roll(result, np.multiply(shift, predictor.scale), (0, 1))
        np.testing.assert_allclose(rolled, expected, atol=2e-5)
    # Without, the borders show.
    plain = all_rows(predictor, PIXELS)
    assert np.abs(plain - result).max() > 0.01


@pytest.mark.parametrize("scale", [0.5, 1.5, 3])
def test_resized_textures_are_periodic_too(scale):
    wrapped = FinishedPredictor(predictor_of(model_of(scale=2)), Finish(Sizing(scale=scale), wrap=True))
    result = all_rows(wrapped, PIXELS)
    rolled = all_rows(wrapped, np.roll(PIXELS, (8, 16), (0, 1)))
    np.testing.assert_allclose(rolled, np.roll(result, (int(8 * scale), int(16 * scale)), (0, 1)), atol=2e-5)


def test_small_textures_wrap_more_than_once():
    wrapped = FinishedPredictor(predictor_of(model_of(scale=2)), Finish(wrap=True))
    tiny = PIXELS[:2, :3]
    tiled = all_rows(wrapped, np.tile(tiny, (8, 8, 1)))
    np.testing.assert_allclose(all_rows(wrapped, tiny), tiled[:4, :6], atol=2e-5)


def test_grain_is_the_same_whatever_the_tiles_and_leaves_black_and_white():
    flat = np.full((64, 256, 3), 128, np.uint8)
    flat[:, 128:] = 255
    finished = FinishedPredictor(Fake(), Finish(grain=0.05, seed=7))
    first, second = (all_rows(finished, flat, tile_px=px) for px in (3, 64))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first[:, :128] - 128 / 255).std() > 0 and first[:, :128, 0].std() == pytest.approx(0.05, rel=0.05)
    assert (first[:, 128:] == 1).all()
    np.testing.assert_array_equal(first[..., 0], first[..., 2])
    other = all_rows(FinishedPredictor(Fake(), Finish(grain=0.05, seed=8)), flat)
    frames = [all_rows(finished.for_frame(index), flat) for index in (0, 1)]
    np.testing.assert_array_equal(frames[0], first)
    for different in (other, frames[1]):
        assert np.corrcoef(different[:, :128, 0].ravel(), first[:, :128, 0].ravel())[0, 1] < 0.05


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_regions_stay_exactly_and_lead_over(dtype):
    peak = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, peak + 1, (40, 60, 3), dtype)
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 10:30] = 255
    finish = Finish(feather_px=8)
    finished = FinishedPredictor(Fake(darkened), finish, keep=feathered(mask, feather_px=8))
    result = np.rint(all_rows(finished, pixels) * peak).astype(dtype)
    np.testing.assert_array_equal(result[10:20, 10:30], pixels[10:20, 10:30])
    far = np.ones((40, 60), bool)
    far[:30, :40] = False
    np.testing.assert_allclose(result[far], pixels[far] * 0.5, atol=0.51)
    shares = feathered(mask, feather_px=8)[15, 29:41].astype(int)
    assert shares[0] == 255 and shares[-1] == 0 and (np.diff(shares) <= 0).all() and len(set(shares)) > 5


def test_kept_regions_of_an_enlargement_are_bicubic():
    mask = np.zeros((48, 64), np.uint8)
    mask[16:40, 8:56] = 255
    finished = FinishedPredictor(
        Fake(lambda values: 0 * values.repeat(4, 0).repeat(4, 1), scale=4),
        Finish(Sizing(scale=3), grain=0.1),
        keep=feathered(mask, feather_px=8),
    )
    expected = np.clip(resize(PIXELS[None] / np.float32(255), height=144, width=192)[0], 0, 1)
    result = all_rows(finished, PIXELS)
    np.testing.assert_allclose(result[48:120, 24:168], expected[48:120, 24:168], atol=1e-5)
    assert (result[:6] == 0).all()


def test_a_mask_that_touches_the_edge_of_a_texture_leads_over_at_the_other():
    mask = np.zeros((32, 32), np.uint8)
    mask[:, :4] = 255
    assert feathered(mask, feather_px=8, wrap=True)[:, -1].min() > 128
    assert feathered(mask, feather_px=8)[:, -1].max() == 0


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_transparency_takes_the_size_and_no_grain(tmp_path):
    rgba = np.dstack([PIXELS, np.full((48, 64), 255, np.uint8)])
    rgba[:, :32, 3] = 128
    rgba[:24, :, 3] = 0
    source = save(tmp_path / "a.png", rgba)
    for scale in (1, 4):
        model = Fake(lambda values, scale=scale: values.repeat(scale, 0).repeat(scale, 1), scale=scale)
        finished = FinishedPredictor(model, Finish(Sizing(scale=2), grain=0.1))
        assert predict_path(finished, source, tmp_path / "b.png").written
        alpha = read_image(tmp_path / "b.png").alpha
        assert alpha.shape == (96, 128)
        assert (alpha[60:, :50] == 128).all() and (alpha[60:, 80:] == 255).all() and (alpha[:40] == 0).all()


def test_a_folder_with_masks_of_the_same_names(tmp_path):
    for name in ("a.png", "sub/b.png", "c.png"):
        save(tmp_path / "in" / name, PIXELS)
    save(tmp_path / "keep" / "a.jpg", np.full((48, 64), 255, np.uint8))
    save(tmp_path / "keep" / "sub" / "b.png", np.zeros((48, 64), np.uint8))
    save(tmp_path / "keep" / "c.png", np.zeros((8, 8), np.uint8))
    reasons = []
    summary = predict_path(
        Fake(darkened),
        tmp_path / "in",
        tmp_path / "out",
        keep_masks=tmp_path / "keep",
        on_failure=lambda _, reason: reasons.append(reason),
    )
    assert (
        len(summary.written) == 2
        and "must be as large as its image. It has 8 x 8 pixels, the image 64 x 48" in reasons[0]
    )
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "a.png").pixels, PIXELS)
    np.testing.assert_allclose(read_image(tmp_path / "out" / "sub" / "b.png").pixels, PIXELS * 0.5, atol=0.51)


def test_the_result_says_what_was_done(tmp_path):
    source, notes = save(tmp_path / "a.png", PIXELS), []
    finished = FinishedPredictor(Fake(), Finish(Sizing(scale=0.5), grain=0.02, seed=3, models=("one", "two")))
    predict_path(finished, source, tmp_path / "b.png", on_note=lambda _, note: notes.append(note))
    assert notes == ["the model's 64 x 48 pixels were resized to 32 x 24 (bicubic, antialiased)"]
    with Image.open(tmp_path / "b.png") as image:
        assert image.text["Comment"].endswith(f": one, then two; grain 0.02 of seed 3; {notes[0]}")


def test_few_frames_of_a_video_are_in_memory_at_a_time(tmp_path):
    source, peaks = tmp_path / "in.mp4", {}
    finish = Finish(Sizing(scale=3), wrap=True, grain=0.02)
    keep = feathered(np.eye(64, 96, dtype=np.uint8) * 255, feather_px=8)
    finished = FinishedPredictor(predictor_of(model_of(scale=2)), finish, keep=keep)
    for count in (5, 60):
        write_video(source, moving_images(count, height=64, width=96))
        tracemalloc.start()
        try:
            assert predict_video(finished, source, tmp_path / "out.mp4") == count
            _, peaks[count] = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peaks[60] < peaks[5] + 5 * 3 * 64 * 3 * 96 * 3  # Bytes of five frames of the 55 that there are more.
