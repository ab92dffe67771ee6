"""Kernels against their formulas, and blur against SciPy."""

import math

import numpy as np
import pytest
import scipy.ndimage
import scipy.special
import tensorflow as tf

from tfgan_app.degradations.blur import GaussianBlur, MotionDefocusBlur, blur
from tfgan_app.degradations.kernels import (
    TRAJECTORY_KNOTS,
    cropped_kernels,
    defocus_kernels,
    gaussian_kernels,
    line_kernels,
    plateau_kernels,
    sinc_kernels,
    trajectory_kernels,
)

SIZE = 21
OFFSETS = np.arange(SIZE) - SIZE // 2
DISTANCES = np.hypot(OFFSETS[:, None], OFFSETS)
ISOTROPIC = {
    "gaussian": gaussian_kernels(SIZE, sigmas=tf.constant([[0.4, 0.4], [2.5, 2.5]])),
    "generalized": gaussian_kernels(SIZE, sigmas=tf.constant([[2.0, 2.0]] * 2), beta=tf.constant([0.5, 4.0])),
    "plateau": plateau_kernels(SIZE, sigmas=tf.constant([[0.7, 0.7], [3.0, 3.0]]), beta=tf.constant([1.0, 2.0])),
    "sinc": sinc_kernels(SIZE, cutoffs=tf.constant([math.pi / 5, math.pi])),
    "defocus": defocus_kernels(SIZE, radii=tf.constant([1.3, 8.0])),
}
ANGLES = tf.constant([0.3, 2.0])
IMPULSES = tf.random.stateless_uniform((2, 2 * TRAJECTORY_KNOTS), (0, 1))
DIRECTED = {
    "anisotropic": gaussian_kernels(SIZE, sigmas=tf.constant([[3.0, 0.5], [0.2, 2.0]]), angles=ANGLES),
    "line": line_kernels(SIZE, lengths=tf.constant([5.5, 20.0]), angles=ANGLES),
    "trajectory": trajectory_kernels(SIZE, lengths=tf.constant([4.0, 20.0]), angles=ANGLES, draws=IMPULSES),
}


def noise(*shape):
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


def normalized(kernel):
    return kernel / kernel.sum()


@pytest.mark.parametrize("name", [*ISOTROPIC, *DIRECTED])
def test_kernels_sum_to_1_and_do_not_shift_the_image(name):
    kernels = {**ISOTROPIC, **DIRECTED}[name].numpy()
    np.testing.assert_allclose(kernels.sum(axis=(1, 2)), 1.0, atol=1e-5)
    for moments in (kernels.sum(axis=1) @ OFFSETS, kernels.sum(axis=2) @ OFFSETS):
        np.testing.assert_allclose(moments, 0.0, atol=1e-3)


@pytest.mark.parametrize("name", ISOTROPIC)
def test_isotropic_kernels_are_symmetric(name):
    kernels = ISOTROPIC[name].numpy()
    for turned in (kernels[:, ::-1], kernels[:, :, ::-1], kernels.transpose(0, 2, 1)):
        np.testing.assert_allclose(turned, kernels, atol=1e-6)
    assert np.abs(kernels[0] - kernels[1]).max() > 0.01


def test_gaussian_has_its_standard_deviations_along_and_across_its_angle():
    kernel = gaussian_kernels(31, sigmas=tf.constant([[3.0, 1.0]]), angles=tf.constant([math.pi / 6]))[0].numpy()
    y, x = 15 - np.mgrid[:31, :31]
    along = -x * math.cos(math.pi / 6) + y * math.sin(math.pi / 6)
    across = x * math.sin(math.pi / 6) + y * math.cos(math.pi / 6)
    assert np.sum(kernel * along**2) == pytest.approx(9.0, abs=0.05)
    assert np.sum(kernel * across**2) == pytest.approx(1.0, abs=0.05)


def test_generalized_plateau_and_sinc_kernels_follow_their_formulas():
    np.testing.assert_allclose(ISOTROPIC["generalized"][1], normalized(np.exp(-0.5 * (DISTANCES / 2) ** 8)), atol=1e-6)
    np.testing.assert_allclose(ISOTROPIC["plateau"][1], normalized(1 / (1 + (DISTANCES / 3) ** 4)), atol=1e-6)
    cutoff = math.pi / 5
    safe = np.where(DISTANCES == 0, 1, DISTANCES)
    sinc = np.where(DISTANCES == 0, cutoff**2 / 4 / math.pi, cutoff * scipy.special.j1(cutoff * safe) / safe / math.tau)
    np.testing.assert_allclose(ISOTROPIC["sinc"][0], normalized(sinc), atol=1e-6)


def test_defocus_is_a_disk_of_its_area():
    disk = ISOTROPIC["defocus"][1].numpy()
    assert 1 / disk.max() == pytest.approx(math.pi * 8**2, rel=0.01)
    assert (disk[DISTANCES < 7.5] == disk.max()).all()
    assert (disk[DISTANCES > 8.5] == 0).all()


def test_line_lies_along_its_angle_with_ends_between_pixels():
    lengths, angles = tf.constant([4.0, 2.5, 4.0]), tf.constant([0.0, math.pi / 2, math.pi / 4])
    right, up, diagonal = line_kernels(9, lengths=lengths, angles=angles).numpy()
    expected = np.array([0, 0, 0.125, 0.25, 0.25, 0.25, 0.125, 0, 0])
    np.testing.assert_allclose(right[4], expected, atol=0.02)
    assert right[[3, 5]].sum() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(up[2:7, 4], [0.0125, 0.29375, 0.3875, 0.29375, 0.0125], atol=0.02)
    # Counter-clockwise: to the upper right.
    assert diagonal[3, 5] > 0.1
    assert diagonal[5, 5] < 0.01


def test_trajectory_is_no_longer_than_it_says_and_differs_by_its_impulses():
    lengths, angles = tf.fill((50,), 12.0), tf.zeros((50,))
    draws = tf.random.stateless_uniform((50, 2 * TRAJECTORY_KNOTS), (1, 1))
    kernels = trajectory_kernels(SIZE, lengths=lengths, angles=angles, draws=draws).numpy()
    assert (kernels[:, DISTANCES > 6 + 1.5] == 0).all()
    spread = np.sqrt(np.sum(kernels * DISTANCES**2, axis=(1, 2)))
    # A straight path at an even speed has 3.5.
    assert 1.5 < spread.mean() < 3.5
    assert np.abs(kernels[0] - kernels[1]).max() > 0.01


def test_cropping_leaves_a_square_of_each_size():
    kernels = cropped_kernels(tf.repeat(ISOTROPIC["sinc"][:1], 2, axis=0), tf.constant([7, 21]))
    inside = np.maximum(np.abs(OFFSETS)[:, None], np.abs(OFFSETS)) <= 3
    np.testing.assert_allclose(kernels[0], normalized(np.where(inside, ISOTROPIC["sinc"][0], 0)), atol=1e-6)
    np.testing.assert_allclose(kernels[1], ISOTROPIC["sinc"][0], atol=1e-6)


@pytest.mark.parametrize("size", [(12, 15), (30, 9), (4, 3), (1, 1)])
def test_each_image_is_filtered_with_its_own_kernel(size):
    images = noise(2, *size, 3)
    blurred = blur(tf.constant(images), DIRECTED["trajectory"])
    for index in range(2):
        for channel in range(3):
            kernel = DIRECTED["trajectory"][index].numpy()
            expected = scipy.ndimage.correlate(images[index, ..., channel], kernel, mode="reflect")
            np.testing.assert_allclose(blurred[index, ..., channel], expected, atol=1e-5)


@pytest.mark.parametrize("name", ISOTROPIC)
def test_symmetric_blur_keeps_the_mean(name):
    images = noise(2, 14, 11, 3)
    blurred = blur(tf.constant(images), ISOTROPIC[name])
    np.testing.assert_allclose(np.mean(blurred, axis=(1, 2)), images.mean(axis=(1, 2)), atol=1e-5)


def test_gradient_is_the_transpose():
    images, weights = tf.constant(noise(2, 9, 6, 3)), tf.constant(noise(2, 9, 6, 3)[::-1])
    with tf.GradientTape() as tape:
        tape.watch(images)
        product = tf.reduce_sum(blur(images, DIRECTED["line"]) * weights)
    np.testing.assert_allclose(tf.reduce_sum(tape.gradient(product, images) * images), product, rtol=1e-5)


@pytest.mark.parametrize(
    "degradation",
    [GaussianBlur(sigma_px=(0, 0)), MotionDefocusBlur(length_px=(0, 0), radius_px=(0, 0))],
    ids=["gaussian", "motion_defocus"],
)
def test_strength_0_leaves_images_as_they_are(degradation):
    images = tf.constant(noise(20, 9, 6, 3))
    draws = tf.random.stateless_uniform((20, degradation.draws_per_example), (0, 2))
    np.testing.assert_allclose(degradation(images, draws), images, atol=1e-6)


def test_gaussian_blur_has_the_width_it_is_asked_for():
    point = np.zeros((1, 41, 41, 3), np.float32)
    point[:, 20, 20] = 1.0
    spread = (np.arange(41) - 20.0) ** 2

    def variances(anisotropic, draws):
        blurred = GaussianBlur(sigma_px=(1, 3), anisotropic=anisotropic)(tf.constant(point), tf.constant([draws]))
        return spread @ blurred[0, ..., 0].numpy().sum(axis=0), spread @ blurred[0, ..., 0].numpy().sum(axis=1)

    assert variances(0.0, [0.5, 0.5, 0.0, 0.0]) == pytest.approx((4.0, 4.0), rel=0.02)
    assert variances(1.0, [0.5, 0.5, 0.0, 0.0]) == pytest.approx((4.0, 1.0), rel=0.02)


def test_shares_decide_between_motion_and_defocus():
    point = np.zeros((1, 41, 41, 3), np.float32)
    point[:, 20, 20] = 1.0

    def blurred(*shares):
        degradation = MotionDefocusBlur(length_px=(9, 9), radius_px=(5, 5), shares=shares)
        draws = tf.random.stateless_uniform((1, degradation.draws_per_example), (0, 3))
        return degradation(tf.constant(point), draws).numpy()

    line, path, disk = blurred(1, 0, 0), blurred(0, 1, 0), blurred(0, 0, 1)
    assert 1 / disk.max() == pytest.approx(math.pi * 5**2, rel=0.03)
    assert np.count_nonzero(line > 1e-4) < np.count_nonzero(disk > 1e-4)
    assert np.abs(line - path).max() > 0.01


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: GaussianBlur(sigma_px=(3, 1)), "`sigma_px`"),
        (lambda: GaussianBlur(anisotropic=1.5), "`anisotropic`"),
        (lambda: MotionDefocusBlur(length_px=(-1, 5)), "`length_px`"),
        (lambda: MotionDefocusBlur(radius_px=(1,)), "`radius_px`"),
        (lambda: MotionDefocusBlur(shares=(0, 0, 0)), "`shares`"),
        (lambda: gaussian_kernels(4, sigmas=tf.ones((1, 2))), "odd"),
    ],
)
def test_settings_out_of_range_are_named(build, named):
    with pytest.raises(ValueError, match=named):
        build()
