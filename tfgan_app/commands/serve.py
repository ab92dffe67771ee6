"""`tfgan_app serve`: TensorFlow Serving's protocol over a folder of exported models."""

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
"""Of what is free at the start, for running models."""

_BODIES_HELD = 4
"""Of the largest size, at least, where that is larger than usual."""


def run(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        args: The parsed flags of the subcommand.

    Returns:
        0.

    Raises:
        ValueError: If there is no such folder, or a host or origin to allow is none.
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
    """The folder of models at a path, or that of the shipped model of this name.

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
            f"`serve` runs SavedModels, and '{path}' comes without one. Write one first: "
            f"tfgan_app export --model {path} --format saved_model --output models; then serve --models models."
        )
    return model.saved_model


def default_workers() -> int:
    """Runs at the same time: two overlap what a run does on one core, more only take memory."""
    return 2 if (os.cpu_count() or 1) > 1 else 1
