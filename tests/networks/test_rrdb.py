"""RRDBNet: size, initial output, inputs."""

import functools

import keras
import numpy as np
import pytest
from image_networks import (
    fill_zero_kernels,
    in_precision,
    random_image,
)

from tfgan_app.layers import BicubicUpsampling
from tfgan_app.layers.receptive_field import receptive_field_of
from tfgan_app.networks.rrdb import build_rrdb

SMALL = {"width": 8, "blocks": 1, "growth": 4}


@functools.cache
def generator(scale):
    keras.utils.set_random_seed(0)
    return fill_zero_kernels(build_rrdb(scale=scale, **SMALL))


def test_it_is_as_large_as_the_published_network():
    """The weights of ESRGAN's RRDB_ESRGAN_x4 hold 16 697 987 numbers."""
    assert build_rrdb(scale=4).count_params() == 16_697_987


@pytest.mark.parametrize(("scale", "difference"), [(2, 9 * 9 * 64), (3, -(9 * 64 * 64 + 64))])
def test_other_scales_differ_at_the_ends(scale, difference):
    """A scale of 2 begins with 12 channels instead of 3; a scale of 3 enlarges once instead of twice."""
    published_with_6_blocks = 16_697_987 - 17 * 3 * 239_808
    assert build_rrdb(scale=scale, blocks=6).count_params() == published_with_6_blocks + difference


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_it_starts_as_bicubic_enlargement_in_every_precision(scale, policy):
    image = random_image(2, 5, 6, 3)
    output = in_precision(policy, build_rrdb, scale=scale, **SMALL)(image)
    assert output.dtype == "float32"
    np.testing.assert_array_equal(output, BicubicUpsampling(scale)(image))


def test_fresh_blocks_multiply_their_input_and_the_convolution_behind_takes_it_back():
    """Each block adds a fifth of its input, as published, and little else: 1.2 ** 23 is 66."""
    keras.utils.set_random_seed(0)
    model = build_rrdb(scale=4, width=16, growth=8)
    tensors = [model.get_layer("from_image").output, model.get_layer("after_blocks").input]
    features = keras.Model(model.input, [*tensors, model.get_layer("around_blocks").output])
    before, after, around = (np.asarray(x) for x in features(random_image(1, 16, 16, 3)))
    assert np.std(after - before * 1.2**23) < 0.2 * np.std(after)
    assert np.std(before) < np.std(around) < 2 * np.std(before)


@pytest.mark.parametrize(("scale", "multiple"), [(2, 2), (3, 1), (4, 1)])
def test_its_reach_is_known_so_that_it_can_run_on_tiles(scale, multiple):
    """18 convolutions at the blocks' resolution and four behind it, at most half of that each for a scale of 4."""
    receptive_field = receptive_field_of(generator(scale))
    assert (receptive_field.scale, receptive_field.multiple) == (scale, multiple)
    assert receptive_field.halo_px is not None
    least = 17 * (2 if scale == 2 else 1)
    assert least <= receptive_field.halo_px <= least + 4 * (2 if scale == 2 else 1)


def test_unknown_scale_is_named():
    with pytest.raises(ValueError, match="`scale` must be 2, 3, 4 or 8. Received: scale=1"):
        build_rrdb(scale=1)
