"""Handmade ncnn files: read, checked against their own graph, rejected if they differ."""

import struct

import numpy as np
import pytest
import torch_networks as networks

from tfgan_app.importers import import_weights
from tfgan_app.importers.ncnn_files import read_ncnn
from tfgan_app.importers.tensors import FileError

IMAGE = np.random.default_rng(0).random((3, 9, 12)).astype(np.float32)
FP16 = struct.pack("<I", 0x01306B47)


def write(tmp_path, weights, lines, *, half=True, order=("body.0", "body.1", "body.2", "body.3", "body.4")):
    """A graph and its weights, with kernels tagged as half or single precision."""
    blobs = len({blob for line in lines for blob in line.split() if not blob.count("=")})
    (tmp_path / "x.param").write_text("\n".join(["7767517", f"{len(lines)} {blobs}", *lines, ""]))
    content = b""
    for name in order:
        array = weights[f"{name}.weight"]
        if array.ndim == 1:
            content += array.astype("<f4").tobytes()
            continue
        numbers = array.astype("<f2" if half else "<f4").tobytes()
        content += (FP16 if half else bytes(4)) + numbers + bytes(-len(numbers) % 4)
        content += weights[f"{name}.bias"].astype("<f4").tobytes()
    (tmp_path / "x.bin").write_bytes(content)
    return tmp_path / "x.param"


def srvgg_lines(add="BinaryOp add 2 1 shuffled base output 0=0", shuffle="PixelShuffle s 1 1 e shuffled 0=2"):
    return [
        "Input in 0 1 data",
        "Split split 1 2 data data0 data1",
        "Convolution c0 1 1 data0 a 0=8 1=3 4=1 5=1 6=216",
        "PReLU p0 1 1 a b 0=8",
        "Convolution c1 1 1 b c 0=8 1=3 4=1 5=1 6=576",
        "PReLU p1 1 1 c d 0=8",
        "Convolution c2 1 1 d e 0=12 1=3 4=1 5=1 6=864",
        shuffle,
        "Interp i 1 1 data1 base 0=1 1=2.0 2=2.0",
        add,
    ]


def tensors(*, half=True):
    made = networks.srvgg(2)
    for name, array in made.items():
        made[name] = array.astype(np.float16).astype(np.float32) if half else array
    return made


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("suffix", [".param", ".bin"])
def test_a_graph_gives_what_its_layers_compute(tmp_path, half, suffix):
    weights = tensors(half=half)
    path = write(tmp_path, weights, srvgg_lines(), half=half)
    imported = import_weights(path.with_suffix(suffix))
    assert imported.architecture == "srvgg"
    assert imported.facts["Imported from"] == "x.param, x.bin"
    expected = np.clip(networks.run_srvgg(weights, IMAGE, 2), 0, 1)
    received = np.asarray(imported.model(IMAGE.transpose(1, 2, 0)[None]))[0].transpose(2, 0, 1)
    np.testing.assert_allclose(received, expected, atol=2e-6)


def test_a_graph_that_ends_smaller(tmp_path):
    """As in Real-ESRGAN's video models for scales of 2 and 3."""
    lines = [*srvgg_lines(add="BinaryOp add 2 1 shuffled base sum 0=0"), "Interp r 1 1 sum output 0=2 1=0.5 2=0.5"]
    weights = tensors()
    imported = import_weights(write(tmp_path, weights, lines))
    large = networks.run_srvgg(weights, IMAGE, 2)
    expected = np.clip(large.reshape(3, 9, 2, 12, 2).mean((2, 4)), 0, 1)  # Bilinear halving is the mean of four.
    received = np.asarray(imported.model(IMAGE.transpose(1, 2, 0)[None]))[0].transpose(2, 0, 1)
    np.testing.assert_allclose(received, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (srvgg_lines(add="BinaryOp add 2 1 shuffled base output 0=1"), "connected differently"),
        (srvgg_lines(add="Noop add 1 1 shuffled output"), "connected differently"),
        (srvgg_lines(add="BinaryOp add 2 1 shuffled nothing output 0=0"), "'add' reads 'nothing'"),
        (srvgg_lines(shuffle="Sigmoid s 1 1 e shuffled"), "no architecture that is supported from ncnn"),
        (srvgg_lines(shuffle="Reorg s 1 1 e shuffled 0=2"), "has the type Reorg"),
        ([line.replace("6=576", "6=575") for line in srvgg_lines()], "sizes that do not match"),
        ([line.replace("6=576", "6=576000") for line in srvgg_lines()], "truncated"),
        (
            [line.replace("0=8 1=3 4=1 5=1 6=576", "0=99999999999 1=3 6=576") for line in srvgg_lines()],
            "not an integer",
        ),
        ([line.replace("6=576", "6=576 8=1") for line in srvgg_lines()], "8-bit integers"),
        (["Convolution c0 9 9 data"], "damaged"),
    ],
)
def test_other_graphs_are_refused(tmp_path, lines, said):
    path = write(tmp_path, tensors(), lines)
    with pytest.raises(ValueError, match=said) as error:
        import_weights(path)
    assert "\n" not in str(error.value)


class TestDamage:
    @pytest.fixture
    def path(self, tmp_path):
        return write(tmp_path, tensors(), srvgg_lines())

    @pytest.mark.parametrize("size", [0, 3, 100, -1])
    def test_bin_is_cut_off(self, path, size):
        content = path.with_suffix(".bin").read_bytes()
        path.with_suffix(".bin").write_bytes(content[:size])
        with pytest.raises(FileError, match="truncated"):
            read_ncnn(path)

    def test_bin_is_longer(self, path):
        with path.with_suffix(".bin").open("ab") as file:
            file.write(b"more")
        with pytest.raises(FileError, match="4 bytes more"):
            read_ncnn(path)

    def test_bin_is_missing(self, path):
        path.with_suffix(".bin").unlink()
        with pytest.raises(FileError, match=r"'x\.bin' is missing"):
            read_ncnn(path)

    def test_bin_holds_integers(self, path):
        content = path.with_suffix(".bin").read_bytes()
        path.with_suffix(".bin").write_bytes(struct.pack("<I", 0x000D4B38) + content[4:])
        with pytest.raises(FileError, match="8-bit integers"):
            read_ncnn(path)

    @pytest.mark.parametrize(
        "text", ["", "7767517", "7767517\nx y\n", "hello\n", "7767517\n99 99\nInput in 0 1 data\n"]
    )
    def test_param_is_damaged(self, path, text):
        path.write_text(text)
        with pytest.raises(FileError, match=r"x\.param"):
            read_ncnn(path)

    def test_param_is_binary(self, path):
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(FileError, match="is not text"):
            read_ncnn(path)
