"""ADA's single transforms against values worked out by hand, and whole pipelines against SciPy and matrices."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tfgan_app.augmentation.adaptive import DRAWS, AdaptiveAugmentation

ONE_STD = NormalDist().cdf(1.0)
TWELFTH_TURN = 0.5 + 1 / 12


def draws(batch=1, **values):
    """Draws by name; at probability 0.5 nothing is applied but transforms whose gate is given as 0."""
    table = {name: np.full(batch, 0.9 if name.endswith("_gate") else 0.5, np.float32) for name in DRAWS}
    table.update({name: np.broadcast_to(np.float32(value), batch) for name, value in values.items()})
    return tf.constant(np.stack([table[name] for name in DRAWS], axis=1))


def augment(images, **values):
    images = np.asarray(images, np.float32)
    return AdaptiveAugmentation()(images, draws(len(images), **values), 0.5).numpy()


def noise(batch=1, size=8, channels=3):
    return np.random.default_rng(0).uniform(-1, 1, (batch, size, size, channels)).astype(np.float32)


def ramps(size=16):
    """Two gray images that hold each pixel's distance from the center, to the right and down."""
    distance = np.arange(size, dtype=np.float32) - (size - 1) / 2
    down, right = np.meshgrid(distance, distance, indexing="ij")
    return right, down


def augmented_ramps(**values):
    right, down = ramps()
    out = augment(np.stack([right, down])[..., None], **values)[..., 0]
    # Away from the border, where nothing was mirrored in.
    return out[:, 5:11, 5:11], right[5:11, 5:11], down[5:11, 5:11]


def test_flip_mirrors_left_and_right_exactly():
    images = noise()
    np.testing.assert_array_equal(augment(images, flip_gate=0, flip=0.7), images[:, :, ::-1])
    np.testing.assert_array_equal(augment(images, flip_gate=0, flip=0.3), images)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_quarter_turns_are_exact(turns):
    images = noise()
    turned = augment(images, turn_gate=0, turn=turns / 4)
    np.testing.assert_array_equal(turned, np.rot90(images, turns, axes=(1, 2)))


def test_whole_pixel_shifts_are_exact_and_mirror_the_image_in():
    images = noise(size=16)
    moved = augment(images, shift_gate=0, shift_right=1 - 2**-20, shift_down=0.25)
    expected = np.pad(images, ((0, 0), (0, 1), (2, 0), (0, 0)), mode="reflect")[:, 1:, :16]
    np.testing.assert_array_equal(moved, expected)


def test_blits_together_are_exact():
    images = noise(size=16)
    moved = augment(
        images, flip_gate=0, flip=0.7, turn_gate=0, turn=0.3, shift_gate=0, shift_right=0.75, shift_down=0.5
    )
    expected = np.rot90(images[:, :, ::-1], 1, axes=(1, 2))
    expected = np.pad(expected, ((0, 0), (0, 0), (1, 0), (0, 0)), mode="reflect")[:, :, :16]
    np.testing.assert_array_equal(moved, expected)


def test_scale_enlarges_about_the_center():
    out, right, down = augmented_ramps(scale_gate=0, scale=ONE_STD)
    np.testing.assert_allclose(out, np.stack([right, down]) / 2**0.2, atol=1e-4)


def test_stretch_keeps_the_area():
    out, right, down = augmented_ramps(stretch_gate=0, stretch=ONE_STD)
    np.testing.assert_allclose(out, np.stack([right / 2**0.2, down * 2**0.2]), atol=1e-4)


@pytest.mark.parametrize("name", ["first_rotation", "second_rotation"])
def test_rotation_turns_counter_clockwise_like_quarter_turns(name):
    out, right, down = augmented_ramps(**{f"{name}_gate": 0, name: TWELFTH_TURN})
    cos, sin = math.cos(math.pi / 6), math.sin(math.pi / 6)
    np.testing.assert_allclose(out, np.stack([cos * right - sin * down, sin * right + cos * down]), atol=1e-4)
    images = noise()
    turned = augment(images, **{f"{name}_gate": 0, name: 0.75})
    np.testing.assert_allclose(turned, np.rot90(images, 1, axes=(1, 2)), atol=1e-4)


def test_drift_is_a_fraction_of_the_size():
    out, right, down = augmented_ramps(drift_gate=0, drift_right=ONE_STD, drift_down=1 - NormalDist().cdf(0.25))
    np.testing.assert_allclose(out, np.stack([right - 2.0, down + 0.5]), atol=1e-4)


def test_each_rotation_is_rarer_so_that_the_pair_has_the_probability():
    images = noise()
    below, above = 1 - math.sqrt(0.5) - 1e-3, 1 - math.sqrt(0.5) + 1e-3
    assert np.abs(augment(images, first_rotation_gate=below, first_rotation=0.6) - images).max() > 0.1
    np.testing.assert_array_equal(augment(images, first_rotation_gate=above, first_rotation=0.6), images)


def test_geometry_is_the_papers_product_of_matrices_in_one_bilinear_resampling():
    images, probability = noise(batch=24, size=12, channels=1), 0.7
    u = tf.random.stateless_uniform((24, len(DRAWS)), (3, 4))
    out = AdaptiveAugmentation(color=False)(images, u, probability).numpy()
    for image, row, augmented in zip(images, u.numpy().astype(np.float64), out, strict=True):
        inverse = np.linalg.inv(forward_matrix(dict(zip(DRAWS, row, strict=True)), probability, len(image)))
        # SciPy's axes are (row, column), the matrices' (x, y).
        linear, center = inverse[1::-1, 1::-1], np.full(2, (len(image) - 1) / 2)
        offset = inverse[1::-1, 2] + center - linear @ center
        expected = ndimage.affine_transform(image[..., 0], linear, offset, order=1, mode="mirror")
        np.testing.assert_allclose(augmented[..., 0], expected, atol=1e-4)


def forward_matrix(u, probability, size):
    def z(name):
        return NormalDist().inv_cdf(u[name])

    def translate(x, y):
        return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])

    def rotate(angle):  # Counter-clockwise on the screen, where y points down.
        return np.array(
            [[math.cos(angle), math.sin(angle), 0], [-math.sin(angle), math.cos(angle), 0], [0, 0, 1]], np.float64
        )

    rare = 1 - math.sqrt(1 - probability)
    steps = [
        ("flip", probability, lambda: np.diag([-1 if u["flip"] >= 0.5 else 1, 1, 1])),
        ("turn", probability, lambda: rotate(math.pi / 2 * int(u["turn"] * 4))),
        (
            "shift",
            probability,
            lambda: translate(*(round((2 * u[name] - 1) * size / 8) for name in ("shift_right", "shift_down"))),
        ),
        ("scale", probability, lambda: np.diag([2 ** (0.2 * z("scale")), 2 ** (0.2 * z("scale")), 1])),
        ("first_rotation", rare, lambda: rotate((2 * u["first_rotation"] - 1) * math.pi)),
        ("stretch", probability, lambda: np.diag([2 ** (0.2 * z("stretch")), 2 ** (-0.2 * z("stretch")), 1])),
        ("second_rotation", rare, lambda: rotate((2 * u["second_rotation"] - 1) * math.pi)),
        ("drift", probability, lambda: translate(z("drift_right") * size / 8, z("drift_down") * size / 8)),
    ]
    matrix = np.eye(3)
    for name, chance, step in steps:
        if u[f"{name}_gate"] < chance:
            matrix = step() @ matrix
    return matrix


PIXEL = np.float32([0.5, 0.2, -0.1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"brightness_gate": 0, "brightness": ONE_STD}, [0.7, 0.4, 0.1]),
        ({"contrast_gate": 0, "contrast": NormalDist().cdf(2.0)}, [1.0, 0.4, -0.2]),
        ({"luma_flip_gate": 0, "luma_flip": 0.7}, [0.1, -0.2, -0.5]),
        ({"luma_flip_gate": 0, "luma_flip": 0.3}, [0.5, 0.2, -0.1]),
        ({"hue_gate": 0, "hue": 5 / 6}, [-0.1, 0.5, 0.2]),
        ({"saturation_gate": 0, "saturation": ONE_STD}, [0.8, 0.2, -0.4]),
        # Brightness comes before contrast.
        (
            {"brightness_gate": 0, "brightness": ONE_STD, "contrast_gate": 0, "contrast": NormalDist().cdf(2.0)},
            [1.4, 0.8, 0.2],
        ),
    ],
    ids=["brightness", "contrast", "luma flip", "no luma flip", "hue", "saturation", "brightness and contrast"],
)
def test_color_of_one_pixel(values, expected):
    out = augment(np.broadcast_to(PIXEL, (1, 8, 8, 3)), **values)
    np.testing.assert_allclose(out, np.broadcast_to(np.float32(expected), out.shape), atol=2e-6)


def test_hue_keeps_luma_and_saturation():
    images = noise(batch=5)
    turned = augment(images, hue_gate=0, hue=np.linspace(0.0, 0.9, 5))
    luma, turned_luma = images.mean(-1, keepdims=True), turned.mean(-1, keepdims=True)
    np.testing.assert_allclose(turned_luma, luma, atol=1e-6)
    chroma, turned_chroma = (np.linalg.norm(x, axis=-1) for x in (images - luma, turned - turned_luma))
    np.testing.assert_allclose(turned_chroma, chroma, atol=1e-6)
    assert np.abs(turned - images).max() > 0.5


def test_color_is_the_papers_product_of_matrices():
    images, probability = noise(batch=24, size=2), 0.7
    u = tf.random.stateless_uniform((24, len(DRAWS)), (5, 6))
    out = AdaptiveAugmentation(blit=False, geometry=False)(images, u, probability).numpy()
    for image, row, augmented in zip(images, u.numpy().astype(np.float64), out, strict=True):
        matrix = color_matrix(dict(zip(DRAWS, row, strict=True)), probability)
        np.testing.assert_allclose(augmented, image @ matrix[:3, :3].T + matrix[:3, 3], atol=2e-5)


def color_matrix(u, probability):
    axis = np.array([1, 1, 1, 0]) / math.sqrt(3)
    along = np.outer(axis, axis)
    cross = np.zeros((4, 4))
    cross[:3, :3] = np.cross(np.eye(3), axis[:3])
    chroma = np.diag([1, 1, 1, 0]) - along
    angle = (2 * u["hue"] - 1) * math.pi
    gains = {name: 2 ** (std * NormalDist().inv_cdf(u[name])) for name, std in (("contrast", 0.5), ("saturation", 1))}
    brighter = np.eye(4)
    brighter[:3, 3] = 0.2 * NormalDist().inv_cdf(u["brightness"])
    last = np.diag([0, 0, 0, 1])
    steps = {
        "brightness": brighter,
        "contrast": np.diag([gains["contrast"]] * 3 + [1]),
        "luma_flip": np.eye(4) - 2 * along * (u["luma_flip"] >= 0.5),
        "hue": along + math.cos(angle) * chroma + math.sin(angle) * cross + last,
        "saturation": along + gains["saturation"] * chroma + last,
    }
    matrix = np.eye(4)
    for name, step in steps.items():
        if u[f"{name}_gate"] < probability:
            matrix = step @ matrix
    return matrix


def test_gray_images_get_brightness_contrast_and_the_negative_only():
    images = noise(channels=1)
    np.testing.assert_array_equal(augment(images, luma_flip_gate=0, luma_flip=0.7), -images)
    values = {"brightness_gate": 0, "brightness": ONE_STD, "contrast_gate": 0, "contrast": NormalDist().cdf(2.0)}
    np.testing.assert_allclose(augment(images, **values), 2 * (images + 0.2), atol=2e-6)
    values = {"hue_gate": 0, "hue": 0.8, "saturation_gate": 0, "saturation": ONE_STD}
    np.testing.assert_array_equal(augment(images, **values), images)


@pytest.mark.parametrize(
    ("group", "untouched"),
    [
        # Half of the flips, a quarter of the turns and, at 8 pixels, a quarter of the shifts move nothing.
        ("blit", (1 - 0.5 * 0.4) * (1 - 0.75 * 0.4) * (1 - 0.75 * 0.4)),
        # Four independent transforms, of which rotation is two rarer ones.
        ("geometry", (1 - 0.4) ** 4),
        ("color", (1 - 0.4) ** 4 * (1 - 0.5 * 0.4)),
    ],
)
def test_as_many_images_are_touched_as_the_probability_says(group, untouched):
    images = noise(batch=4000)
    u = tf.random.stateless_uniform((4000, len(DRAWS)), (0, 1))
    options = {name: name == group for name in ("blit", "geometry", "color")}
    same = (AdaptiveAugmentation(**options)(images, u, 0.4).numpy() == images).all(axis=(1, 2, 3))
    assert abs(same.mean() - untouched) < 0.03


def test_a_draw_of_zero_is_finite():
    out = AdaptiveAugmentation()(noise(), tf.zeros((1, len(DRAWS))), 1.0)
    assert np.isfinite(out).all()


def test_what_cannot_be_augmented_is_named():
    with pytest.raises(ValueError, match="all off"):
        AdaptiveAugmentation(blit=False, geometry=False, color=False)
    with pytest.raises(ValueError, match="1 or 3 channels"):
        AdaptiveAugmentation()(noise(channels=4), draws(), 0.5)
    with pytest.raises(ValueError, match="2 x 2"):
        AdaptiveAugmentation()(noise(size=1), draws(), 0.5)
