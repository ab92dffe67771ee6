"""NAFNet: size, initial output, receptive field."""

import functools

import keras
import numpy as np
import pytest
from image_networks import (
    fill_zero_kernels,
    in_precision,
    peak_to_peak_of_flat_middle,
    random_image,
    weights_without_gradient,
    with_unknown_size,
)

from tfgan_app.layers.receptive_field import receptive_field_of
from tfgan_app.networks.nafnet import ATTENTIONS, build_nafnet

SMALL = {"width": 4, "encoder_blocks": (1, 1), "middle_blocks": 1, "decoder_blocks": (1, 1)}


@functools.cache
def generator(attention):
    keras.utils.set_random_seed(0)
    return fill_zero_kernels(build_nafnet(attention=attention, window_px=8, **SMALL))


@pytest.mark.parametrize("attention", ["local", "global"])
def test_the_papers_network_against_blur_is_as_large_as_published(attention):
    """17.11 million; the gains and biases of two normalizations and two residual scales in each block are merged."""
    model = build_nafnet(
        width=32, encoder_blocks=(1, 1, 1, 28), middle_blocks=1, decoder_blocks=(1, 1, 1, 1), attention=attention
    )
    merged = (2 * 2 + 2) * (32 + 64 + 128 + 28 * 256 + 512 + 256 + 128 + 64 + 32)
    assert model.count_params() + merged == 17_111_907


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_it_starts_as_a_copy_in_every_precision(policy, attention):
    image = random_image(2, 9, 6, 3)
    output = in_precision(policy, build_nafnet, attention=attention, **SMALL)(image)
    assert output.dtype == "float32"
    np.testing.assert_array_equal(output, image)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("size", [(1, 1), (13, 4), (8, 16)])
def test_it_takes_any_size_whether_known_or_not(attention, size):
    image = random_image(2, *size, 3)
    output = generator(attention)(image)
    assert output.shape == image.shape
    assert np.abs(np.asarray(output) - image).max() > 0.01
    np.testing.assert_allclose(with_unknown_size(generator(attention))(image), output, atol=1e-5)


@pytest.mark.parametrize("attention", ["local", "none"])
def test_untrained_sub_pixels_draw_no_checkerboard_on_a_flat_image(attention):
    assert peak_to_peak_of_flat_middle(generator(attention), size_px=160) < 1e-4


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_every_weight_gets_a_gradient(attention):
    assert weights_without_gradient(generator(attention), random_image(2, 16, 16, 3)) == []


@pytest.mark.parametrize("attention", ["local", "none"])
def test_a_far_pixel_changes_nothing_unless_attention_is_global(attention):
    reach = receptive_field_of(generator(attention)).halo_px
    image = random_image(1, 8, 400, 3)
    changed = image.copy()
    changed[:, :, 200 + reach + 1 :] = 0.0
    before, after = (np.asarray(generator(attention)(x))[:, :, :201] for x in (image, changed))
    np.testing.assert_array_equal(before, after)
    assert receptive_field_of(generator(attention)).multiple == 4


def test_global_attention_looks_at_the_whole_image():
    assert receptive_field_of(generator("global")).halo_px is None


def test_local_means_at_the_border_leave_out_what_is_beyond():
    """On a constant feature map the window's mean is that constant everywhere, corners included."""
    model = generator("local")
    pools = [layer for layer in model.layers if isinstance(layer, keras.layers.AveragePooling2D)]
    assert {layer.pool_size for layer in pools[:2]} == {(9, 1), (1, 9)}
    ones = np.ones((1, 5, 12, 2), np.float32)
    np.testing.assert_allclose(pools[1](pools[0](ones)), ones, rtol=1e-6)


def test_unknown_attention_lists_the_known_ones():
    with pytest.raises(ValueError, match="none, local, global. Received: 'tlc'"):
        build_nafnet(attention="tlc")


def test_each_halving_needs_its_doubling():
    with pytest.raises(ValueError, match=r"one number for each halving. Received: \(1, 1\) and \(1,\)"):
        build_nafnet(encoder_blocks=(1, 1), decoder_blocks=(1,))
