"""Devices and precision of a training."""

from __future__ import annotations

import json
import os
from pathlib import Path

import tensorflow as tf


def resolve_precision(precision: str) -> str:
    """Resolves `"auto"` to the fastest dtype policy of this machine.

    Args:
        precision: `"auto"`, `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.

    Returns:
        `"mixed_float16"` on GPUs with tensor cores (compute capability 7.0 and above), `"mixed_bfloat16"` on
        CPUs that multiply bfloat16 in hardware (AVX512-BF16 or AMX), else `"float32"`; any name other than
        `"auto"` is returned unchanged.
    """
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
        return "mixed_float16" if capability >= (7, 0) else "float32"
    return "mixed_bfloat16" if {"avx512_bf16", "amx_bf16"} & _cpu_flags() else "float32"


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return set()
    return next((set(line.split()) for line in text.splitlines() if line.startswith("flags")), set())


def build_strategy(name: str) -> tf.distribute.Strategy:
    """Builds the distribution strategy; call it before any other TensorFlow code runs.

    Args:
        name: `"none"`; `"mirrored"`, all GPUs (or logical CPU devices) of this machine; `"multi_worker"`, the
            processes that the environment variable `TF_CONFIG` names; or `"auto"`: `"multi_worker"` where
            `TF_CONFIG` names more than one worker, `"mirrored"` where there is more than one GPU, else
            `"none"`.

    Raises:
        ValueError: For `"multi_worker"` without a usable `TF_CONFIG`.
    """
    workers = _workers()
    if name == "auto":
        several_gpus = len(tf.config.list_physical_devices("GPU")) > 1
        name = "multi_worker" if workers > 1 else "mirrored" if several_gpus else "none"
    if name == "multi_worker":
        if not workers:
            raise ValueError(
                "`--strategy multi_worker` expects TF_CONFIG to be set to JSON such as "
                '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}.'
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "mirrored":
        gpus = tf.config.list_logical_devices("GPU")
        return tf.distribute.MirroredStrategy([d.name for d in gpus or tf.config.list_logical_devices("CPU")])
    return tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes files: all processes do except workers after the first."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_type or (resolver.task_type, resolver.task_id) == ("worker", 0)


def _workers() -> int:
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return 0
    try:
        return len(json.loads(text)["cluster"]["worker"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"TF_CONFIG is not valid: expected JSON with cluster.worker. Received: {text!r}.") from error
