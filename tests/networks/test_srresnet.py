"""SRResNet: size, initial output, inputs."""

import functools

import keras
import numpy as np
import pytest
from image_networks import (
    fill_zero_kernels,
    in_precision,
    random_image,
    weights_without_gradient,
)

from tfgan_app.layers import BicubicUpsampling
from tfgan_app.layers.receptive_field import ReceptiveField, receptive_field_of
from tfgan_app.networks.srresnet import build_srresnet

SMALL = {"width": 8, "blocks": 2}


@functools.cache
def generator(scale):
    keras.utils.set_random_seed(0)
    return fill_zero_kernels(build_srresnet(scale=scale, **SMALL))


@pytest.mark.parametrize(("scale", "parameters"), [(2, 1_369_859), (3, 1_554_499), (4, 1_517_571)])
def test_by_default_it_is_as_large_as_the_baseline_of_edsr(scale, parameters):
    """Lim et al. 2017 round to 1.37, 1.55 and 1.52 million."""
    assert build_srresnet(scale=scale).count_params() == parameters


def test_the_papers_own_network_has_batch_normalization_and_large_ends():
    ends = (81 * 3 * 64 + 64) + (81 * 64 * 3 + 3)
    block = 2 * (9 * 64 * 64 + 64 + 4 * 64)
    sub_pixels = 2 * (9 * 64 * 256 + 256)
    expected = ends + 16 * block + block // 2 + sub_pixels
    assert build_srresnet(normalization="batch", end_kernel_px=9).count_params() == expected


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_it_starts_as_bicubic_enlargement_in_every_precision(scale, policy):
    image = random_image(2, 9, 6, 3)
    output = in_precision(policy, build_srresnet, scale=scale, **SMALL)(image)
    assert output.dtype == "float32"
    np.testing.assert_array_equal(output, BicubicUpsampling(scale)(image))


@pytest.mark.parametrize("normalization", ["none", "instance", "batch"])
def test_every_weight_gets_a_gradient(normalization):
    model = fill_zero_kernels(build_srresnet(scale=3, normalization=normalization, **SMALL))
    dead = weights_without_gradient(model, random_image(2, 8, 8, 3))
    if normalization == "none":
        assert dead == []
    # What a normalization takes away again: biases before it.
    assert all("bias" in path for path in dead)


def test_its_reach_is_known_so_that_it_can_run_on_tiles():
    """Convolutions before, in, and behind 2 blocks; half and quarter pixels of the others; all rounded up."""
    assert receptive_field_of(generator(4)) == ReceptiveField(scale=4, halo_px=1 + 4 + 1 + 1 + 1, multiple=1)


def test_unknown_scale_is_named():
    with pytest.raises(ValueError, match="`scale` must be 2, 3, 4 or 8. Received: scale=5"):
        build_srresnet(scale=5)
