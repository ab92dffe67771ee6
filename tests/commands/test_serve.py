"""`tfgan_app serve` as a process: its first and last words, signals and exit codes."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest
from lanes import first_quick
from live_server import export_negative

from tfgan_app import cli


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    export_negative(folder)
    return folder


def serve(*arguments, **options):
    command = [sys.executable, "-m", "tfgan_app", "serve", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("number", first_quick([signal.SIGTERM, signal.SIGINT]))
def test_it_says_where_it_serves_and_ends_well_when_told_to(models, number):
    process = serve("--models", models, "--rest-port", 0, "--grpc-port", 0)
    guard = threading.Timer(300, process.kill)
    guard.start()
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())[0]
        # TensorFlow may say in between what it cannot fuse.
        assert "negative version 1 is available\n" in iter(process.stderr.readline, "")
        with urllib.request.urlopen(f"{url}v1/models") as response:
            assert json.load(response)["models"][0]["name"] == "negative"
        process.send_signal(number)
        _, errors = process.communicate(timeout=300)
    finally:
        guard.cancel()
        process.kill()
    assert (process.returncode, errors) == (0, "Stopping: pending requests are answered first\n")


def refused(capsys, *arguments):
    """What a server that cannot start says, in this process: its first and last words are tried above."""
    assert cli.run(cli.parse(["tfgan_app", "serve", *map(str, arguments)])) == 2
    return capsys.readouterr().err


def test_a_folder_that_is_not_there_is_bad_usage(tmp_path, capsys):
    errors = refused(capsys, "--models", tmp_path / "no")
    message = f"tfgan_app: error: `--models` must be a folder of exported models. Received: '{tmp_path / 'no'}'. "
    assert errors.startswith(f"{message}Shipped models: upscale_x4, ") and errors.count("\n") == 1


@pytest.mark.parametrize("name", ["upscale_x4.keras", "upscale_x4_int8.tflite"])
def test_a_shipped_file_is_no_folder_of_models(capsys, name):
    message = f"`--models` must be a folder of exported models. Received: '{name}'."
    assert message in refused(capsys, "--models", name)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--allow-host", "https://models.example"], "An allowed host must be a name or address"),
        (["--allow-origin", "app.example"], "An allowed origin must be scheme://host"),
    ],
)
def test_hosts_and_origins_that_are_none_are_bad_usage(models, capsys, flags, message):
    errors = refused(capsys, "--models", models, *flags)
    assert errors.startswith(f"tfgan_app: error: {message}") and errors.count("\n") == 1


def test_a_configuration_that_cannot_be_used_is_bad_usage(tmp_path, capsys):
    (tmp_path / "models.config").write_text('model_config_list { config { name: "x" model_platform: "torch" } }')
    assert refused(capsys, "--models", tmp_path) == (
        f"tfgan_app: error: '{tmp_path / 'models.config'}': model 'x': `model_platform` must be \"tensorflow\". "
        'Received: "torch".\n'
    )


@pytest.mark.parametrize("flag", ["--rest-port", "--grpc-port"])
def test_a_port_that_is_taken_is_bad_usage(models, capsys, flag):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"--rest-port": 0, "--grpc-port": 0, flag: port}
        errors = refused(capsys, "--models", models, *(part for pair in ports.items() for part in pair))
    assert len(errors.splitlines()) == 1 and str(port) in errors
