"""Selection of the generator's tensors in a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfgan_app.importers.tensors import FileError
from tfgan_app.importers.weights import listed

KEYS = (
    *("params_ema", "params-ema", "g_ema", "netG_ema", "ema", "ema_state_dict"),
    *("params", "netG_state_dict", "generator_state_dict", "netG", "net_g", "generator", "gen", "G"),
    *("model_state_dict", "state_dict", "model", "net", "network", "weights"),
)
"""Keys of the generator's tensors in checkpoints, the best first: averaged ones before others."""

WRAPPERS = ("module.", "_orig_mod.")
"""Prefixes that `DataParallel` and `torch.compile` add to every name."""

PARTS = (
    *("generator_ema.", "net_g_ema.", "netG_ema.", "generator.", "net_g.", "netG.", "net_G.", "G.", "gen."),
    *("model.", "net.", "network."),
)
"""Prefixes of the generator's names beside other parts, the best first."""

_MAX_DEPTH = 4


def state_dicts(content: Any) -> Iterator[dict[str, np.ndarray]]:
    """Candidates for the generator's tensors, the most likely first.

    Args:
        content: Content of a file: name -> array, or nested dictionaries of such.

    Yields:
        Name -> array, without prefixes that every name has; then the subsets under known prefixes.

    Raises:
        FileError: If there are no named tensors.
    """
    tensors = _without_wrappers(_find(content))
    yield tensors
    for prefix in PARTS:
        part = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        if part:
            yield _without_wrappers(part)


def _find(content: Any, depth: int = 0) -> dict[str, np.ndarray]:
    if not isinstance(content, Mapping):
        raise FileError(f"it holds a {type(content).__name__}, expected named tensors (a `state_dict()`)")
    tensors = {name: value for name, value in content.items() if isinstance(name, str) and _is_tensor(value)}
    nested = {name: value for name, value in content.items() if isinstance(value, Mapping) and _holds_kernels(value)}
    # A dictionary may have a step counter beside the dictionaries of tensors.
    if any(tensor.ndim > 1 for tensor in tensors.values()) or not nested:
        if not tensors:
            raise FileError(f"it holds no named tensors; its keys are {listed(map(str, content))}")
        return tensors
    if depth >= _MAX_DEPTH:
        raise FileError("its dictionaries are nested too deeply")
    chosen = next((key for key in KEYS if key in nested), None)
    if chosen is None and len(nested) > 1:
        raise FileError(
            f"it holds several sets of tensors, {listed(map(str, nested))}, none of which has the name of a generator: "
            "save only the one to import"
        )
    return _find(nested[chosen if chosen is not None else next(iter(nested))], depth + 1)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _holds_kernels(value: Mapping, depth: int = 0) -> bool:
    """Returns whether a dictionary holds named tensors; an optimizer's state is numbered."""
    if depth > _MAX_DEPTH:
        return False
    return any(
        isinstance(name, str) and (_is_tensor(each) or (isinstance(each, Mapping) and _holds_kernels(each, depth + 1)))
        for name, each in value.items()
    )


def _without_wrappers(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for prefix in WRAPPERS * 2:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors
