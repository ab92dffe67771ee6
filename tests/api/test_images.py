"""What a user gives to a loaded model comes back in kind."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageCms
from tiny_generator import build_tiny_generator
from tiny_style import build_tiny_style_model

from tfgan_app.api.noise_model import NoiseModel
from tfgan_app.api.predictors import ImageModel
from tfgan_app.inference import Predictor, predictor_of
from tfgan_app.layers import ReceptiveField
from tfgan_app.model_info import ModelInfo

RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 256, (6, 9, 3), np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def image_model(function=lambda images: images, **fields) -> ImageModel:
    info = ModelInfo(**{"receptive_field": ReceptiveField(1, 0), **fields})
    return ImageModel(Predictor(function, "model", info=info), info)


def doubled(images):
    return tf.repeat(tf.repeat(images, 2, 1), 2, 2)


UPSCALER = image_model(doubled, receptive_field=ReceptiveField(2, 0))
SAME = image_model()
COLORIZER = image_model(lambda images: images * [1.0, 0.5, 0.0], makes_color=True)
INPAINTER = image_model(lambda images: images[..., :3] * images[..., 3:], kind="inpainting", channels=4)


def random_levels(shape, dtype):
    if np.issubdtype(dtype, np.floating):
        return RNG.random(shape).astype(dtype)
    return RNG.integers(0, np.iinfo(dtype).max + 1, shape, dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1), (6, 9, 3), (2, 6, 9, 1), (2, 6, 9, 3), (1, 6, 9, 3)])
def test_arrays_come_back_in_dtype_range_and_rank(dtype, shape):
    x = random_levels(shape, dtype)
    before = x.copy()
    result = UPSCALER.predict(x)
    rows, columns = (0, 1) if len(shape) < 4 else (1, 2)
    expected = x.repeat(2, rows).repeat(2, columns)
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(result.astype(float), expected.astype(float), rtol=1e-3 if dtype == np.float16 else 1e-6)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_carried_along(dtype, channels):
    x = random_levels((6, 9, channels), dtype)
    x[..., -1] = 0
    x[:3, :, -1] = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    kept, enlarged = SAME.predict(x), UPSCALER.predict(x)
    np.testing.assert_allclose(kept, x, rtol=1e-6)
    assert enlarged.shape == (12, 18, channels) and enlarged.dtype == dtype
    np.testing.assert_array_equal(enlarged[:4, :, -1], x[:2, :, -1].repeat(2, 0).repeat(2, 1))


def test_a_float_image_keeps_what_integers_would_lose():
    x = np.full((2, 2, 3), 0.123456, np.float32)
    np.testing.assert_array_equal(SAME.predict(x), x)


def test_a_tensor_is_an_array():
    result = UPSCALER.predict(tf.constant(PHOTO))
    assert isinstance(result, np.ndarray) and result.shape == (12, 18, 3)


def test_gray_becomes_color_where_the_model_makes_it():
    assert COLORIZER.predict(PHOTO[..., 0]).shape == (6, 9, 3)
    assert COLORIZER.predict(Image.fromarray(PHOTO[..., 0])).mode == "RGB"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("1", "L"), ("L", "L"), ("LA", "LA"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("CMYK", "RGB")],
)
def test_pillow_images_come_back_as_such(mode, expected):
    result = UPSCALER.predict(Image.fromarray(PHOTO).convert(mode))
    assert (result.mode, result.size) == (expected, (18, 12))


def test_gray_of_16_bits_stays_so():
    deep = random_levels((6, 9), np.uint16)
    result = SAME.predict(Image.fromarray(deep))
    assert result.mode == "I;16"
    np.testing.assert_array_equal(np.asarray(result), deep)


def test_files_are_read_upright_with_their_profile(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PHOTO).save(tmp_path / "turned.png", exif=exif, icc_profile=SRGB)
    for given in (tmp_path / "turned.png", str(tmp_path / "turned.png"), Image.open(tmp_path / "turned.png")):
        result = SAME.predict(given)
        np.testing.assert_array_equal(np.asarray(result), np.rot90(PHOTO, -1))
        assert result.info["icc_profile"] == SRGB


MASK = np.zeros((6, 9), bool)
MASK[2:4, 3:7] = True


def test_masks_of_every_kind_fill_the_same(tmp_path):
    expected = np.where(MASK[..., None], 0, PHOTO)
    light = MASK.astype(np.uint8) * 255
    Image.fromarray(light).save(tmp_path / "mask.png")
    for mask in (MASK, light, light.astype(np.float32) / 255, Image.fromarray(light), tmp_path / "mask.png"):
        np.testing.assert_array_equal(INPAINTER.predict(PHOTO, mask=mask), expected)
    transparent = np.dstack([PHOTO, 255 - light])
    np.testing.assert_array_equal(INPAINTER.predict(transparent), expected)


def test_a_batch_takes_one_mask_or_one_each():
    batch = np.stack([PHOTO, PHOTO[::-1]])
    masks = np.stack([MASK, ~MASK])
    np.testing.assert_array_equal(INPAINTER.predict(batch, mask=masks), np.where(masks[..., None], 0, batch))
    np.testing.assert_array_equal(INPAINTER.predict(batch, mask=MASK), np.where(MASK[..., None], 0, batch))


def test_a_style_is_taken_from_any_image(tmp_path):
    model = predictor_of(build_tiny_style_model(), "style")
    styled, style = ImageModel(model, model.info), RNG.integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(style).save(tmp_path / "style.png")
    expected = styled.predict(PHOTO, style=style, strength=0.5)
    for given in (tmp_path / "style.png", Image.fromarray(style), style / np.float32(255)):
        np.testing.assert_array_equal(styled.predict(PHOTO, style=given, strength=0.5), expected)
    assert not np.array_equal(styled.predict(PHOTO, style=style), expected)
    gray = styled.predict(PHOTO[..., 0], style=style, keep_colors=True)
    assert gray.shape == (6, 9)
    with pytest.raises(ValueError, match="`style` must be a style image"):
        styled.predict(PHOTO)
    with pytest.raises(ValueError, match="`strength` must be from 0 to 1. Received: 2"):
        styled.predict(PHOTO, style=style, strength=2)


def test_what_is_blended_from_tiles_is_told():
    model = image_model(receptive_field=ReceptiveField(1, None))
    with pytest.warns(UserWarning, match="blended from tiles"):
        model.predict(np.zeros((300, 300, 3), np.uint8), tile=64)


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        ("missing.png", {}, r"Cannot read the image 'missing\.png'"),
        (".", {}, "Received the folder '.': pass it to `predict_files`"),
        (PHOTO.astype(np.int32), {}, r"Received: int32 \[6, 9, 3\]"),
        (PHOTO.astype(np.float32), {}, r"Float images must lie in \[0, 1\]. Received: values from \d+ to \d+"),
        (np.full((2, 2, 3), np.nan), {}, r"Float images must lie in \[0, 1\]"),
        (np.zeros((6, 9, 5), np.uint8), {}, r"with 1 to 4 channels. Received: uint8 \[6, 9, 5\]"),
        (np.zeros((0, 9, 3), np.uint8), {}, r"Received: uint8 \[0, 9, 3\]"),
        (np.zeros((0, 9), np.uint8), {}, r"Received: uint8 \[0, 9\]"),
        (None, {}, r"Received: object \[\]"),
        (PHOTO, {"mask": MASK}, "A mask applies only to models that fill holes"),
        (PHOTO, {"style": PHOTO}, "`style` is for style models"),
        (PHOTO, {"tile": 0}, "`tile_px` must be a positive integer. Received: 0"),
    ],
)
def test_what_cannot_be_predicted_is_told_in_one_line(x, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        SAME.predict(x, **options)
    assert "\n" not in str(caught.value)


def test_holes_must_be_known():
    with pytest.raises(ValueError, match="needs a mask: give `--mask`"):
        INPAINTER.predict(PHOTO)
    with pytest.raises(ValueError, match="The mask must be as large as its image. It has 2 x 2 pixels"):
        INPAINTER.predict(PHOTO, mask=np.zeros((2, 2), bool))


def test_images_from_noise():
    sampler = predictor_of(build_tiny_generator(class_names=("cat", "dog")), "noise")
    model = NoiseModel(sampler, sampler.info)
    both = model.generate(2, seed=5)
    assert (both.dtype, both.shape) == (np.uint8, (4, 4, 4, 1))
    np.testing.assert_array_equal(both[2:], model.generate(2, seed=5, classes="dog"))
    np.testing.assert_array_equal(both[1:2], model.generate(1, seed=6, classes=["CAT"]))
    np.testing.assert_array_equal(both[:2], model.generate(2, seed=5, classes=0))
    assert not np.array_equal(both, model.generate(2, seed=5, truncation=0.1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "`count` must be at least 1"),
        ({"seed": -1}, "`seed` at least 0"),
        ({"classes": "cow"}, "There is no class 'cow'"),
        ({"truncation": 0.0}, "`truncation` must be a positive number"),
    ],
)
def test_noise_is_checked(options, message):
    sampler = predictor_of(build_tiny_generator(class_names=("cat", "dog")), "noise")
    with pytest.raises(ValueError, match=message):
        NoiseModel(sampler, sampler.info).generate(**options)


def test_each_kind_of_model_names_the_other_method():
    with pytest.raises(ValueError, match="use `predict`"):
        SAME.generate(count=2)
    sampler = predictor_of(build_tiny_generator(), "noise")
    with pytest.raises(ValueError, match="use `generate`"):
        NoiseModel(sampler, sampler.info).predict(PHOTO)
