"""Flags of `tfgan_app serve`."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import add_command, natural, positive, positive_number

_SERVE_EPILOG = """\
  curl localhost:8501/v1/models/NAME:predict -d '{"instances": [{"b64": "..."}]}'
A page for trying the models is at http://localhost:8501/. New versions in DIR are loaded as they appear.
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Serve exported models: TensorFlow Serving's REST and gRPC APIs, and a page for trying them."
    parser = add_command(commands, "serve", summary=summary, epilog=_SERVE_EPILOG)
    parser.add_argument(
        "--models",
        required=True,
        metavar="DIR",
        help="folder of exported models, a single exported model, or a shipped model's name",
    )
    parser.add_argument("--rest-port", type=natural, default=8501, metavar="N", help="default: 8501; 0: any free")
    parser.add_argument("--grpc-port", type=natural, default=8500, metavar="N", help="default: 8500; 0: any free")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine)")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="host name that clients may use, as behind a proxy; may be repeated (default: this machine's)",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="site whose pages may use the server, such as https://app.example; may be repeated (default: none)",
    )
    parser.add_argument("--workers", type=positive, metavar="N", help="models run at the same time (default: 2)")
    bounds = parser.add_argument_group("limits, each with its own error")
    for flag, default, text in (
        ("--max-batch", 32, "images or seeds per request; up to 8 of several requests run as one batch"),
        ("--max-pixels", 4_000_000, "input pixels per request; less if memory is short"),
        ("--max-body-mb", 32, "size of a request"),
        ("--max-queue", 128, "waiting requests; further ones are told to retry later"),
    ):
        bounds.add_argument(flag, type=positive, default=default, metavar="N", help=f"{text} (default: {default})")
    bounds.add_argument(
        "--timeout-seconds", type=positive_number, default=60.0, metavar="S", help="limit for an answer (default: 60)"
    )
    life = parser.add_argument_group("lifecycle")
    life.add_argument(
        "--poll-seconds", type=positive_number, default=2.0, metavar="S", help="time between scans of DIR (default: 2)"
    )
    life.add_argument(
        "--keep-versions", type=positive, default=1, metavar="N", help="number of newest versions to serve (default: 1)"
    )
    life.add_argument(
        "--grace-seconds", type=positive_number, default=30.0, metavar="S", help="to finish at shutdown (default: 30)"
    )
