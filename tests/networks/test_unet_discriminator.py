"""The U-Net discriminator of Real-ESRGAN."""

import keras
import numpy as np
import pytest
from image_networks import random_image

from tfgan_app.networks.unet_discriminator import build_unet_discriminator


def test_it_is_as_large_as_the_published_network():
    """Real-ESRGAN's UNetDiscriminatorSN has 4 376 897 weights."""
    model = build_unet_discriminator()
    assert sum(variable.value.shape.num_elements() for variable in model.trainable_variables) == 4_376_897
    wrapped = [layer for layer in model.layers if isinstance(layer, keras.layers.SpectralNormalization)]
    assert len(wrapped) == 8


def test_spectral_norm_bounds_the_wrapped_kernels():
    model = build_unet_discriminator(width=4)
    image = random_image(1, 16, 16, 3)
    for _ in range(30):
        model(image, training=True)
    for layer in model.layers:
        if isinstance(layer, keras.layers.SpectralNormalization):
            matrix = np.asarray(layer.layer.kernel).reshape(-1, layer.layer.kernel.shape[-1])
            assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1.0, abs=0.1)
