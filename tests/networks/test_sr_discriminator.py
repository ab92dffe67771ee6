"""The discriminator of SRGAN."""

import keras

from tfgan_app.networks.sr_discriminator import build_vgg_discriminator


def test_its_convolutions_are_the_papers_and_its_dense_layers_see_means():
    convolutions = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    expected = sum(9 * a * b + b for a, b in convolutions) + (512 * 1024 + 1024) + (1024 + 1)
    assert build_vgg_discriminator().count_params() == expected
    normalized = build_vgg_discriminator(normalization="batch")
    assert normalized.count_params() == expected + 4 * sum(b for _, b in convolutions[1:])


def test_spectral_norm_wraps_every_layer_with_weights():
    model = build_vgg_discriminator(width=4, spectral_norm=True)
    with_weights = [layer for layer in model.layers if layer.trainable_variables]
    assert len(with_weights) == 10
    assert {type(layer) for layer in with_weights} == {keras.layers.SpectralNormalization}
