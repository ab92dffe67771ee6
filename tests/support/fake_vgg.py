"""A weights file of VGG16's and LPIPS' shapes with random values, and both computed by hand in NumPy."""

import numpy as np

WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
POOL_BEFORE = (2, 4, 7, 10)
LEVEL_ENDS = (1, 3, 6, 9, 12)
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def write_fake_vgg(path):
    """Writes the `.npz` and returns its arrays."""
    rng = np.random.default_rng(0)
    arrays, channels = {}, 3
    for index, width in enumerate(WIDTHS):
        scale = np.sqrt(2 / (9 * channels))
        arrays[f"VGG16_0/Conv_{index}/kernel"] = rng.normal(0, scale, (3, 3, channels, width)).astype(np.float32)
        arrays[f"VGG16_0/Conv_{index}/bias"] = rng.normal(0, 0.1, width).astype(np.float32)
        channels = width
    for level, end in enumerate(LEVEL_ENDS):
        arrays[f"NetLinLayer_{level}/Conv_0/kernel"] = rng.uniform(0, 1, (1, 1, WIDTHS[end], 1)).astype(np.float32)
    np.savez(path, **arrays)
    return arrays


def features_by_hand(arrays, image, *, before_relu=False):
    """The last features of the five blocks, of float `[height, width, 3]` in [-1, 1]."""
    x, features = ((image + 1) / 2 - MEAN) / STD, []
    for index in range(len(WIDTHS)):
        if index in POOL_BEFORE:
            height, width = (n // 2 * 2 for n in x.shape[:2])
            x = x[:height, :width].reshape(height // 2, 2, width // 2, 2, -1).max((1, 3))
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
        kernel = arrays[f"VGG16_0/Conv_{index}/kernel"]
        convolved = np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True)
        convolved += arrays[f"VGG16_0/Conv_{index}/bias"]
        x = np.maximum(convolved, 0)
        if index in LEVEL_ENDS:
            features.append(convolved if before_relu else x)
    return features
