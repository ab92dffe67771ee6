"""How TensorFlow is started: without its chatter, with its real messages."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

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


def printed_by(code, **environment):
    """What a Python program of the user's prints on stderr, line by line."""
    known = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=known | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


@pytest.mark.large
def test_the_graph_optimizer_keeps_quiet_in_a_program_of_the_user():
    code = (
        "import numpy as np\n"
        "from tfgan_app.inference import load_predictor\n"
        "print(load_predictor('upscale_x2').image(np.zeros((16, 16, 3), np.uint8)).shape)"
    )
    out, err = printed_by(code)
    assert out == "(32, 32, 3)"
    for chatter in ("remapper", "cuInit", "optimized to use available CPU instructions"):
        assert chatter not in err


@pytest.mark.parametrize(
    ("environment", "debug", "level"),
    [({}, False, "3"), ({}, True, "0"), ({"TF_CPP_MIN_LOG_LEVEL": "1"}, True, "1")],
)
def test_how_much_is_printed_is_the_user_s_to_say(environment, debug, level):
    code = (
        "import os, sys, types\n"
        "from tfgan_app.commands import startup\n"
        "config = types.SimpleNamespace(list_physical_devices=list)\n"
        "sys.modules['tensorflow'] = types.SimpleNamespace(config=config)\n"
        f"startup.load_tensorflow(show_chatter={debug})\n"
        "print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    )
    assert printed_by(code, **environment)[0] == level


@pytest.mark.large
def test_a_library_s_warnings_of_a_file_s_tags_are_not_printed(tmp_path):
    pixels = np.zeros((8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "geo.tif", pixels, metadata=None, extratags=[(42113, "s", 0, "-9999", True)])
    arguments = ["--model", "color:rgb_to_gray", "--input", tmp_path / "geo.tif", "--output", tmp_path / "out.tif"]
    command = [sys.executable, "-m", "tfgan_app", "predict", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "tifffile" not in done.stderr and "GDAL_NODATA" not in done.stderr
