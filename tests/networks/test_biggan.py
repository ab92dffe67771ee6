"""BigGAN's parts: latents of each block, the shared embedding, and self-attention."""

import keras
import numpy as np
import pytest

from tfgan_app.layers import self_attention
from tfgan_app.networks.biggan import build_biggan_generator


@pytest.mark.parametrize(("size_px", "attended"), [(32, 16), (64, 32), (128, 64)])
def test_attention_is_at_one_resolution(size_px, attended):
    model = build_biggan_generator(size_px=size_px, latent_dim=16, width=2, max_width=4)
    assert model.get_layer("self_attention").output.shape[1] == attended


def test_every_latent_and_block_has_a_part_and_all_share_one_embedding():
    model = build_biggan_generator(size_px=32, latent_dim=18, width=4, classes=3)
    parts = sorted({(layer.start, layer.stop) for layer in model.layers if type(layer).__name__ == "ChannelSlice"})
    assert parts == [(0, 6), (6, 10), (10, 14), (14, 18)]
    assert sum("embedding" in layer.name for layer in model.layers) == 1
    with pytest.raises(ValueError, match="`latent_dim` must be at least 4"):
        build_biggan_generator(size_px=32, latent_dim=3)


def test_attention_starts_as_the_identity_and_then_mixes_all_pixels():
    inputs = keras.Input((4, 4, 8))
    model = keras.Model(inputs, self_attention(inputs, wrap=lambda layer: layer, name="a"))
    x = np.random.default_rng(0).standard_normal((1, 4, 4, 8)).astype(np.float32)
    np.testing.assert_array_equal(model(x), x)
    model.get_layer("a_gain").gain.assign(1.0)
    changed = x.copy()
    changed[0, 0, 0] += 5.0
    assert (np.abs(model(changed) - model(x)).max(axis=-1) > 0).all()
