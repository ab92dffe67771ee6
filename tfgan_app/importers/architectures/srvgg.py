"""SRVGGNetCompact of Real-ESRGAN."""

from __future__ import annotations

from tfgan_app.importers.architecture import Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights, square_root
from tfgan_app.networks.srvgg import build_srvgg


def detect(weights: Weights) -> bool:
    """Detects a sequence of convolutions with slopes between."""
    names = ("body.0.weight", "body.1.weight", "body.2.weight")
    return weights.has(*names) and [len(weights.shape(name)) for name in names] == [4, 1, 4]


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds SRVGGNetCompact with PReLU."""
    del options
    count = weights.count(r"body\.(\d+)\.")
    if count < 3 or count % 2 == 0:
        raise ValueError("its convolutions are not separated by one PReLU each")
    width, channels = weights.kernel("body.0.weight")[:2]
    last = f"body.{count - 1}"
    scale = square_root(weights.kernel(f"{last}.weight")[0] // channels, of=f"{last}.weight")
    slopes = {index: weights.take(f"body.{2 * index + 1}.weight") for index in range(count // 2)}
    network = build_srvgg(
        scale=scale,
        channels=channels,
        width=width,
        depth=count // 2 - 1,
        steep=[index for index, values in slopes.items() if values.max(initial=0.0) > 1.0],
    )
    filler = Filler(network, weights)
    for index, values in slopes.items():
        filler.convolution(f"conv_{index}", f"body.{2 * index}")
        filler.slopes(f"prelu_{index}", values, f"body.{2 * index + 1}")
    filler.convolution("to_sub_pixels", last, shuffle=scale)
    filler.finish()
    return Built(network, f"{count // 2 + 1} convolutions, {width} channels, scale {scale}")


ARCHITECTURE = Architecture("Real-ESRGAN Compact (SRVGGNetCompact)", detect, build, options=("scale",))
