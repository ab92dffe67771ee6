"""SPAN, as trained and with its branches merged."""

from __future__ import annotations

import re

import numpy as np

from tfgan_app.importers.architecture import Architecture, Built, ImportOptions
from tfgan_app.importers.weights import KERNEL, VECTOR, Filler, Weights, square_root
from tfgan_app.networks.span import BLOCKS, build_span

_MEAN, _GAIN = (0.4488, 0.4371, 0.4040), 255.0
"""Tensors of the authors' code; most files do not have them."""


def detect(weights: Weights) -> bool:
    """Detects the concatenation and the first block, merged or not."""
    if not weights.has("conv_cat.weight", "upsampler.0.weight"):
        return False
    return any(f"block_1.c1_r.{kind}.weight" in weights for kind in ("eval_conv", "sk"))


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds SPAN; the branches of its convolutions are merged into one kernel."""
    del options
    width = weights.kernel("conv_cat.weight")[0]
    first = "conv_1.sk.weight" if "conv_1.sk.weight" in weights else "conv_1.eval_conv.weight"
    channels = weights.kernel(first)[1]
    scale = square_root(weights.kernel("upsampler.0.weight")[0] // channels, of="upsampler.0.weight")
    plain = "no_norm" in weights
    weights.leave("no_norm")
    mean = tuple(map(float, weights.take("mean").reshape(-1))) if "mean" in weights else _MEAN
    if not plain and channels != len(mean):
        raise ValueError(f"it takes {channels} channels, but subtracts a mean of {len(mean)}")
    network = build_span(
        scale=scale, channels=channels, width=width, mean=None if plain else mean, gain=1.0 if plain else _GAIN
    )
    filler = Filler(network, weights)
    places = [(block, index) for block in range(1, BLOCKS + 1) for index in (1, 2, 3)]
    inner = [(f"block_{block}_c{index}", f"block_{block}.c{index}_r") for block, index in places]
    for layer, source in [("conv_1", "conv_1"), *inner, ("conv_2", "conv_2")]:
        kernel, bias = _merged(weights, source)
        filler.arrays(layer, [kernel.transpose(2, 3, 1, 0), bias], source)
    filler.convolution("conv_cat", "conv_cat")
    filler.convolution("to_sub_pixels", "upsampler.0", shuffle=scale)
    filler.finish()
    return Built(network, f"{width} channels, scale {scale}")


def _merged(weights: Weights, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernel `[out, in, 3, 3]` and bias of a convolution trained as 1 x 1, 3 x 3, 1 x 1 with a parallel 1 x 1."""
    if f"{source}.sk.weight" not in weights:
        return weights.take(f"{source}.eval_conv.weight", KERNEL), weights.take(f"{source}.eval_conv.bias", VECTOR)
    # What training left in the merged convolution may be older than its branches.
    weights.leave(re.escape(source) + r"\.eval_conv\.(weight|bias)")
    (k1, b1), (k2, b2), (k3, b3) = (
        (weights.take(f"{source}.conv.{index}.weight").astype(np.float64), weights.take(f"{source}.conv.{index}.bias"))
        for index in range(3)
    )
    skip, skip_bias = weights.take(f"{source}.sk.weight").astype(np.float64), weights.take(f"{source}.sk.bias")
    try:
        inner = np.einsum("omyx,mi->oiyx", k2, k1[:, :, 0, 0])
        kernel = np.einsum("po,oiyx->piyx", k3[:, :, 0, 0], inner)
        kernel[:, :, 1:2, 1:2] += skip
        bias = k3[:, :, 0, 0] @ (k2.sum((2, 3)) @ b1 + b2) + b3 + skip_bias
    except (ValueError, IndexError) as error:
        raise ValueError(f"the branches of '{source}' have shapes that do not match") from error
    return kernel.astype(np.float32), bias.astype(np.float32)


ARCHITECTURE = Architecture("SPAN", detect, build, options=("scale",))
