"""`tfgan_app studio`: opens the page."""

from __future__ import annotations

import argparse
import importlib.util
import signal
import socket
import threading
import webbrowser

_MEBIBYTE = 2**20
_LARGEST_PORT = 65535
_EXTRA = "pip install 'tfgan_app[studio]'"


def run(args: argparse.Namespace) -> int:
    """Serves the page until SIGTERM or SIGINT.

    Args:
        args: Parsed flags of the command.

    Returns:
        0.

    Raises:
        ValueError: If the extra is missing, or a folder does not exist.
        OSError: If the port is taken.
    """
    if args.port > _LARGEST_PORT:
        raise ValueError(f"`--port` must be at most {_LARGEST_PORT}. Received: {args.port}.")
    if importlib.util.find_spec("gradio") is None:
        raise ValueError(f"The studio needs Gradio. Install it with: {_EXTRA}")
    from tfgan_app.studio.places import Bounds, Places

    bounds = Bounds(args.max_upload_mb * _MEBIBYTE, args.max_uploads, args.max_pixels)
    places = Places(args.allow, bounds=bounds)
    port = _free_port(args.port)
    from tfgan_app.studio.app import HOST, build_server, open_studio

    with open_studio(places) as studio:
        server = build_server(studio, port=port)
        address = f"http://{HOST}:{port}/"
        print(f"The studio is at {address} (Ctrl-C ends it)", flush=True)
        if not args.no_browser:
            threading.Timer(1.0, webbrowser.open, [address]).start()
        _serve(server)
        print("Stopping the jobs; trainings save a checkpoint first", flush=True)
    return 0


def _serve(server) -> None:
    """Runs the server until a signal; the signal is not raised again, so that the jobs are stopped in order."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    server.capture_signals = _no_signals
    for number in before:
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    try:
        server.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _no_signals():
    import contextlib

    return contextlib.nullcontext()


def _free_port(port: int) -> int:
    """Returns the port, or any free one for 0.

    Raises:
        OSError: If the port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise OSError(f"Port {port} cannot be used: {error.strerror}. Choose another with `--port`.") from None
        return probe.getsockname()[1]
