"""DRUNet of DPIR and KAIR."""

from __future__ import annotations

import numpy as np

from tfgan_app.importers.architecture import Architecture, Built, ImportOptions
from tfgan_app.importers.weights import KERNEL, Filler, Weights
from tfgan_app.networks.restoration_unet import build_restoration_unet

_DEPTH = 3


def detect(weights: Weights) -> bool:
    """Detects the head, the tail and the first downsampling block."""
    return weights.has("m_head.weight", "m_down1.0.res.0.weight", "m_tail.weight", "m_up1.0.weight")


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds DRUNet for one noise level, with strided and transposed convolutions."""
    width, taken = weights.kernel("m_head.weight")[:2]
    channels = weights.kernel("m_tail.weight")[0]
    if taken != channels + 1:
        raise ValueError(f"it takes {taken} channels and gives {channels}, expected one more input for the noise")
    blocks = weights.count(r"m_body\.(\d+)\.")
    if f"m_down1.{blocks}.weight" not in weights or weights.kernel("m_up1.0.weight")[2:] != (2, 2):
        raise ValueError("it resizes by other means than strided and transposed 2 x 2 convolutions")
    network = build_restoration_unet(
        channels=channels,
        width=width,
        depth=_DEPTH,
        blocks=blocks,
        noise=options.noise_level / 255.0,
        image_skip=False,
    )
    filler = Filler(network, weights)
    filler.convolution("from_image", "m_head")
    for level in range(_DEPTH):
        down, up = f"m_down{level + 1}", f"m_up{level + 1}"
        filler.convolution(f"down_{level}", f"{down}.{blocks}")
        filler.arrays(f"up_{level}", [_transposed_as_shuffle(weights.take(f"{up}.0.weight", KERNEL))], f"{up}.0")
        for block in range(blocks):
            _fill_block(filler, f"down_{level}_block{block}", f"{down}.{block}")
            _fill_block(filler, f"up_{level}_block{block}", f"{up}.{block + 1}")
    for block in range(blocks):
        _fill_block(filler, f"middle_block{block}", f"m_body.{block}")
    filler.convolution("to_image", "m_tail")
    filler.finish()
    size = f"{blocks} blocks a level, {width} channels, {channels} of images"
    return Built(network, f"{size}, for noise of {options.noise_level:g}")


def _fill_block(filler: Filler, layer: str, source: str) -> None:
    filler.convolution(f"{layer}_conv0", f"{source}.res.0")
    filler.convolution(f"{layer}_conv1", f"{source}.res.2")


def _transposed_as_shuffle(kernel: np.ndarray) -> np.ndarray:
    """Converts a 2 x 2 transposed convolution of stride 2, `[in, out, 2, 2]`, to a 1 x 1 one before a pixel shuffle."""
    taken, given = kernel.shape[:2]
    return kernel.transpose(0, 2, 3, 1).reshape(1, 1, taken, 4 * given)


ARCHITECTURE = Architecture("DRUNet", detect, build, options=("noise_level",))
