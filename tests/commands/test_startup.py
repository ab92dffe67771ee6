"""How TensorFlow is started: without its chatter, with its real messages."""

import os
import subprocess
import sys

from tfgan_app.commands import startup


def test_real_messages_stay(capfd):
    with startup.chatter_hidden():
        os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on. You may see ...\n")
        os.write(2, "W0000 gpu: the driver is too old for ü\n".encode())
    assert capfd.readouterr().err == "W0000 gpu: the driver is too old for ü\n"


def test_bad_input_is_the_only_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tfgan_app", "inspect", "--data", str(tmp_path / "nowhere")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("tfgan_app: error: ")
    assert done.stderr.count("\n") == 1
