"""NAFNet of its authors' code."""

from __future__ import annotations

import numpy as np

from tfgan_app.importers.architecture import Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights
from tfgan_app.networks.nafnet import build_nafnet


def detect(weights: Weights) -> bool:
    """Detects the first and last layers and the residual scales of the middle."""
    return weights.has("intro.weight", "ending.weight", "middle_blks.0.beta", "middle_blks.0.sca.1.weight")


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds NAFNet, whose attention sees the whole image."""
    del options
    width, channels = weights.kernel("intro.weight")[:2]
    depth = weights.count(r"encoders\.(\d+)\.")
    encoders = tuple(weights.count(rf"encoders\.{level}\.(\d+)\.") for level in range(depth))
    decoders = tuple(weights.count(rf"decoders\.{level}\.(\d+)\.") for level in range(depth))
    middle = weights.count(r"middle_blks\.(\d+)\.")
    network = build_nafnet(
        channels=channels,
        width=width,
        encoder_blocks=encoders,
        middle_blocks=middle,
        decoder_blocks=decoders,
        attention="global",
        fill="zero",
    )
    filler = Filler(network, weights)
    filler.convolution("from_image", "intro")
    for level, count in enumerate(encoders):
        filler.convolution(f"down_{level}", f"downs.{level}")
        _fill_blocks(filler, weights, f"encoder_{level}", f"encoders.{level}", count)
    _fill_blocks(filler, weights, "middle", "middle_blks", middle)
    for index, count in enumerate(decoders):
        level = depth - 1 - index
        filler.convolution(f"up_{level}", f"ups.{index}.0", shuffle=2)
        _fill_blocks(filler, weights, f"decoder_{level}", f"decoders.{index}", count)
    filler.convolution("to_image", "ending")
    filler.finish()
    return Built(network, f"blocks {encoders}, {middle}, {decoders}, {width} channels")


def _fill_blocks(filler: Filler, weights: Weights, layer: str, source: str, count: int) -> None:
    for index in range(count):
        _fill_block(filler, weights, f"{layer}_{index}", f"{source}.{index}")


def _fill_block(filler: Filler, weights: Weights, layer: str, source: str) -> None:
    """Fills a block; ours has gains, biases and residual scales merged into the adjacent 1 x 1 convolutions."""
    for expanding, contracting, norm, scale in (
        ("conv1", "conv3", "norm1", "beta"),
        ("conv4", "conv5", "norm2", "gamma"),
    ):
        kernel, bias = _pointwise(weights, f"{source}.{expanding}")
        gain, offset = (weights.take(f"{source}.{norm}.{name}", kernel.shape[1:]) for name in ("weight", "bias"))
        filler.arrays(f"{layer}_{expanding}", _as_layer(kernel * gain, bias + kernel @ offset), f"{source}.{expanding}")
        kernel, bias = _pointwise(weights, f"{source}.{contracting}")
        factor = weights.take(f"{source}.{scale}", (1, len(bias), 1, 1)).reshape(-1)
        arrays = _as_layer(kernel * factor[:, None], bias * factor)
        filler.arrays(f"{layer}_{contracting}", arrays, f"{source}.{contracting}")
    filler.depthwise(f"{layer}_conv2", f"{source}.conv2")
    filler.convolution(f"{layer}_attention", f"{source}.sca.1")


def _pointwise(weights: Weights, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernel `[out, in]` and bias of a 1 x 1 convolution."""
    if weights.kernel(f"{source}.weight")[2:] != (1, 1):
        raise ValueError(f"the convolution '{source}' is not of 1 x 1")
    kernel = weights.take(f"{source}.weight")[:, :, 0, 0]
    return kernel, weights.take(f"{source}.bias", kernel.shape[:1])


def _as_layer(kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    return [kernel.T[None, None], bias]


ARCHITECTURE = Architecture("NAFNet", detect, build)
