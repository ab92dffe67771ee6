"""The second-order degradations: sizes, draws shared by a batch, effect of each range."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from tfgan_app.degradations.real_esrgan import FIRST_STAGE, SECOND_STAGE, STAGE_DRAWS, RealESRGAN


def photos(batch=2, side=64):
    crop = skimage.data.astronaut()[80 : 80 + side, 160 : 160 + side] / np.float32(255)
    return tf.constant(np.stack([np.roll(crop, 7 * index, axis=1) for index in range(batch)]))


def draws_for(batch=2, seed=0, **first):
    """Draws, with those of the first stage that are named given for all examples."""
    draws = tf.random.stateless_uniform((batch, RealESRGAN.draws_per_example), (seed, 1)).numpy()
    for name, value in first.items():
        draws[:, STAGE_DRAWS.index(name)] = value
    return tf.constant(draws)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_images_come_out_smaller_by_the_scale_and_in_8_bits(scale):
    for seed in range(4):
        out = RealESRGAN(scale=scale)(photos(), draws_for(seed=seed))
        assert out.shape == (2, 64 // scale, 64 // scale, 3)
        np.testing.assert_allclose(255 * out, np.round(255 * out), atol=1e-3)
        assert np.min(out) >= 0
        assert np.max(out) <= 1
        assert np.abs(np.mean(out, axis=(1, 2)) - np.mean(photos(), axis=(1, 2))).max() < 0.1


def test_static_shapes_stay_static():
    concrete = tf.function(RealESRGAN(scale=4), autograph=False).get_concrete_function(
        tf.TensorSpec([None, 64, 32, 3]), tf.TensorSpec([None, RealESRGAN.draws_per_example])
    )
    assert concrete.output_shapes.as_list() == [None, 16, 8, 3]


def test_the_first_example_decides_what_a_batch_shares():
    degradation, images = RealESRGAN(scale=2), photos(3)
    draws = draws_for(3)
    out = degradation(images, draws).numpy()
    other_third = degradation(images, tf.concat([draws[:2], draws_for(1, seed=9)], axis=0)).numpy()
    assert np.mean(np.abs(other_third[:2] - out[:2]) > 1e-5) < 0.01
    assert np.abs(other_third[2] - out[2]).mean() > 0.01


def test_examples_of_a_batch_are_degraded_differently():
    images = tf.repeat(photos(1), 3, axis=0)
    out = RealESRGAN()(images, draws_for(3)).numpy()
    for other in out[1:]:
        assert np.abs(other - out[0]).mean() > 0.01


HARMLESS = {
    "sigma_px": (0.0, 0.0),
    "ringing": 0.0,
    "shapes": (1, 0, 0, 0, 0, 0),
    "directions": (0, 0, 1),
    "sigma_255": (0.0, 0.0),
    "poisson_scale": (0.0, 0.0),
    "quality": (100, 100),
}


def test_strength_0_leaves_images_as_they_are_up_to_jpeg():
    first, second = replace(FIRST_STAGE, **HARMLESS), replace(SECOND_STAGE, **HARMLESS)
    gray = tf.repeat(photos()[..., 1:2], 3, axis=-1)
    out = RealESRGAN(first=first, second=second, final_ringing=0.0)(gray, draws_for())
    assert np.abs(out - gray).max() < 2.5 / 255


def test_each_range_degrades_by_itself():
    second, images = replace(SECOND_STAGE, **HARMLESS), photos()
    for name in ("sigma_px", "directions", "sigma_255", "quality"):
        changed = {"sigma_px": (3.0, 3.0), "directions": (0, 1, 0), "sigma_255": (30.0, 30.0), "quality": (30, 30)}
        first = replace(FIRST_STAGE, **{**HARMLESS, name: changed[name]})
        degradation = RealESRGAN(first=first, second=second, final_ringing=0.0)
        out = degradation(images, draws_for(noise=0.1, factor=0.3))
        assert np.abs(out - images).mean() > 0.01, name


def test_sizes_that_are_no_multiples_and_scales_below_1_are_named():
    with pytest.raises(ValueError, match="multiples of the scale 4.*Received: 64 x 62"):
        RealESRGAN(scale=4)(photos()[:, :, :62], draws_for())
    with pytest.raises(ValueError, match="`scale`"):
        RealESRGAN(scale=0)


@pytest.mark.parametrize(
    ("name", "wrong"), [("sigma_px", (3.0, 1.0)), ("factor", (0.0, 1.5)), ("quality", (0, 95)), ("ringing", 2.0)]
)
def test_ranges_of_a_stage_are_checked(name, wrong):
    with pytest.raises(ValueError, match=f"`{name}`"):
        replace(FIRST_STAGE, **{name: wrong})
