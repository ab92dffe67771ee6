"""ESRGAN and Real-ESRGAN: RRDBNet, in the layouts of its three code bases."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from tfgan_app.importers.architecture import Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights, square_root
from tfgan_app.networks.rrdb import build_rrdb

_RENAMED = (
    (r"RRDB_trunk\.(\d+)\.RDB(\d)\.", r"body.\1.rdb\2."),
    (r"trunk_conv\.", "conv_body."),
    (r"upconv(\d)\.", r"conv_up\1."),
    (r"HRconv\.", "conv_hr."),
    (r"model\.0\.", "conv_first."),
    (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
    (r"model\.1\.sub\.\d+\.(?=weight|bias)", "conv_body."),
)
"""Names of the original ESRGAN, of BSRGAN and of RealSR -> those of Real-ESRGAN (BasicSR)."""


def detect(weights: Weights) -> bool:
    """Detects the first dense block, in any of the layouts."""
    first = ("body.0.rdb1.conv1.weight", "RRDB_trunk.0.RDB1.conv1.weight", "model.1.sub.0.RDB1.conv1.0.weight")
    return any(name in weights for name in first)


def canonical(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Renames tensors to Real-ESRGAN's names; other tensors keep their names."""
    renamed = {_renamed(name): tensor for name, tensor in tensors.items()}
    if len(renamed) != len(tensors):
        raise ValueError("two of its tensors belong to the same layer")
    # The original layout numbers the layers after the blocks: upscaling, then two convolutions around an activation.
    tail = sorted({int(match[1]) for name in renamed if (match := re.fullmatch(r"model\.(\d+)\.weight", name))})
    if len(tail) < 2:
        return renamed
    names = [*(f"conv_up{index + 1}" for index in range(len(tail) - 2)), "conv_hr", "conv_last"]
    places = {f"model.{number}.": f"{name}." for number, name in zip(tail, names, strict=True)}
    return {_replaced(name, places): tensor for name, tensor in renamed.items()}


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds RRDBNet without the bicubic skip."""
    weights = Weights(canonical({name: weights.take(name) for name in weights}))
    if any(".conv1x1." in name for name in weights):
        raise ValueError("ESRGAN+ (with conv1x1) is not supported")
    width, taken = weights.kernel("conv_first.weight")[:2]
    channels = weights.kernel("conv_last.weight")[0]
    blocks = weights.count(r"body\.(\d+)\.")
    unshuffle = square_root(taken // channels, of="conv_first.weight") if taken % channels == 0 else 0
    if unshuffle not in (1, 2, 4):
        raise ValueError(f"it takes {taken} channels and gives {channels}")
    enlargements = sum(f"conv_up{index}.weight" in weights for index in range(1, 5))
    scale = _scale(enlargements, unshuffle, options.scale)
    growth = weights.kernel("body.0.rdb1.conv1.weight")[0]
    network = build_rrdb(
        scale=scale,
        channels=channels,
        width=width,
        blocks=blocks,
        growth=growth,
        unshuffle=unshuffle,
        bicubic_skip=False,
    )
    filler = Filler(network, weights)
    filler.convolution("from_image", "conv_first", unshuffle=unshuffle)
    for block in range(blocks):
        for dense in range(3):
            for index in range(5):
                filler.convolution(f"block_{block}_{dense}_conv{index}", f"body.{block}.rdb{dense + 1}.conv{index + 1}")
    filler.convolution("after_blocks", "conv_body")
    for index in range(enlargements):
        filler.convolution(f"up_{index}", f"conv_up{index + 1}")
    filler.convolution("at_full_size", "conv_hr")
    filler.convolution("to_image", "conv_last")
    filler.finish()
    return Built(network, f"{blocks} blocks, {width} channels, growth {growth}, scale {scale}")


def _scale(enlargements: int, unshuffle: int, wanted: int | None) -> int:
    if wanted == 3 and enlargements == 1 and unshuffle == 1:
        return 3  # One step, as for a scale of 2: the weights have the same shapes.
    scale, left = divmod(2**enlargements, unshuffle)
    if left:
        raise ValueError(f"it reduces images: {enlargements} doublings after a pixel unshuffle of {unshuffle}")
    return scale


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name, count = re.subn(f"^{pattern}", replacement, name)
        if count:
            break
    return name


def _replaced(name: str, places: Mapping[str, str]) -> str:
    prefix = ".".join(name.split(".")[:2]) + "."
    return places.get(prefix, prefix) + name.removeprefix(prefix) if name.startswith("model.") else name


ARCHITECTURE = Architecture("ESRGAN, Real-ESRGAN (RRDBNet)", detect, build, options=("scale",))
