"""Weights files: their content is read, and nothing in them is run."""

import contextlib
import zipfile

import numpy as np
import pytest
import torch_writer
from safetensors.numpy import save_file
from torch_writer import Call, Global, Tensor

from tfgan_app.importers.reading import check_file
from tfgan_app.importers.safetensors_files import read_safetensors
from tfgan_app.importers.tensors import FileError
from tfgan_app.importers.torch_files import read_torch_file

RNG = np.random.default_rng(0)
KERNEL = RNG.standard_normal((4, 3, 3, 3)).astype(np.float32)
WRITERS = {"zip": torch_writer.write_zip, "legacy": torch_writer.write_legacy}


@pytest.fixture(params=WRITERS)
def write(request):
    return WRITERS[request.param]


class TestTorchFiles:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
    def test_gives_numbers_back(self, write, tmp_path, dtype):
        array = (KERNEL * 100).astype(dtype)
        read = read_torch_file(write(tmp_path / "x.pth", {"a.weight": array, "epoch": 3, "lr": [0.5, None, True]}))
        np.testing.assert_array_equal(read["a.weight"], array)
        assert (read["epoch"], read["lr"]) == (3, [0.5, None, True])

    def test_reads_bfloat16(self, write, tmp_path):
        read = read_torch_file(write(tmp_path / "x.pth", {"a": torch_writer.bfloat16(KERNEL)}))
        np.testing.assert_allclose(read["a"], KERNEL, rtol=2**-7)
        assert read["a"].dtype == np.float32

    def test_follows_strides_and_shared_storages(self, write, tmp_path):
        numbers = np.arange(24, dtype=np.float32)
        shared = {"shape": (4, 2), "strides": (1, 4), "offset": 8, "key": "0"}
        content = {"all": Tensor(numbers, key="0"), "part": Tensor(numbers, **shared)}
        read = read_torch_file(write(tmp_path / "x.pth", content))
        np.testing.assert_array_equal(read["part"], numbers[8:16].reshape(2, 4).T)

    def test_reads_parameters_and_sizes(self, write, tmp_path):
        parameter = Call(Global("torch._utils", "_rebuild_parameter"), (Tensor(KERNEL), True, {}))
        size = Call(Global("torch", "Size"), ((4, 3),))
        read = read_torch_file(
            write(tmp_path / "x.pth", {"a": parameter, "size": size, "type": Global("torch", "half")})
        )
        np.testing.assert_array_equal(read["a"], KERNEL)
        assert read["size"] == [4, 3]

    @pytest.mark.parametrize(
        "value",
        [
            Call(Global("os", "system"), ("touch {marker}",)),
            Call(Global("builtins", "eval"), ("open('{marker}', 'w')",)),
            Call(Global("builtins", "getattr"), (Global("os", "system"), "x")),
            Call(Global("torch.hub", "load"), ("x", "y")),
            Call(Global("numpy", "load"), ("{marker}",)),
            Global("models.networks", "ResnetGenerator"),
            Global("torch.nn.modules.conv", "Conv2d"),
            Global("collections", "OrderedDict.__init__"),
        ],
        ids=lambda value: getattr(value, "function", value).name,
    )
    def test_refuses_and_does_not_run_other_objects(self, write, tmp_path, value):
        marker = tmp_path / "was_run"
        if isinstance(value, Call):
            texts = (text.format(marker=marker) if isinstance(text, str) else text for text in value.arguments)
            value = Call(value.function, tuple(texts))
        name = getattr(value, "function", value)
        with pytest.raises(FileError, match=rf"class '{name.module}\.{name.name}'"):
            read_torch_file(write(tmp_path / "x.pth", {"a": KERNEL, "b": value}))
        assert not marker.exists()

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"shape": (4, 3, 3, 4)}, "beyond its storage"),
            ({"strides": (27, 9, 3, 2**40)}, "beyond its storage"),
            ({"strides": (27, 9, 3, -1)}, "not a natural number"),
            ({"offset": -1}, "not a natural number"),
            ({"offset": 1}, "beyond its storage"),
            ({"shape": (2**60, 3, 3, 3), "strides": (0, 0, 0, 0)}, "more numbers than its storage"),
            ({"shape": (2**200,), "strides": (0,)}, "not a natural number"),
            ({"shape": (4, 3.0, 3, 3)}, "not a natural number"),
            ({"shape": (108,)}, "1 sizes but 4 strides"),
            ({"shape": (1,) * 9, "strides": (1,) * 9}, "9 sizes"),
            ({"count": 2**50}, "impossible size"),
            ({"count": -1}, "impossible size"),
            ({"count": 2**30}, "bytes of the file"),
            ({"kind": "ComplexFloatStorage"}, "class 'torch.ComplexFloatStorage'"),
            ({"kind": "QInt8Storage"}, "class 'torch.QInt8Storage'"),
        ],
    )
    def test_refuses_impossible_tensors(self, write, tmp_path, wrong, said):
        with pytest.raises(FileError, match=said):
            read_torch_file(write(tmp_path / "x.pth", {"a": Tensor(KERNEL, **wrong)}))

    @pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
    def test_refuses_files_that_are_cut_off(self, write, tmp_path, share):
        path = write(tmp_path / "x.pth", {"a": KERNEL, "b": KERNEL})
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(FileError):
            read_torch_file(path)

    def test_survives_random_damage(self, write, tmp_path):
        content = write(tmp_path / "x.pth", {"a.weight": KERNEL, "b": {"c": KERNEL}}).read_bytes()
        for seed in range(200):
            rng = np.random.default_rng(seed)
            damaged = bytearray(content)
            for place in rng.integers(0, len(content), 3):
                damaged[place] = int(rng.integers(256))
            (tmp_path / "damaged.pth").write_bytes(damaged)
            with contextlib.suppress(FileError):  # And no other error.
                read_torch_file(tmp_path / "damaged.pth")

    def test_refuses_big_endian_files(self, tmp_path):
        path = torch_writer.write_legacy(tmp_path / "x.pth", {"a": KERNEL}, little_endian=False)
        with pytest.raises(FileError, match="big-endian"):
            read_torch_file(path)
        path = torch_writer.write_zip(tmp_path / "y.pth", {"a": KERNEL}, extra={"archive/byteorder": b"big"})
        with pytest.raises(FileError, match="big-endian"):
            read_torch_file(path)

    def test_refuses_compressed_archives(self, tmp_path):
        zeros = np.zeros(10**6, np.float32)
        path = torch_writer.write_zip(tmp_path / "x.pth", {"a": zeros}, compression=zipfile.ZIP_DEFLATED)
        with pytest.raises(FileError, match="compressed"):
            read_torch_file(path)

    def test_refuses_programs_and_other_archives(self, tmp_path):
        path = torch_writer.write_zip(tmp_path / "x.pth", {"a": KERNEL}, extra={"archive/constants.pkl": b"x"})
        with pytest.raises(FileError, match="TorchScript"):
            read_torch_file(path)
        with zipfile.ZipFile(tmp_path / "y.pth", "w") as archive:
            archive.writestr("../../etc/data.txt", "x")
        with pytest.raises(FileError, match="0 files data.pkl"):
            read_torch_file(tmp_path / "y.pth")

    def test_refuses_storages_of_another_size(self, tmp_path):
        path = torch_writer.write_zip(tmp_path / "x.pth", {"a": Tensor(KERNEL, count=107, shape=(107,), strides=(1,))})
        with pytest.raises(FileError, match="should have 428 bytes, but there are 432"):
            read_torch_file(path)
        outside = Tensor(KERNEL, key="../../../etc/passwd")
        read_torch_file(torch_writer.write_zip(tmp_path / "y.pth", {"a": outside}))  # A name in the archive, no path.

    @pytest.mark.parametrize(
        "content",
        [
            # EMPTY_DICT, PUT 0, a key, GET 0, SETITEM: a dictionary that holds itself.
            b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
            # Dictionaries, each within the last.
            b"\x80\x02" + b"}X\x01\x00\x00\x00a" * 50_000 + b"}" + b"s" * 50_000 + b".",
        ],
        ids=["itself", "deep"],
    )
    def test_refuses_dictionaries_without_end(self, tmp_path, content):
        path = tmp_path / "x.pth"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", content)
        with pytest.raises(FileError, match="nested too deeply"):
            read_torch_file(path)

    @pytest.mark.parametrize("content", [b"\x80\x02K\x01.", b"hello", b"\x80\x02}.", b"PK\x03\x04" + b"x" * 100])
    def test_refuses_other_files(self, tmp_path, content):
        path = tmp_path / "x.pth"
        path.write_bytes(content)
        with pytest.raises(FileError):
            read_torch_file(path)


class TestSafetensors:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
    def test_gives_numbers_back(self, tmp_path, dtype):
        save_file({"a.weight": KERNEL.astype(dtype)}, tmp_path / "x.safetensors")
        np.testing.assert_array_equal(read_safetensors(tmp_path / "x.safetensors")["a.weight"], KERNEL.astype(dtype))

    def test_reads_bfloat16(self, tmp_path):
        head = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
        path = tmp_path / "x.safetensors"
        path.write_bytes(len(head).to_bytes(8, "little") + head + b"\x80\x3f\x00\xc0")
        np.testing.assert_array_equal(read_safetensors(path)["a"], [1.0, -2.0])

    def test_refuses_damage(self, tmp_path):
        save_file({"a": KERNEL}, tmp_path / "x.safetensors")
        content = (tmp_path / "x.safetensors").read_bytes()
        for damaged in (content[:-1], content[:20], b"\xff" * 8 + content[8:], b""):
            (tmp_path / "y.safetensors").write_bytes(damaged)
            with pytest.raises(FileError, match="damaged or truncated"):
                read_safetensors(tmp_path / "y.safetensors")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.pth", b"", "0 bytes"),
        ("x.onnx", b"x", "its suffix must be one of .safetensors, .pth"),
        ("x.pth", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("x.pth", b"<!DOCTYPE html><html>", "web page"),
    ],
)
def test_says_why_a_file_is_none_of_weights(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=said):
        check_file(tmp_path / name)


def test_says_that_a_file_is_missing(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        check_file(tmp_path / "x.pth")
    with pytest.raises(FileError, match="no such file"):
        check_file(tmp_path)
