"""What `tfgan_app serve` takes."""

from __future__ import annotations

from typing import Any

from tfgan_app.arguments.parsing import add_command, natural, positive, positive_number

_SERVE_EPILOG = """\
  curl localhost:8501/v1/models/NAME:predict -d '{"instances": [{"b64": "..."}]}'
A browser finds a page to try the models on at http://localhost:8501/. New versions in DIR are loaded as they appear.
"""


def add(commands: Any) -> None:
    """Adds the command and its flags."""
    summary = "Serve exported models: TensorFlow Serving's REST and gRPC, and a page to try them on."
    parser = add_command(commands, "serve", summary=summary, epilog=_SERVE_EPILOG)
    parser.add_argument(
        "--models",
        required=True,
        metavar="DIR",
        help="folder of exported models, or one of them; or a shipped model's name",
    )
    parser.add_argument("--rest-port", type=natural, default=8501, metavar="N", help="default: 8501; 0: any free")
    parser.add_argument("--grpc-port", type=natural, default=8500, metavar="N", help="default: 8500; 0: any free")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine)")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="name that the server is called by, as behind a proxy; may be repeated (default: this machine's)",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="site whose pages may use the server, as https://app.example; may be repeated (default: none)",
    )
    parser.add_argument("--workers", type=positive, metavar="N", help="runs of models at the same time (default: 2)")
    bounds = parser.add_argument_group("bounds, each with its own error")
    for flag, default, text in (
        ("--max-batch", 32, "images or seeds of one request; up to 8 of several run as one"),
        ("--max-pixels", 4_000_000, "input pixels of one request; less where memory does not allow it"),
        ("--max-body-mb", 32, "size of one request"),
        ("--max-queue", 128, "requests that wait; more are told to come later"),
    ):
        bounds.add_argument(flag, type=positive, default=default, metavar="N", help=f"{text} (default: {default})")
    bounds.add_argument(
        "--timeout-seconds", type=positive_number, default=60.0, metavar="S", help="for an answer (default: 60)"
    )
    life = parser.add_argument_group("life")
    life.add_argument(
        "--poll-seconds", type=positive_number, default=2.0, metavar="S", help="between looks at DIR (default: 2)"
    )
    life.add_argument(
        "--keep-versions", type=positive, default=1, metavar="N", help="highest versions to serve (default: 1)"
    )
    life.add_argument(
        "--grace-seconds", type=positive_number, default=30.0, metavar="S", help="to finish at the end (default: 30)"
    )
