"""The generator of PyTorch's DCGAN tutorial and its derivatives."""

from __future__ import annotations

import itertools
import re

from tfgan_app.importers.architecture import SYMMETRIC, Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights
from tfgan_app.networks.transposed_dcgan import build_transposed_dcgan

_MAX_CONVOLUTIONS = 9
"""Limit for images of 1,024 pixels."""


def detect(weights: Weights) -> bool:
    """Detects a sequence of 4 x 4 kernels whose channels match, with batch normalization statistics."""
    kernels = _kernels(weights)
    shapes = [weights.shape(name) for name in kernels]
    if (
        not 3 <= len(shapes) <= _MAX_CONVOLUTIONS
        or {shape[2:] for shape in shapes} != {(4, 4)}
        or shapes[-1][1] not in (1, 3)
    ):
        return False
    chained = all(shape[1] == following[0] for shape, following in itertools.pairwise(shapes))
    return chained and any(name.endswith(".running_mean") for name in weights)


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds the generator with running statistics."""
    if options.norm != "inference":
        raise ValueError("its batch normalization requires its running statistics (`--norm inference`)")
    kernels = _kernels(weights)
    shapes = [weights.kernel(name) for name in kernels]
    network = build_transposed_dcgan(
        latent_dim=shapes[0][0],
        widths=[shape[1] for shape in shapes[:-1]],
        channels=shapes[-1][1],
        use_bias=f"{kernels[0].removesuffix('.weight')}.bias" in weights,
    )
    filler = Filler(network, weights)
    for level, kernel in enumerate(kernels[:-1]):
        source = kernel.removesuffix(".weight")
        prefix, number = source.rsplit(".", 1)
        filler.transposed(f"up_{level}", source)
        filler.batch_normalization(f"up_{level}_norm", f"{prefix}.{int(number) + 1}")
    filler.transposed("to_image", kernels[-1].removesuffix(".weight"))
    filler.finish()
    return Built(network, f"{shapes[0][0]} latents, {4 * 2 ** (len(kernels) - 1)} px", value_range=SYMMETRIC)


def _kernels(weights: Weights) -> list[str]:
    """Names of the kernels in sequence under one prefix, in order; none if there are others."""
    names = [name for name in weights if name.endswith(".weight") and len(weights.shape(name)) == 4]
    parts = [re.fullmatch(r"(.+)\.(\d+)\.weight", name) for name in names]
    if not names or not all(parts) or len({part[1] for part in parts}) != 1:
        return []
    return sorted(names, key=lambda name: int(name.rsplit(".", 2)[1]))


ARCHITECTURE = Architecture("DCGAN", detect, build, options=("norm",))
