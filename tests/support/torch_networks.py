"""Small files of weights by hand, and what PyTorch makes of an image with them, in NumPy."""

from __future__ import annotations

import numpy as np
from torch_reference import convolve, instance_norm, leaky, nearest, shuffle, transposed, unshuffle


class Tensors(dict):
    """Name -> random tensor of PyTorch's shape."""

    def __init__(self, seed: int = 0):
        super().__init__()
        self._rng = np.random.default_rng(seed)

    def convolution(self, name: str, taken: int, given: int, size: int = 3, *, bias: bool = True, gain: float = 1.0):
        scale = gain / np.sqrt(taken * size * size)
        self[f"{name}.weight"] = (self._rng.standard_normal((given, taken, size, size)) * scale).astype(np.float32)
        if bias:
            self[f"{name}.bias"] = (0.1 * self._rng.standard_normal(given)).astype(np.float32)

    def transposed(self, name: str, taken: int, given: int, size: int = 3):
        self.convolution(name, given, taken, size)
        self[f"{name}.bias"] = (0.1 * self._rng.standard_normal(given)).astype(np.float32)

    def gains(self, name: str, count: int, *, bias: bool = True):
        self[f"{name}.weight"] = self._rng.uniform(0.5, 1.5, count).astype(np.float32)
        if bias:
            self[f"{name}.bias"] = (0.1 * self._rng.standard_normal(count)).astype(np.float32)

    def slopes(self, name: str, count: int):
        self[f"{name}.weight"] = self._rng.uniform(-0.3, 0.9, count).astype(np.float32)


def srvgg(scale: int = 4) -> Tensors:
    """SRVGGNetCompact of 3 convolutions."""
    tensors = Tensors()
    for index, (taken, given) in enumerate(((3, 8), (8, 8), (8, 3 * scale**2))):
        tensors.convolution(f"body.{2 * index}", taken, given, gain=0.3 if index == 2 else 1.0)
        if index < 2:
            tensors.slopes(f"body.{2 * index + 1}", 8)
    return tensors


def run_srvgg(weights: Tensors, x: np.ndarray, scale: int = 4) -> np.ndarray:
    y = x
    for index in (0, 2):
        y = leaky(convolve(y, weights, f"body.{index}"), weights[f"body.{index + 1}.weight"])
    return shuffle(convolve(y, weights, "body.4"), scale) + nearest(x, scale)


def rrdb(*, taken: int = 3, enlargements: int = 2) -> Tensors:
    """RRDBNet of one block, under Real-ESRGAN's names."""
    tensors = Tensors(1)
    tensors.convolution("conv_first", taken, 8)
    for dense in (1, 2, 3):
        for index in range(1, 6):
            tensors.convolution(f"body.0.rdb{dense}.conv{index}", 8 + 4 * (index - 1), 8 if index == 5 else 4)
    for name in ("conv_body", *(f"conv_up{index + 1}" for index in range(enlargements)), "conv_hr"):
        tensors.convolution(name, 8, 8)
    tensors.convolution("conv_last", 8, 3, gain=0.5)
    tensors["conv_last.bias"] += 0.5
    return tensors


def run_rrdb(weights: Tensors, x: np.ndarray, *, factor: int = 1) -> np.ndarray:
    first = y = convolve(unshuffle(x, factor), weights, "conv_first")
    block = y
    for dense in (1, 2, 3):
        features = [block]
        for index in range(1, 6):
            made = convolve(np.concatenate(features), weights, f"body.0.rdb{dense}.conv{index}")
            features.append(leaky(made, 0.2) if index < 5 else made)
        block = block + 0.2 * features[-1]
    y = first + convolve(y + 0.2 * block, weights, "conv_body")
    for name in (f"conv_up{index}" for index in (1, 2) if f"conv_up{index}.weight" in weights):
        y = leaky(convolve(nearest(y, 2), weights, name), 0.2)
    return convolve(leaky(convolve(y, weights, "conv_hr"), 0.2), weights, "conv_last")


def cyclegan(*, affine: bool = False) -> Tensors:
    """CycleGAN's generator of 2 blocks and 4 channels."""
    tensors = Tensors(2)
    convolutions = {"model.1": (3, 4, 7), "model.4": (4, 8, 3), "model.7": (8, 16, 3), "model.20": (4, 3, 7)}
    for block in (10, 11):
        convolutions |= {f"model.{block}.conv_block.{index}": (16, 16, 3) for index in (1, 5)}
    for name, shape in convolutions.items():
        tensors.convolution(name, *shape)
    tensors.transposed("model.12", 16, 8)
    tensors.transposed("model.15", 8, 4)
    for name in (*convolutions, "model.12", "model.15"):
        if affine and name != "model.20":
            prefix, number = name.rsplit(".", 1)
            tensors.gains(f"{prefix}.{int(number) + 1}", len(tensors[f"{name}.bias"]))
    return tensors


def run_cyclegan(weights: Tensors, x: np.ndarray) -> np.ndarray:
    def normed(y, name):
        prefix, number = name.rsplit(".", 1)
        norm = f"{prefix}.{int(number) + 1}"
        return instance_norm(y, weights.get(f"{norm}.weight", 1.0), weights.get(f"{norm}.bias", 0.0))

    def reflected(y, name):
        return convolve(y, weights, name, mode="reflect")

    y = np.maximum(normed(reflected(x * 2 - 1, "model.1"), "model.1"), 0)
    for name in ("model.4", "model.7"):
        y = np.maximum(normed(convolve(y, weights, name, stride=2), name), 0)
    for block in ("model.10.conv_block", "model.11.conv_block"):
        inner = np.maximum(normed(reflected(y, f"{block}.1"), f"{block}.1"), 0)
        y = y + normed(reflected(inner, f"{block}.5"), f"{block}.5")
    for name in ("model.12", "model.15"):
        y = np.maximum(normed(transposed(y, weights, name, output_margin=1), name), 0)
    return np.tanh(reflected(y, "model.20"))[:, : x.shape[1], : x.shape[2]] * 0.5 + 0.5


def dncnn(channels: int = 1) -> Tensors:
    """DnCNN of 3 convolutions."""
    tensors = Tensors(3)
    for index, (taken, given) in enumerate(((channels, 6), (6, 6), (6, channels))):
        tensors.convolution(f"model.{2 * index}", taken, given, gain=0.3)
    return tensors


def run_dncnn(weights: Tensors, x: np.ndarray) -> np.ndarray:
    y = x
    for index in (0, 2):
        y = np.maximum(convolve(y, weights, f"model.{index}"), 0)
    return x - convolve(y, weights, "model.4")


def patchgan() -> Tensors:
    """pix2pix's discriminator."""
    tensors = Tensors(4)
    for index, (taken, given) in zip((0, 2, 5, 8, 11), ((6, 8), (8, 16), (16, 32), (32, 64), (64, 1)), strict=True):
        tensors.convolution(f"model.{index}", taken, given, 4)
    return tensors


def dcgan_discriminator() -> Tensors:
    """The discriminator of PyTorch's DCGAN tutorial."""
    tensors = Tensors(5)
    for index, (taken, given) in zip((0, 2, 5, 8), ((3, 8), (8, 16), (16, 32), (32, 1)), strict=True):
        tensors.convolution(f"main.{index}", taken, given, 4, bias=False)
    for index, count in ((3, 16), (6, 32)):
        tensors.gains(f"main.{index}", count)
        tensors[f"main.{index}.running_mean"] = np.zeros(count, np.float32)
        tensors[f"main.{index}.running_var"] = np.ones(count, np.float32)
    return tensors


def unet_discriminator() -> Tensors:
    """The discriminator of Real-ESRGAN, with spectral normalization."""
    tensors = Tensors(6)
    shapes = {"conv0": (3, 8, 3), "conv1": (8, 16, 4), "conv2": (16, 32, 4), "conv3": (32, 64, 4), "conv4": (64, 32, 3)}
    shapes |= {"conv5": (32, 16, 3), "conv6": (16, 8, 3), "conv7": (8, 8, 3), "conv8": (8, 8, 3), "conv9": (8, 1, 3)}
    for name, shape in shapes.items():
        tensors.convolution(name, *shape, bias=name in ("conv0", "conv9"))
        if name not in ("conv0", "conv9"):
            tensors[f"{name}.weight_orig"] = tensors.pop(f"{name}.weight")
    return tensors


def vgg_discriminator() -> Tensors:
    """The discriminator of ESRGAN, which ends in linear layers."""
    tensors = Tensors(7)
    for name, shape in {
        "conv0_0": (3, 8, 3),
        "conv0_1": (8, 8, 4),
        "conv1_0": (8, 16, 3),
        "conv1_1": (16, 16, 4),
    }.items():
        tensors.convolution(name, *shape)
    tensors["linear1.weight"] = np.ones((100, 64), np.float32)
    tensors["linear2.weight"] = np.ones((1, 100), np.float32)
    return tensors
