"""SRResNet, MSRResNet and EDSR in the layouts of their code bases, each a list of sources and a configuration."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tfgan_app.importers.architecture import BYTE, UNIT, Architecture, Built, ImportOptions
from tfgan_app.importers.weights import Filler, Weights, square_root
from tfgan_app.networks.residual_upscaler import ResidualUpscaler, build_residual_upscaler
from tfgan_app.networks.upscaling import STAGES, enlargement_stages

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean of RGB in [0, 1], in the code of EDSR."""

_LARGE = 256
"""Width from which EDSR's blocks are scaled by 0.1."""


@dataclass(frozen=True)
class Layout:
    """Names of a code base for the layers of `build_residual_upscaler`, and its configuration.

    Attributes:
        marks: Names that identify a file.
        config: Configuration of the network in the code.
        head: Prefix of the first convolution.
        block: Prefixes of the two convolutions of a block, with `{}` for its number.
        stages: Prefixes of the upscaling convolutions.
        last: Prefix of the last convolution, with `{}` for the number of upscaling steps.
        after: Prefix of the convolution after the blocks, with `{}` for their number.
        full_size: Prefix of the convolution at full size.
        first_block: Number of the first block.
        norms: Our layer -> prefix of its batch normalization.
        slopes: Our layer -> prefix of its PReLU.
        value_range: Value range of the network.
    """

    marks: tuple[str, ...]
    config: ResidualUpscaler
    head: str
    block: tuple[str, str]
    stages: tuple[str, ...]
    last: str
    after: str = ""
    full_size: str = ""
    first_block: int = 0
    norms: Mapping[str, str] = field(default_factory=dict)
    slopes: Mapping[str, str] = field(default_factory=dict)
    value_range: str = UNIT


_SRGAN = ResidualUpscaler(end_kernel_px=9, normalization=True, head="prelu", inside="prelu", stage="prelu")

LAYOUTS: dict[str, Layout] = {
    "MSRResNet": Layout(
        marks=("conv_first.weight", "body.0.conv1.weight", "upconv1.weight", "conv_hr.weight", "conv_last.weight"),
        config=ResidualUpscaler(
            head="leaky_0.1", around=False, stage="leaky_0.1", full_size="leaky_0.1", bilinear_skip=True
        ),
        head="conv_first",
        block=("body.{}.conv1", "body.{}.conv2"),
        stages=("upconv1", "upconv2"),
        full_size="conv_hr",
        last="conv_last",
    ),
    "EDSR of BasicSR": Layout(
        marks=("conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight", "upsample.0.weight"),
        config=ResidualUpscaler(mean=DIV2K_MEAN, gain=255.0),
        head="conv_first",
        block=("body.{}.conv1", "body.{}.conv2"),
        after="conv_after_body",
        stages=("upsample.0", "upsample.2", "upsample.4"),
        last="conv_last",
    ),
    "EDSR": Layout(
        marks=("head.0.weight", "body.0.body.0.weight", "body.0.body.2.weight", "tail.0.0.weight", "tail.1.weight"),
        config=ResidualUpscaler(mean=tuple(255.0 * mean for mean in DIV2K_MEAN)),
        head="head.0",
        block=("body.{}.body.0", "body.{}.body.2"),
        after="body.{}",
        stages=("tail.0.0", "tail.0.2", "tail.0.4"),
        last="tail.1",
        value_range=BYTE,
    ),
    "SRResNet": Layout(
        marks=("conv1.0.weight", "trunk.0.rcb.0.weight", "conv2.0.weight", "conv3.weight"),
        config=dataclasses.replace(_SRGAN, normalization_behind=True),
        head="conv1.0",
        block=("trunk.{}.rcb.0", "trunk.{}.rcb.3"),
        after="conv2.0",
        stages=tuple(f"upsampling.{index}.upsample_block.0" for index in range(3)),
        last="conv3",
        norms={"block_conv0": "trunk.{}.rcb.1", "block_conv1": "trunk.{}.rcb.4", "after_blocks": "conv2.1"},
        slopes={"from_image": "conv1.1", "block": "trunk.{}.rcb.2", "up": "upsampling.{}.upsample_block.2"},
    ),
    "SRGAN": Layout(
        marks=("block1.0.weight", "block2.conv1.weight", "block7.0.weight", "block8.0.conv.weight"),
        config=dataclasses.replace(_SRGAN, behind="prelu", unit_tanh=True),
        head="block1.0",
        block=("block{}.conv1", "block{}.conv2"),
        first_block=2,
        after="block7.0",
        stages=tuple(f"block8.{index}.conv" for index in range(3)),
        last="block8.{}",
        norms={"block_conv0": "block{}.bn1", "block_conv1": "block{}.bn2"},
        slopes={
            "from_image": "block1.1",
            "block": "block{}.prelu",
            "after_blocks": "block7.1",
            "up": "block8.{}.prelu",
        },
    ),
}
"""Names of code bases -> their layouts."""


def detect(weights: Weights) -> bool:
    """Detects the marks of one of the layouts."""
    return any(weights.has(*layout.marks) for layout in LAYOUTS.values())


def build(weights: Weights, options: ImportOptions) -> Built:
    """Builds the network in the layout of the file."""
    name, layout = next((name, layout) for name, layout in LAYOUTS.items() if weights.has(*layout.marks))
    blocks = _count(weights, layout.block[0], layout.first_block)
    stages = [stage for stage in layout.stages if f"{stage}.weight" in weights]
    config = _config(weights, layout, blocks=blocks, stages=stages, wanted=options.scale)
    if name == "EDSR":
        config = _edsr_mean(weights, config)
    filler = Filler(build_residual_upscaler(config), weights)
    _fill_ends(filler, layout, blocks=blocks, stages=stages, config=config)
    for index in range(blocks):
        number = index + layout.first_block
        for place, source in enumerate(layout.block):
            filler.convolution(f"block_{index}_conv{place}", source.format(number))
            if config.normalization:
                norm = layout.norms[f"block_conv{place}"].format(number)
                filler.batch_normalization(f"block_{index}_conv{place}_norm", norm)
        if config.inside == "prelu":
            _fill_slopes(filler, weights, f"block_{index}", layout.slopes["block"].format(number))
    for layer in ("from_image", "after_blocks"):
        if layer in layout.slopes:
            _fill_slopes(filler, weights, layer, layout.slopes[layer])
    if config.stage == "prelu":
        for level in range(len(stages)):
            _fill_slopes(filler, weights, f"up_{level}", layout.slopes["up"].format(level))
    filler.finish()
    size = f"{blocks} blocks, {config.width} channels, scale {config.scale}"
    return Built(filler.network, f"{name}, {size}", value_range=layout.value_range)


def _config(
    weights: Weights, layout: Layout, *, blocks: int, stages: Sequence[str], wanted: int | None
) -> ResidualUpscaler:
    width, channels, kernel_px, _ = weights.kernel(f"{layout.head}.weight")
    scale = math.prod(square_root(weights.kernel(f"{stage}.weight")[0] // width, of=stage) for stage in stages)
    if scale not in STAGES or enlargement_stages(scale, tuple(STAGES)) == ():
        raise ValueError(f"it upscales by {scale}")
    if layout.config.mean and channels != len(DIV2K_MEAN):
        raise ValueError(f"it takes {channels} channels, but subtracts a mean of {len(DIV2K_MEAN)}")
    return dataclasses.replace(
        layout.config,
        scale=scale,
        channels=channels,
        width=width,
        blocks=blocks,
        end_kernel_px=kernel_px,
        normalized_bias=f"{layout.block[0].format(layout.first_block)}.bias" in weights,
        steep=any(weights.largest(name) > 1.0 for name in _slopes(weights, layout)),
        block_scale=0.1 if layout.config.mean and width >= _LARGE else 1.0,
    )


def _slopes(weights: Weights, layout: Layout) -> list[str]:
    """Names of the slopes of all PReLU."""
    patterns = [re.escape(f"{source}.weight").replace(r"\{\}", r"\d+") for source in layout.slopes.values()]
    return [name for name in weights if any(re.fullmatch(pattern, name) for pattern in patterns)]


def _edsr_mean(weights: Weights, config: ResidualUpscaler) -> ResidualUpscaler:
    """Configuration with the mean that EDSR stores as convolutions, if the file has them."""
    weights.leave(r"(sub|add)_mean\.weight")  # The identity: its authors' standard deviation is 1.
    if not weights.has("sub_mean.bias", "add_mean.bias"):
        return config
    taken, given = weights.take("sub_mean.bias"), weights.take("add_mean.bias")
    if taken.shape != (config.channels,) or not (taken == -given).all():
        raise ValueError("the mean that it subtracts differs from the one that it adds back")
    return dataclasses.replace(config, mean=tuple(map(float, given)))


def _fill_ends(filler: Filler, layout: Layout, *, blocks: int, stages: Sequence[str], config: ResidualUpscaler) -> None:
    filler.convolution("from_image", layout.head)
    if config.around:
        filler.convolution("after_blocks", layout.after.format(blocks))
        if config.normalization_behind:
            filler.batch_normalization("after_blocks_norm", layout.norms["after_blocks"])
    for level, (stage, factor) in enumerate(zip(stages, STAGES[config.scale], strict=True)):
        filler.convolution(f"up_{level}", stage, shuffle=factor)
    if config.full_size is not None:
        filler.convolution("at_full_size", layout.full_size)
    filler.convolution("to_image", layout.last.format(len(stages)))


def _fill_slopes(filler: Filler, weights: Weights, layer: str, source: str) -> None:
    filler.slopes(f"{layer}_prelu", weights.take(f"{source}.weight"), source)


def _count(weights: Weights, source: str, first: int) -> int:
    """Number of consecutive blocks."""
    count = 0
    while f"{source.format(first + count)}.weight" in weights:
        count += 1
    return count


ARCHITECTURE = Architecture("SRResNet, EDSR", detect, build, options=("scale",))
