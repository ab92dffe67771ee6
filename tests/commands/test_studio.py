"""The command `studio`: help without delay, and one line for what is wrong."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys

import pytest

from tfgan_app import cli


def run(*words, capsys):
    code = cli.run(cli.parse(["tfgan_app", "studio", *words]))
    return code, capsys.readouterr().err


def test_a_missing_extra_is_one_line(monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gradio" else found(name))
    code, printed = run(capsys=capsys)
    assert code == 2
    assert printed == ("tfgan_app: error: The studio needs Gradio. Install it with: pip install 'tfgan_app[studio]'\n")


@pytest.fixture
def _gradio(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "gradio" else found(name))


@pytest.mark.usefixtures("_gradio")
def test_folders_and_ports_are_checked_first(capsys):
    assert run("--allow", "nothing", capsys=capsys) == (
        2,
        "tfgan_app: error: `--allow` must be an existing folder. Received: 'nothing'.\n",
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, printed = run("--port", str(port), capsys=capsys)
    assert code == 2
    assert printed.startswith(f"tfgan_app: error: Port {port} cannot be used: ")
    assert printed.endswith("Choose another with `--port`.\n")


def test_ports_are_numbers_of_ports(capsys):
    assert run("--port", "70000", capsys=capsys)[0] == 2


@pytest.mark.large
def test_help_loads_neither_gradio_nor_tensorflow():
    script = (
        "import sys; from tfgan_app import cli\n"
        "try: cli.parse(['tfgan_app', 'studio', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'gradio', 'tensorflow', 'numpy', 'PIL', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--allow DIR" in done.stdout
