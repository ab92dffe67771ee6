"""Thousands of hostile requests against `tfgan_app serve`: what it answers, and whether it suffers.

python tests/benchmarks/serve_malformed.py [--requests 5000]

Prints each kind with its answers; throughput of good requests before and after; resident memory on the way. Exit code 1
if an answer is a fault of the server (a 5xx that is no overload, INTERNAL, UNKNOWN), or the server is gone or slower.
"""

from __future__ import annotations

import argparse
import collections
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from serve_speed import client_worker, export_cheap, in_process, load_of, resident_bytes, running_server

_SLOWER = 0.8
"""Allowed share of the throughput before, since the machine is never quite quiet."""


def main():
    """Attacks a server of its own."""
    from hostile_requests import Attacker

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=5.0, help="of measuring good requests")
    args = parser.parse_args()
    flags = ["--max-body-mb", "4", "--max-pixels", "1000000"]
    with tempfile.TemporaryDirectory() as folder, running_server(export_model(Path(folder)), flags) as server:
        before = good_rate(server, args.seconds)
        attacker = Attacker(server["rest"], server["grpc"])
        for part in range(10):
            attacker.send(args.requests // 10)
            megabytes = resident_bytes(server["pid"]) / 2**20
            print(f"{(part + 1) * (args.requests // 10):6d} requests: {megabytes:.1f} MB", flush=True)
        attacker.close()
        after = good_rate(server, args.seconds)
    print_outcomes(attacker)
    print(f"good requests per second: {before:.1f} before, {after:.1f} after")
    sys.exit(bool(attacker.faults) or after < _SLOWER * before)


def export_model(folder):
    """The model that `hostile_requests` aims at."""
    return export_cheap(folder, name="negative")


def good_rate(server, seconds):
    """Good requests per second, of 8 clients."""
    with in_process(client_worker, load_of(server, "negative", "rest", "serving_default", 64), 8) as ask:
        return ask(seconds)


def print_outcomes(attacker):
    """A row for each kind of request."""
    kinds = collections.defaultdict(list)
    for (kind, answer), count in sorted(attacker.outcomes.items()):
        kinds[kind].append(f"{answer}: {count}")
    for kind, answers in kinds.items():
        print(f"{kind:28s} {', '.join(answers)}")
    print(f"{len(attacker.faults)} faults {attacker.faults[:20]}")


if __name__ == "__main__":
    main()
