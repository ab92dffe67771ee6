"""Operations of PyTorch in plain NumPy, on one image `[channels, height, width]`."""

from __future__ import annotations

import numpy as np


def convolve(x, weights, name, *, stride=1, margin=None, mode="constant"):
    """A convolution; `margin` is half of the kernel by default."""
    kernel = weights[f"{name}.weight"]
    bias = weights.get(f"{name}.bias", np.zeros(len(kernel)))
    margin = kernel.shape[-1] // 2 if margin is None else margin
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)), mode)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[2:], (1, 2))[:, ::stride, ::stride]
    return np.einsum("ihwyx,oiyx->ohw", windows, kernel) + bias[:, None, None]


def transposed(x, weights, name, *, stride=2, margin=1, output_margin=0):
    """A transposed convolution, by adding up what each pixel contributes."""
    kernel, (_, height, width) = weights[f"{name}.weight"], x.shape
    size = kernel.shape[-1]
    out = np.zeros((kernel.shape[1], (height - 1) * stride + size, (width - 1) * stride + size))
    for row in range(height):
        for column in range(width):
            part = np.einsum("i,ioyx->oyx", x[:, row, column], kernel)
            out[:, row * stride : row * stride + size, column * stride : column * stride + size] += part
    out = np.pad(out, ((0, 0), (0, output_margin), (0, output_margin)))
    out = out[:, margin : out.shape[1] - margin, margin : out.shape[2] - margin]
    return out + weights.get(f"{name}.bias", np.zeros(len(out)))[:, None, None]


def shuffle(x, factor):
    """PixelShuffle: the sub-pixels of a channel lie together."""
    channels, height, width = x.shape
    x = x.reshape(channels // factor**2, factor, factor, height, width)
    return x.transpose(0, 3, 1, 4, 2).reshape(channels // factor**2, height * factor, width * factor)


def unshuffle(x, factor):
    """PixelUnshuffle."""
    channels, height, width = x.shape
    x = x.reshape(channels, height // factor, factor, width // factor, factor)
    return x.transpose(0, 2, 4, 1, 3).reshape(channels * factor**2, height // factor, width // factor)


def nearest(x, factor):
    """Nearest-neighbor enlargement."""
    return x.repeat(factor, axis=1).repeat(factor, axis=2)


def leaky(x, slope):
    """LeakyReLU, or PReLU with one slope for each channel."""
    return np.where(x > 0, x, x * np.reshape(slope, (-1, 1, 1)))


def instance_norm(x, gain=1.0, bias=0.0):
    """InstanceNorm2d with PyTorch's epsilon."""
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * np.reshape(gain, (-1, 1, 1)) + np.reshape(bias, (-1, 1, 1))
