"""Conversion of a weights file to a model of this package."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import tfgan_app
from tfgan_app.importers.architecture import NORMS, Architecture, Built, ImportOptions
from tfgan_app.importers.assembling import assemble
from tfgan_app.importers.ncnn_files import read_ncnn
from tfgan_app.importers.ncnn_graphs import check_same, named_tensors, with_last_resize
from tfgan_app.importers.reading import NCNN, READERS, check_file, sha256
from tfgan_app.importers.state_dicts import state_dicts
from tfgan_app.importers.weights import Weights, listed
from tfgan_app.layers import receptive_field_of
from tfgan_app.registry import IMPORTERS, is_own

_OTHERS = {
    "SwinIR or Swin2SR": r"layers\.0\.residual_group\.blocks\.0\.(attn|norm1)",
    "HAT": r"layers\.0\.residual_group\.(blocks\.0\.conv_block|overlap_attn)",
    "DAT": r"layers\.0\.blocks\.\d+\.attn\.",
    "RLFN": r"block_1\.(c5|esa)\.",
    "RFDN": r"B1\.c1_d\.",
    "RCAN": r"body\.0\.body\.0\.body\.3\.conv_du\.",
    "Restormer": r"encoder_level1\.0\.attn\.",
    "SCUNet": r"m_body\.0\.trans_block\.",
    "GFPGAN": r"stylegan_decoder\.",
    "StyleGAN": r"(mapping|synthesis|style)\.\w+\.?\d*\.(weight|affine)",
    "a diffusion model": r"(model\.)?(diffusion_model|input_blocks|time_embed)\.",
    "Real-CUGAN": r"unet1\.conv1\.conv\.",
    "MoSR, PLKSR or RealPLKSR": r"(gblocks|feats)\.\d+\.(token_mix|lk|channel_mixer|fc1)",
}
"""Architecture -> names of tensors that identify it, at the beginning."""

_CLASSIFIER = r"(fc|classifier(\.\d+)?|linear\d*|head)\.weight"


@dataclass(frozen=True)
class Imported:
    """An imported model.

    Attributes:
        model: For inference, on images in [0, 1].
        architecture: Key of `IMPORTERS`, or `module:attribute` of a user's own.
        details: The network's size in words.
        facts: As its `Provenance` tells them.
    """

    model: keras.Model
    architecture: str
    details: str
    facts: Mapping[str, str]


def import_weights(
    path: str | os.PathLike,
    *,
    architecture: str | None = None,
    options: ImportOptions = ImportOptions(),  # noqa: B008 (frozen)
    license: str | None = None,
) -> Imported:
    """Imports a trained generator of PyTorch or ncnn; no code in the file is run.

    Args:
        path: A `.safetensors`, `.pth`, `.pt` or `.ckpt` file, or one of ncnn's pair of `.param` and `.bin`.
        architecture: Key of `IMPORTERS`, or `module:attribute` of an `Architecture` of the user's own; None finds it by
            the tensors' names and shapes.
        options: What the weights leave open.
        license: Of the weights, as the user states it.

    Returns:
        The model and its facts.

    Raises:
        ValueError: If the file cannot be read, has an unknown architecture, or its tensors do not fit the architecture.
            One line.
    """
    path = Path(path)
    _check_choices(architecture, options)
    try:
        check_file(path)
        graph = read_ncnn(path) if path.suffix.lower() in NCNN else None
        candidates = [named_tensors(graph)] if graph else state_dicts(READERS[path.suffix.lower()](path))
        name, weights = _recognized(candidates, architecture)
        row = find_architecture(name)
        built = _built(row, weights, options)
        if graph:
            built = with_last_resize(graph, built)
            check_same(graph, built, label=row.label)
        facts = _facts(path, row, built, license)
        model = assemble(built, facts, name="imported")
        _check_scale(model, options.scale, facts)
    except RecursionError as error:
        raise ValueError(f"Cannot import '{path}': it has more layers than can be built.") from error
    except ValueError as error:
        # Messages of Keras and file names may contain line breaks.
        raise ValueError(f"Cannot import '{path}': {' '.join(str(error).split())}.") from error
    return Imported(model, name, built.details, facts)


def find_architecture(name: str) -> Architecture:
    """The row of `IMPORTERS` of a name, or a user's own behind `module:attribute`.

    Raises:
        ValueError: If there is no such row, or the user's own object cannot be imported or is none.
    """
    if name not in IMPORTERS and not is_own(name):
        raise ValueError(f"`architecture` must be one of {', '.join(IMPORTERS)}. Received: {name}")
    row = IMPORTERS[name]
    if not isinstance(row, Architecture):
        raise ValueError(f"'{name}' must be a tfgan_app.importers.Architecture. Received: {type(row).__name__}")
    if not is_own(name):
        return row
    return dataclasses.replace(row, detect=_guarded(row.detect, name), build=_guarded(row.build, name))


def _guarded(function: Callable, name: str) -> Callable:
    """A function of a user's own, whose every failure is a ValueError that names it."""

    @functools.wraps(function)
    def guarded(*arguments):
        try:
            return function(*arguments)
        except ValueError:
            raise
        except Exception as error:  # The user's code may fail in any way.
            raise ValueError(f"'{name}' failed with {type(error).__name__}: {error}") from error

    return guarded


def _check_choices(architecture: str | None, options: ImportOptions) -> None:
    if architecture is not None:
        find_architecture(architecture)
    if options.norm not in NORMS:
        raise ValueError(f"`norm` must be one of {', '.join(NORMS)}. Received: {options.norm}")
    if not 0.0 <= options.noise_level <= 255.0:
        raise ValueError(f"`noise_level` must be from 0 to 255. Received: {options.noise_level}")


def _recognized(
    candidates: Iterator[dict[str, np.ndarray]] | list[dict[str, np.ndarray]], wanted: str | None
) -> tuple[str, Weights]:
    """Architecture of a file, and the tensors of that architecture.

    For a generator that is part of a larger file, the file's other tensors are ignored.
    """
    seen = []
    for tensors in candidates:
        weights = Weights(tensors)
        seen.append(weights)
        for name in IMPORTERS if wanted is None else [wanted]:
            if find_architecture(name).detect(weights):
                return name, weights
    first = listed(seen[0])
    if wanted is not None:
        raise ValueError(
            f"`--architecture {wanted}`: its tensors, {first}, are not those of {find_architecture(wanted).label}"
        )
    unknown = f"its tensors, {first}, match no known architecture"
    reason = next(filter(None, map(_why_refused, seen)), unknown)
    known = "; ".join(f"{name} ({row.label})" for name, row in IMPORTERS.items())
    raise ValueError(f"{reason}. Known: {known}")


def _built(row: Architecture, weights: Weights, options: ImportOptions) -> Built:
    default = ImportOptions()
    for field in dataclasses.fields(options):
        if getattr(options, field.name) != getattr(default, field.name) and field.name not in row.options:
            flag = field.name.replace("_", "-")
            raise ValueError(f"`--{flag}` does not apply to {row.label}")
    try:
        built = row.build(weights, options)
    except ValueError as error:
        raise ValueError(f"it looks like {row.label}, but {error}") from error
    if not isinstance(built, Built):
        raise ValueError(f"the architecture {row.label} must build a tfgan_app.importers.Built, and built a {built!r}")
    return built


def _check_scale(model: keras.Model, wanted: int | None, facts: Mapping[str, str]) -> None:
    if wanted is not None and receptive_field_of(model).scale != wanted:
        raise ValueError(f"it is {facts['Architecture']}. Received: `--scale {wanted}`")


def _facts(path: Path, row: Architecture, built: Built, license: str | None) -> dict[str, str]:
    files = [path.with_suffix(suffix) for suffix in NCNN] if path.suffix.lower() in NCNN else [path]
    return {
        "Architecture": f"{row.label}, {built.details}",
        "Imported from": ", ".join(file.name for file in files),
        "SHA-256 of the source": ", ".join(sha256(file) for file in files),
        "License": license or "not stated",
        "Imported by": f"tfgan_app {tfgan_app.__version__}",
    }


def _why_refused(weights: Weights) -> str | None:
    """Names the unsupported architecture of weights, as far as it can be recognized.

    Args:
        weights: All tensors of the file.

    Returns:
        A clause, or None.
    """
    if _is_discriminator(weights):
        return "it is a discriminator, which makes no images: give the generator's file"
    for name, pattern in _OTHERS.items():
        if any(re.match(pattern, tensor) for tensor in weights):
            return f"its architecture is {name}, which is not supported"
    if any(re.fullmatch(_CLASSIFIER, tensor) for tensor in weights):
        return "it seems to be a classifier, which makes no images"
    return None


def _is_discriminator(weights: Weights) -> bool:
    """Returns whether the last convolution or linear layer gives one number, and no layer upscales.

    This holds for PatchGAN (`model.0`, ..., one channel of 4 x 4 kernels), for the U-Net and VGG discriminators of
    ESRGAN, and for DCGAN's.
    """
    kernels = [(name, weights.shape(name)) for name in weights if re.search(r"weight(_orig)?$", name)]
    kernels = [(name, shape) for name, shape in kernels if len(shape) in (2, 4)]
    if len(kernels) < 2 or any(len(shape) not in (2, 4) for _, shape in kernels):
        return False
    _, last = kernels[-1]
    if last[0] != 1:
        return False
    strided = [shape for _, shape in kernels if len(shape) == 4 and shape[2:] == (4, 4)]
    return len(last) == 2 or len(strided) >= 2 or any("discriminator" in name.lower() for name, _ in kernels)
