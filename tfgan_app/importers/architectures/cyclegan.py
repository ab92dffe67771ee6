"""The residual generators of CycleGAN's code and its derivatives."""

from __future__ import annotations

import re
from typing import Literal

from tfgan_app.importers.architecture import SYMMETRIC, Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights
from tfgan_app.networks.reflected_resnet import build_reflected_resnet

Normalization = Literal["instance", "affine", "batch"]

_BLOCK = r"model\.(\d+)\.(?:conv_block|block)\."


def detect(weights: Weights) -> bool:
    """Detects the first convolution, of 7 x 7, and the residual blocks."""
    first = "model.1.weight"
    return first in weights and weights.shape(first)[2:] == (7, 7) and any(re.match(_BLOCK, name) for name in weights)


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds the generator with the normalization of the file."""
    outer = _convolutions(weights, r"(model\.(\d+))\.weight")
    blocks = sorted({int(match[1]) for name in weights if (match := re.match(_BLOCK, name))})
    if len(outer) != 6:
        raise ValueError(f"it has {len(outer)} convolutions around its {len(blocks)} blocks, expected 6")
    width, taken = weights.kernel(outer[0])[:2]
    transposed = weights.kernel(outer[3])[0] == 4 * width
    kind = normalization_of(weights, _behind(outer[0]), options)
    network = build_reflected_resnet(
        blocks=len(blocks),
        input_channels=taken,
        output_channels=weights.kernel(outer[-1])[0],
        width=width,
        normalization=kind,
        use_bias=f"{outer[0].removesuffix('.weight')}.bias" in weights,
        enlargement="transposed" if transposed else "nearest",
    )
    filler = Filler(network, weights)
    names = ["from_image", "down_0", "down_1", "up_0", "up_1"]
    for layer, kernel in zip(names, outer[:-1], strict=True):
        fill = filler.transposed if layer.startswith("up") and transposed else filler.convolution
        fill(layer, kernel.removesuffix(".weight"))
        fill_normalization(filler, f"{layer}_norm", _behind(kernel), kind)
    filler.convolution("to_image", outer[-1].removesuffix(".weight"))
    for index, number in enumerate(blocks):
        inner = _convolutions(weights, rf"(model\.{number}\.(?:conv_block|block)\.(\d+))\.weight")
        if len(inner) != 2:
            raise ValueError(f"its block 'model.{number}' has {len(inner)} convolutions, expected 2")
        for place, kernel in enumerate(inner):
            layer = f"block_{index}_conv{place}"
            filler.convolution(layer, kernel.removesuffix(".weight"))
            fill_normalization(filler, f"{layer}_norm", _behind(kernel), kind)
    filler.finish()
    return Built(network, f"{len(blocks)} blocks, {width} channels, {kind} normalization", value_range=SYMMETRIC)


def normalization_of(weights: Weights, prefix: str, options: ImportOptions) -> Normalization:
    """Kind of the normalization with a prefix: `instance`, `affine` or `batch`.

    Batch normalization by each image's own statistics is an affine one over the image.
    """
    if f"{prefix}.weight" not in weights:
        return "instance"
    trained = f"{prefix}.running_mean" in weights and options.norm == "inference"
    return "batch" if trained else "affine"


def fill_normalization(filler: Filler, layer: str, source: str, kind: str) -> None:
    """Fills a normalization layer of a kind; running statistics that old PyTorch kept for `instance` are ignored."""
    if kind == "batch":
        filler.batch_normalization(layer, source)
    else:
        filler.normalization(layer, source)


def _convolutions(weights: Weights, pattern: str) -> list[str]:
    """Names of the kernels that match, ordered by their numbers (the second group)."""
    found = [(int(match[2]), name) for name in weights if (match := re.fullmatch(pattern, name))]
    return [name for _, name in sorted(found) if len(weights.shape(name)) == 4]


def _behind(kernel: str) -> str:
    """The layer after a convolution in a sequence."""
    prefix, number = kernel.removesuffix(".weight").rsplit(".", 1)
    return f"{prefix}.{int(number) + 1}"


ARCHITECTURE = Architecture("CycleGAN (ResNet)", detect, build, options=("norm",))
