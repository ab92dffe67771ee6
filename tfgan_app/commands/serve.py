"""`tfgan_app serve`: serves a folder of exported models by TensorFlow Serving's protocol."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from tfgan_app.inference.free_memory import free_bytes
from tfgan_app.serving import Limits, Server, Settings
from tfgan_app.shipped import is_shipped, shipped_models, shipped_names

_MEBIBYTE = 2**20
_SHARE_OF_MEMORY = 0.7
"""Share of the free memory at the start that running models may use."""

_BODIES_HELD = 4
"""Minimum number of request bodies of the largest size that fit into the limit of pending bytes."""


def run(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        args: Parsed flags of the command.

    Returns:
        0.

    Raises:
        ValueError: If there is no such folder, or an allowed host or origin is invalid.
        OSError: If a port is taken.
    """
    limits = Limits(
        max_body_bytes=args.max_body_mb * _MEBIBYTE,
        max_pending_bytes=max(Limits.max_pending_bytes, _BODIES_HELD * args.max_body_mb * _MEBIBYTE),
        max_pixels=args.max_pixels,
        max_batch=args.max_batch,
        max_queue=args.max_queue,
        timeout_seconds=args.timeout_seconds,
        memory_bytes=int(_SHARE_OF_MEMORY * free_bytes()),
    )
    settings = Settings(
        models=_folder(args.models),
        host=args.host,
        rest_port=args.rest_port,
        grpc_port=args.grpc_port,
        workers=args.workers or default_workers(),
        keep_versions=args.keep_versions,
        allow_hosts=tuple(args.allow_host),
        allow_origins=tuple(args.allow_origin),
        poll_seconds=args.poll_seconds,
        grace_seconds=args.grace_seconds,
        limits=limits,
    )
    asyncio.run(Server(settings).run_until_signal())
    return 0


def _folder(path: str) -> Path:
    """Returns the folder of models at a path, or that of the shipped model with this name.

    Raises:
        ValueError: If there is neither, or a shipped model has no SavedModel here.
    """
    model = shipped_models().get(path) if is_shipped(path) else None
    if model is None:
        if not Path(path).is_dir():
            raise ValueError(f"`--models` must be a folder of exported models. Received: '{path}'. {shipped_names()}")
        return Path(path)
    if model.saved_model is None:
        raise ValueError(
            f"`serve` needs SavedModels, and '{path}' has none here. Export one first: "
            f"tfgan_app export --model {path} --format saved_model --output models; then serve --models models."
        )
    return model.saved_model


def default_workers() -> int:
    """Returns the number of models that run at once: two overlap single-core work, more only use memory."""
    return 2 if (os.cpu_count() or 1) > 1 else 1
