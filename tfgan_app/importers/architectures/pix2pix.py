"""The U-Net generator of pix2pix."""

from __future__ import annotations

from tfgan_app.importers.architecture import SYMMETRIC, Architecture, Built, ImportOptions
from tfgan_app.importers.architectures.cyclegan import fill_normalization, normalization_of
from tfgan_app.importers.weights import Filler, Weights
from tfgan_app.networks.pix2pix_unet import build_pix2pix_unet

_OUTER = "model.model"
_MAX_DEPTH = 10


def detect(weights: Weights) -> bool:
    """Detects the nesting: a block within the outermost one, and one within that."""
    return weights.has(f"{_OUTER}.0.weight", f"{_OUTER}.1.model.1.weight", f"{_OUTER}.3.weight")


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds the U-Net with the depth of the file."""
    prefixes = [f"{_OUTER}.1.model"]
    while f"{prefixes[-1]}.3.model.1.weight" in weights:
        prefixes.append(f"{prefixes[-1]}.3.model")
    depth = len(prefixes) + 1
    if depth > _MAX_DEPTH:
        raise ValueError(f"it halves images {depth} times; at most {_MAX_DEPTH} are supported")
    downs = [f"{_OUTER}.0", *(f"{prefix}.1" for prefix in prefixes)]
    ups = [f"{_OUTER}.3", *(f"{prefix}.5" for prefix in prefixes[:-1]), f"{prefixes[-1]}.3"]
    norms = {f"down_{level}": f"{prefix}.2" for level, prefix in enumerate(prefixes[:-1], 1)}
    norms |= {f"up_{level}": f"{prefix}.6" for level, prefix in enumerate(prefixes[:-1], 1)}
    norms[f"up_{depth - 1}"] = f"{prefixes[-1]}.4"
    kind = normalization_of(weights, norms[f"up_{depth - 1}"], options)
    widths = tuple(weights.kernel(f"{down}.weight")[0] for down in downs)
    network = build_pix2pix_unet(
        widths=widths,
        input_channels=weights.kernel(f"{downs[0]}.weight")[1],
        output_channels=weights.kernel(f"{ups[0]}.weight")[1],
        normalization=kind,
        use_bias=f"{downs[1]}.bias" in weights,
    )
    filler = Filler(network, weights)
    for level in range(depth):
        filler.convolution(f"down_{level}", downs[level])
        filler.transposed(f"up_{level}", ups[level])
    for layer, source in norms.items():
        fill_normalization(filler, f"{layer}_norm", source, kind)
    filler.finish()
    details = f"{depth} halvings, for {2**depth} px, {widths[0]} channels, {kind} normalization"
    return Built(network, details, value_range=SYMMETRIC)


ARCHITECTURE = Architecture("pix2pix (U-Net)", detect, build, options=("norm",))
