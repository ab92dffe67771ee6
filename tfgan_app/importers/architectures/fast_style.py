"""The networks of PyTorch's fast neural style example."""

from __future__ import annotations

from tfgan_app.importers.architecture import BYTE, Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights
from tfgan_app.networks.reflected_resnet import build_reflected_resnet

_LAYERS = {"conv1": "in1", "conv2": "in2", "conv3": "in3", "deconv1": "in4", "deconv2": "in5"}
_NAMES = ("from_image", "down_0", "down_1", "up_0", "up_1")


def detect(weights: Weights) -> bool:
    """Detects the first and last convolution."""
    return weights.has("conv1.conv2d.weight", "in1.weight", "res1.conv1.conv2d.weight", "deconv3.conv2d.weight")


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds the network, on images in [0, 255]."""
    del options
    blocks = weights.count(r"res(\d+)\.", first=1)
    width, taken, kernel_px, _ = weights.kernel("conv1.conv2d.weight")
    network = build_reflected_resnet(
        blocks=blocks,
        input_channels=taken,
        output_channels=weights.kernel("deconv3.conv2d.weight")[0],
        width=width,
        end_kernel_px=kernel_px,
        normalization="affine",
        reflect_strided=True,
        enlargement="nearest_reflected",
        activation="linear",
    )
    filler = Filler(network, weights)
    for name, (convolution, norm) in zip(_NAMES, _LAYERS.items(), strict=True):
        filler.convolution(name, f"{convolution}.conv2d")
        filler.normalization(f"{name}_norm", norm)
    for block in range(blocks):
        for place in range(2):
            layer = f"block_{block}_conv{place}"
            filler.convolution(layer, f"res{block + 1}.conv{place + 1}.conv2d")
            filler.normalization(f"{layer}_norm", f"res{block + 1}.in{place + 1}")
    filler.convolution("to_image", "deconv3.conv2d")
    filler.finish()
    return Built(network, f"{blocks} blocks, {width} channels", value_range=BYTE)


ARCHITECTURE = Architecture("fast neural style (Johnson)", detect, build)
