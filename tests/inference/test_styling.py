"""Style transfer: in tiles, with kept colors, and from every kind of file."""

import numpy as np
import pytest
from tiny_style import build_tiny_style_model

from tfgan_app.export import export_model
from tfgan_app.inference import Finish, FinishedPredictor, Sizing, Stylist, load_predictor, predictor_of, styling
from tfgan_app.keras_info import model_info
from tfgan_app.layers import ColorConversion, channel_statistics, style_parts

RNG = np.random.default_rng(0)
CONTENT = RNG.integers(90, 160, (45, 70, 3), np.uint8)
STYLE = RNG.integers(0, 256, (33, 20, 3), np.uint8)


@pytest.fixture(scope="module")
def model():
    return build_tiny_style_model()


def whole(model, *, strength=1.0):
    inputs = [pixels[None].astype(np.float32) / 255.0 for pixels in (CONTENT, STYLE)]
    return np.asarray(model([*inputs, np.array([strength], np.float32)]))[0]


@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_tiles_are_given_the_statistics_of_the_whole(model, strength):
    predictor = predictor_of(model, "model").with_style(STYLE, strength=strength)
    expected = whole(model, strength=strength)
    for tile_px in (None, 8):
        rows = np.concatenate(list(predictor.rows(CONTENT, tile_px=tile_px)))
        np.testing.assert_allclose(rows, expected, atol=1e-5)
    assert np.abs(whole(model, strength=0.0) - expected).max() > 0.01
    assert predictor.info.makes_color and predictor.blends(45, 70) is None


def styled(predictor, pixels):
    return np.concatenate(list(predictor.rows(pixels)))


def test_strength_0_is_the_content_decoded(model):
    encoder, decoder = (model.get_layer(name) for name in ("encoder", "decoder"))
    size = CONTENT[:40, :64]
    decoded = decoder(encoder(size[None].astype(np.float32) / 127.5 - 1.0))
    predictor = predictor_of(model, "model").with_style(STYLE, strength=0.0)
    np.testing.assert_allclose(styled(predictor, size), np.clip(np.asarray(decoded)[0] * 0.5 + 0.5, 0, 1), atol=1e-5)


def test_colors_can_be_those_of_the_content(model):
    stylist = predictor_of(model, "model")
    moved = styled(stylist.with_style(STYLE), CONTENT)
    kept = styled(stylist.with_style(STYLE, keep_colors=True), CONTENT)
    to_yuv = ColorConversion("rgb_to_yuv")
    content, moved, kept = (np.asarray(to_yuv(x)) for x in (CONTENT / np.float32(255), moved, kept))
    assert np.abs(moved[..., 1:] - content[..., 1:]).max() > 0.05
    np.testing.assert_allclose(kept[..., 1:], content[..., 1:], atol=1e-4)
    np.testing.assert_allclose(kept[..., 0], moved[..., 0], atol=1e-4)


def test_gray_images_stay_gray_with_their_own_colors(model):
    gray = np.repeat(CONTENT[..., :1], 3, axis=-1)
    predictor = predictor_of(model, "model").with_style(STYLE, keep_colors=True)
    assert not predictor.info.makes_color
    assert np.ptp(styled(predictor, gray), axis=-1).max() < 1e-5


def test_statistics_of_large_images_come_from_a_smaller_copy(model, monkeypatch):
    stylist = predictor_of(model, "model")
    exact = stylist.statistics(CONTENT)
    monkeypatch.setattr(styling, "STATISTICS_PIXELS", 1000)
    assert not np.allclose(stylist.statistics(CONTENT), exact)
    predictor = stylist.with_style(STYLE)
    assert "smaller copy" in predictor.blends(45, 70)
    tiled, at_once = (predictor.rows(CONTENT, tile_px=tile_px) for tile_px in (8, 70))
    np.testing.assert_allclose(np.concatenate(list(tiled)), np.concatenate(list(at_once)), atol=1e-5)


def test_parts_are_the_model(model):
    parts = style_parts(model)
    info = model_info(model)
    assert (info.kind, info.scale, info.multiple, info.makes_color) == ("style", 1, 8, True) and info.halo_px
    image = CONTENT[None, :40, :64].astype(np.float32) / 255.0
    features = model.get_layer("encoder")(image * 2 - 1)
    np.testing.assert_allclose(parts.statistics(image), channel_statistics(features), atol=1e-5)


def test_a_keras_file_predicts_the_same(model, tmp_path):
    held_out = [(CONTENT, None), (STYLE, None)]
    result = export_model(model, format="keras", output_dir=tmp_path, name="style", held_out=held_out)
    assert result.parity.max_error < 1e-6
    loaded = load_predictor(result.path)
    assert isinstance(loaded, Stylist)
    np.testing.assert_allclose(
        styled(loaded.with_style(STYLE, strength=0.5), CONTENT), whole(model, strength=0.5), atol=1e-5
    )


@pytest.mark.parametrize("format", ["tflite", "web"])
def test_formats_of_one_image_are_refused(model, format, tmp_path):
    with pytest.raises(ValueError, match=f"The format {format} takes one image.*saved_model or keras"):
        export_model(model, format=format, output_dir=tmp_path / "out", name="style", held_out=[(CONTENT, None)])
    assert not (tmp_path / "out").exists()


def test_steps_around_a_styled_model(model):
    """Textures are nearly seamless, since the statistics see the borders of the content."""
    predictor, texture = predictor_of(model, "model").with_style(STYLE), CONTENT[:40, :64]
    wrapped = FinishedPredictor(predictor, Finish(wrap=True))
    rolled = styled(wrapped, np.roll(texture, (16, 24), (0, 1)))
    assert np.abs(rolled - np.roll(styled(wrapped, texture), (16, 24), (0, 1))).max() < 0.05
    assert "nearly periodic" in wrapped.remarks(40, 64)[0]
    finished = FinishedPredictor(predictor, Finish(Sizing(scale=2), grain=0.01))
    assert styled(finished, texture).shape == (80, 128, 3)


def test_the_history_names_the_style_model(model):
    styled_model = predictor_of(model, "tiny.keras").with_style(STYLE)
    assert FinishedPredictor(styled_model, Finish(wrap=True)).history.endswith(": tiny.keras; periodic borders")
