"""DnCNN, FDnCNN and FFDNet of KAIR and of their authors' code."""

from __future__ import annotations

import numpy as np

from tfgan_app.importers.architecture import Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights, shuffled
from tfgan_app.networks.dncnn import build_dncnn

_PREFIXES = ("model", "dncnn")


def detect(weights: Weights) -> bool:
    """Detects a sequence of 3 x 3 convolutions with equal input and output channels, or those of a pixel unshuffle."""
    return _is_row(weights) and not detect_ffdnet(weights)


def detect_ffdnet(weights: Weights) -> bool:
    """Detects a sequence of 3 x 3 convolutions with one extra input channel and four times an image's channels."""
    if not _is_row(weights):
        return False
    kernels = _kernels(weights)
    taken, given = weights.shape(kernels[0])[1], weights.shape(kernels[-1])[0]
    return taken == given + 1 and given in (4, 12)


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds DnCNN, with batch normalization if the file has it, or FDnCNN, which takes the noise level."""
    return _build(weights, options, unshuffle=1)


def build_ffdnet(weights: Weights, options: ImportOptions) -> Built:
    """Builds FFDNet for one noise level."""
    return _build(weights, options, unshuffle=2)


def _build(weights: Weights, options: ImportOptions, *, unshuffle: int) -> Built:
    kernels = _kernels(weights)
    width, taken = weights.kernel(kernels[0])[:2]
    given = weights.kernel(kernels[-1])[0]
    takes_noise = taken == given + 1
    if not takes_noise and (taken != given or options.noise_level != ImportOptions().noise_level):
        raise ValueError(f"it takes {taken} channels and gives {given}, none of which is a noise level")
    prefix, second = kernels[1].rsplit(".", 2)[:2]
    normalized = f"{prefix}.{int(second) + 1}.running_mean" in weights
    network = build_dncnn(
        channels=given // unshuffle**2,
        width=width,
        depth=len(kernels),
        normalization=normalized,
        # KAIR's epsilon is larger than PyTorch's, which the first PyTorch code of DnCNN has.
        epsilon=1e-4 if prefix == "model" else 1e-5,
        middle_bias=f"{prefix}.{second}.bias" in weights,
        noise=options.noise_level / 255.0 if takes_noise else None,
        unshuffle=unshuffle,
        residual=not takes_noise,
    )
    _fill(Filler(network, weights), kernels, normalized=normalized, takes_noise=takes_noise, unshuffle=unshuffle)
    noise = f", for noise of {options.noise_level:g}" if takes_noise else ""
    return Built(network, f"{len(kernels)} convolutions, {width} channels, {given // unshuffle**2} of images{noise}")


def _fill(filler: Filler, kernels: list[str], *, normalized: bool, takes_noise: bool, unshuffle: int) -> None:
    def unshuffled(kernel: np.ndarray) -> np.ndarray:
        image, noise = (kernel[:, :-1], kernel[:, -1:]) if takes_noise else (kernel, kernel[:, :0])
        return np.concatenate([shuffled(image, unshuffle, axis=1), noise], axis=1)

    for index, kernel in enumerate(kernels):
        source = kernel.removesuffix(".weight")
        last = index == len(kernels) - 1
        options = {"change": unshuffled} if index == 0 else {"shuffle": unshuffle if last else 1}
        filler.convolution(f"conv_{index}", source, **options)
        if normalized and index > 0 and not last:
            prefix, number = source.rsplit(".", 1)
            filler.batch_normalization(f"norm_{index}", f"{prefix}.{int(number) + 1}")
    filler.finish()


def _kernels(weights: Weights) -> list[str]:
    """Names of the convolutions in order; none if the names have another form."""
    prefix = next((prefix for prefix in _PREFIXES if f"{prefix}.0.weight" in weights), None)
    names = [name for name in weights if name.endswith(".weight") and len(weights.shape(name)) == 4]
    numbers = [name.split(".")[1] for name in names if name.split(".")[0] == prefix and name.count(".") == 2]
    if not names or len(numbers) != len(names) or not all(number.isdigit() for number in numbers):
        return []
    return [f"{prefix}.{number}.weight" for number in sorted(numbers, key=int)]


def _is_row(weights: Weights) -> bool:
    kernels = _kernels(weights)
    shapes = [weights.shape(name) for name in kernels]
    return len(kernels) > 2 and {shape[2:] for shape in shapes} == {(3, 3)} and len({s[0] for s in shapes[:-1]}) == 1


DNCNN = Architecture("DnCNN, FDnCNN", detect, build, options=("noise_level",))
FFDNET = Architecture("FFDNet", detect_ffdnet, build_ffdnet, options=("noise_level",))
