"""Small files of random weights, one for each architecture that is imported, with the names and shapes of its code."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch_networks as networks
import torch_writer
from torch_networks import Tensors


def write(folder: Path, name: str) -> Path:
    """Writes the file of a key of `FILES`."""
    return torch_writer.write_zip(folder / f"{name}.pth", dict(FILES[name]()))


def _batch_norm(tensors: Tensors, name: str, count: int) -> None:
    tensors.gains(name, count)
    tensors[f"{name}.running_mean"] = 0.1 * tensors[f"{name}.bias"]
    tensors[f"{name}.running_var"] = tensors[f"{name}.weight"].copy()


def _span() -> Tensors:
    tensors = Tensors(11)
    tensors.convolution("conv_1.eval_conv", 3, 8)
    for block in range(1, 7):
        for convolution in ("c1_r", "c2_r", "c3_r"):
            tensors.convolution(f"block_{block}.{convolution}.eval_conv", 8, 8, gain=0.5)
    tensors.convolution("conv_cat", 32, 8, 1)
    tensors.convolution("conv_2.eval_conv", 8, 8)
    tensors.convolution("upsampler.0", 8, 3 * 4, gain=0.015)
    tensors["upsampler.0.bias"] += 0.5
    return tensors


def _pix2pix(depth: int = 5) -> Tensors:
    tensors, widths = Tensors(12), (6, 8, 8, 8, 8)
    prefix = "model.model"
    for level in range(depth):
        taken, given = (3, *widths)[level], widths[level]
        outermost, innermost = level == 0, level == depth - 1
        down, up = (0, 3) if outermost else (1, 3) if innermost else (1, 5)
        tensors.convolution(f"{prefix}.{down}", taken, given, 4, bias=outermost)
        tensors.convolution(f"{prefix}.{up}", taken, given if innermost else 2 * given, 4, bias=False)
        if outermost:
            tensors[f"{prefix}.{up}.bias"] = 0.1 * tensors[f"{prefix}.{down}.bias"][:3]
        else:
            _batch_norm(tensors, f"{prefix}.{up + 1}", taken)
        if not outermost and not innermost:
            _batch_norm(tensors, f"{prefix}.2", given)
        prefix = f"{prefix}.1.model" if outermost else f"{prefix}.3.model"
    return tensors


def _fast_style() -> Tensors:
    tensors = Tensors(13)
    layers = {
        "conv1": (3, 6, 9),
        "conv2": (6, 12, 3),
        "conv3": (12, 24, 3),
        "deconv1": (24, 12, 3),
        "deconv2": (12, 6, 3),
    }
    for index, (name, (taken, given, size)) in enumerate(layers.items(), 1):
        tensors.convolution(f"{name}.conv2d", taken, given, size)
        tensors.gains(f"in{index}", given)
    for block in (1, 2):
        for index in (1, 2):
            tensors.convolution(f"res{block}.conv{index}.conv2d", 24, 24)
            tensors.gains(f"res{block}.in{index}", 24)
    tensors.convolution("deconv3.conv2d", 6, 3, 9, gain=60.0)
    tensors["deconv3.conv2d.bias"] += 128
    return tensors


def _msrresnet() -> Tensors:
    tensors = Tensors(14)
    tensors.convolution("conv_first", 3, 8)
    for name in ("body.0.conv1", "body.0.conv2", "conv_hr"):
        tensors.convolution(name, 8, 8)
    tensors.convolution("upconv1", 8, 32)
    tensors.convolution("conv_last", 8, 3, gain=0.2)
    return tensors


def _edsr() -> Tensors:
    tensors = Tensors(15)
    for name in ("body.0.body.0", "body.0.body.2", "body.1"):
        tensors.convolution(name, 8, 8)
    tensors.convolution("head.0", 3, 8)
    tensors.convolution("tail.0.0", 8, 32)
    tensors.convolution("tail.1", 8, 3, gain=0.5)
    return tensors


def _srresnet() -> Tensors:
    tensors = Tensors(16)
    tensors.convolution("conv1.0", 3, 8, 9)
    for name, norm in {
        "trunk.0.rcb.0": "trunk.0.rcb.1",
        "trunk.0.rcb.3": "trunk.0.rcb.4",
        "conv2.0": "conv2.1",
    }.items():
        tensors.convolution(name, 8, 8, bias=False)
        _batch_norm(tensors, norm, 8)
    tensors.convolution("upsampling.0.upsample_block.0", 8, 32)
    for name in ("conv1.1", "trunk.0.rcb.2", "upsampling.0.upsample_block.2"):
        tensors.slopes(name, 1)
    tensors.convolution("conv3", 8, 3, 9, gain=0.3)
    tensors["conv3.bias"] += 0.5
    return tensors


def _ffdnet() -> Tensors:
    tensors = Tensors(17)
    for index, (taken, given) in enumerate(((13, 8), (8, 8), (8, 12))):
        tensors.convolution(f"model.{2 * index}", taken, given, gain=0.5 if index == 2 else 1.0)
    tensors["model.4.bias"] += 0.5
    return tensors


def _drunet() -> Tensors:
    tensors, widths = Tensors(18), (4, 8, 16, 32)
    tensors.convolution("m_head", 4, 4, bias=False)
    residual = {"m_body.0": 32}
    for level, (width, deeper) in enumerate(itertools.pairwise(widths), 1):
        residual |= {f"m_down{level}.0": width, f"m_up{level}.1": width}
        tensors.convolution(f"m_down{level}.1", width, deeper, 2, bias=False)
        tensors.convolution(f"m_up{level}.0", width, deeper, 2, bias=False)
    for name, width in residual.items():
        for place in (0, 2):
            tensors.convolution(f"{name}.res.{place}", width, width, bias=False)
    tensors.convolution("m_tail", 4, 3, bias=False, gain=0.1)
    return tensors


def _nafnet() -> Tensors:
    tensors = Tensors(19)
    tensors.convolution("intro", 3, 6)
    tensors.convolution("ending", 6, 3, gain=0.1)
    for block, width in {"encoders.0.0": 6, "middle_blks.0": 12, "decoders.0.0": 6}.items():
        for name, taken, given in (("conv1", 1, 2), ("conv3", 1, 1), ("sca.1", 1, 1), ("conv4", 1, 2), ("conv5", 1, 1)):
            tensors.convolution(f"{block}.{name}", taken * width, given * width, 1)
        tensors.convolution(f"{block}.conv2", 1, 2 * width)
        for norm, scale in (("norm1", "beta"), ("norm2", "gamma")):
            tensors.gains(f"{block}.{norm}", width)
            tensors[f"{block}.{scale}"] = 0.2 * tensors[f"{block}.{norm}.weight"].reshape(1, width, 1, 1)
    tensors.convolution("downs.0", 6, 12, 2)
    tensors.convolution("ups.0.0", 12, 24, 1, bias=False)
    return tensors


def _dcgan() -> Tensors:
    tensors, widths = Tensors(20), (10, 12, 8, 3)
    for level, (taken, given) in enumerate(itertools.pairwise(widths)):
        tensors.convolution(f"main.{3 * level}", given, taken, 4, bias=False, gain=2.0)
        if given > 3:
            _batch_norm(tensors, f"main.{3 * level + 1}", given)
    return tensors


FILES = {
    "srvgg": lambda: networks.srvgg(2),
    "esrgan": networks.rrdb,
    "span": _span,
    "srresnet": _srresnet,
    "msrresnet": _msrresnet,
    "edsr": _edsr,
    "cyclegan": lambda: networks.cyclegan(affine=True),
    "pix2pix": _pix2pix,
    "fast_style": _fast_style,
    "dncnn": lambda: networks.dncnn(3),
    "ffdnet": _ffdnet,
    "drunet": _drunet,
    "nafnet": _nafnet,
    "dcgan": _dcgan,
}
"""Name -> function that makes the tensors; each key of `IMPORTERS` is one."""
