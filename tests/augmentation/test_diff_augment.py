"""DiffAugment's single policies against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfgan_app.augmentation.diff_augment import DRAWS, DiffAugment


def draws(batch=1, **values):
    """Draws by name; at probability 0.5 nothing is applied but policies whose gate is given as 0."""
    table = {name: np.full(batch, 0.9 if name.endswith("_gate") else 0.5, np.float32) for name in DRAWS}
    table.update({name: np.broadcast_to(np.float32(value), batch) for name, value in values.items()})
    return tf.constant(np.stack([table[name] for name in DRAWS], axis=1))


def augment(images, augmentation=None, **values):
    images = np.asarray(images, np.float32)
    return (augmentation or DiffAugment())(images, draws(len(images), **values), 0.5).numpy()


def noise(batch=1, size=8, channels=3):
    return np.random.default_rng(0).uniform(-1, 1, (batch, size, size, channels)).astype(np.float32)


def test_brightness_adds_to_every_pixel_and_may_leave_the_range():
    images = noise()
    np.testing.assert_allclose(augment(images, color_gate=0, brightness=0.75), images + 0.25, atol=1e-6)
    assert augment(np.ones((1, 8, 8, 3)), color_gate=0, brightness=0.75).max() == 1.25


def test_saturation_scales_the_distance_from_the_channels_mean():
    images = np.broadcast_to(np.float32([0.9, 0.3, 0.0]), (1, 8, 8, 3))
    halved = augment(images, color_gate=0, saturation=0.25)
    np.testing.assert_allclose(halved[0, 3, 5], [0.65, 0.35, 0.2], atol=1e-6)
    np.testing.assert_allclose(augment(images, color_gate=0, saturation=0), 0.4, atol=1e-6)


def test_contrast_scales_the_distance_from_the_images_mean():
    images = np.full((1, 8, 8, 3), 0.6)
    images[:, 4:] = -0.2
    halved = augment(images, color_gate=0, contrast=0)
    np.testing.assert_allclose(halved[:, :4], 0.4, atol=1e-6)
    np.testing.assert_allclose(halved[:, 4:], 0.0, atol=1e-6)


def test_color_is_brightness_then_saturation_then_contrast():
    expected = noise()
    changed = augment(expected, color_gate=0, brightness=0.8, saturation=0.1, contrast=0.9)
    expected = expected + 0.3
    gray = expected.mean(axis=-1, keepdims=True)
    expected = gray + (expected - gray) * 0.2
    expected = expected.mean() + (expected - expected.mean()) * 1.4
    np.testing.assert_allclose(changed, expected, atol=1e-6)


def test_saturation_leaves_gray_images_alone():
    images = noise(channels=1)
    np.testing.assert_array_equal(augment(images, color_gate=0, saturation=0.9), images)
    brighter = augment(images, color_gate=0, brightness=0.75, contrast=1 - 2**-23)
    np.testing.assert_allclose(brighter, images.mean() + 0.25 + (images - images.mean()) * 1.5, atol=1e-5)


def test_translation_moves_whole_pixels_and_shows_mid_gray():
    images = noise()
    moved = augment(images, DiffAugment(translation=0.25), translation_gate=0, shift_down=0.999, shift_right=0.0)
    np.testing.assert_array_equal(moved[:, 2:, :6], images[:, :6, 2:])
    assert not moved[:, :2].any()
    assert not moved[:, :, 6:].any()


def test_every_shift_up_to_the_fraction_is_as_likely():
    marked = np.zeros((90, 16, 16, 1))
    marked[:, 8, 8] = 1.0
    moved = augment(marked, translation_gate=0, shift_down=(np.arange(90) + 0.5) / 90)
    rows, counts = np.unique(np.argwhere(moved)[:, 1], return_counts=True)
    np.testing.assert_array_equal(rows, [6, 7, 8, 9, 10])
    np.testing.assert_array_equal(counts, 18)


@pytest.mark.parametrize(
    ("size", "draw", "box"),
    [
        (8, 0.5, slice(2, 6)),
        (8, 0.0, slice(0, 2)),
        (8, 0.99, slice(6, 8)),
        (6, 0.5, slice(2, 5)),
        (6, 0.0, slice(0, 2)),
        (6, 0.99, slice(4, 6)),
    ],
)
def test_cutout_blanks_a_box_that_the_border_clips(size, draw, box):
    images = np.ones((1, size, size, 3))
    expected = images.copy()
    expected[:, box, 1 + size // 2 - size // 4 : 1 + size // 2 + size // 4 + size // 2 % 2] = 0.0
    column = (size // 2 + 1.5) / (size + 1 - size // 2 % 2)
    np.testing.assert_array_equal(augment(images, cutout_gate=0, cutout_row=draw, cutout_column=column), expected)


def test_policies_that_are_off_do_nothing():
    images = noise()
    everything = dict.fromkeys(DRAWS, 0.0)
    only_cutout = augment(images, DiffAugment(color=False, translation=0.0), **everything)
    expected = images.copy()
    expected[:, :2, :2] = 0.0
    np.testing.assert_array_equal(only_cutout, expected)
    only_shift = augment(images, DiffAugment(color=False, cutout=0.0), **everything)
    np.testing.assert_array_equal(only_shift[:, :-1, :-1], images[:, 1:, 1:])


@pytest.mark.parametrize(
    "policy",
    [
        {"color": True, "translation": 0.0, "cutout": 0.0},
        {"color": False, "translation": 0.0, "cutout": 0.5},
    ],
    ids=["color", "cutout"],
)
def test_as_many_images_are_touched_as_the_probability_says(policy):
    images = noise(batch=4000, size=4)
    u = tf.random.stateless_uniform((4000, len(DRAWS)), (0, 1))
    touched = (DiffAugment(**policy)(images, u, 0.3).numpy() != images).any(axis=(1, 2, 3))
    assert abs(touched.mean() - 0.3) < 0.03


def test_policies_are_drawn_independently():
    images = noise(batch=4000, size=4)
    u = tf.random.stateless_uniform((4000, len(DRAWS)), (0, 2))
    untouched = (DiffAugment(translation=0.0)(images, u, 0.5).numpy() == images).all(axis=(1, 2, 3))
    assert abs(untouched.mean() - 0.25) < 0.03


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"translation": 1.0}, "`translation`"),
        ({"cutout": -0.1}, "`cutout`"),
        ({"color": False, "translation": 0.0, "cutout": 0.0}, "all off"),
    ],
)
def test_settings_out_of_range_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        DiffAugment(**options)
