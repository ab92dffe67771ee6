"""`--set fidelity` between any two models of one network, imported ones too."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch_networks as networks
import torch_writer
from PIL import Image

from tfgan_app import cli
from tfgan_app.inference import blend_weights
from tfgan_app.networks.rrdb import build_rrdb


def run(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Two models of other weights, and another network; the first two with their tensors."""
    folder, tensors = tmp_path_factory.mktemp("imported"), {}
    for name, seed in (("a", 0), ("b", 1)):
        drawn = np.random.default_rng(seed)
        tensors[name] = {
            key: (value + 0.05 * drawn.standard_normal(value.shape)).astype(np.float32)
            for key, value in networks.srvgg(2).items()
        }
        torch_writer.write_zip(folder / f"{name}.pth", {"params": tensors[name]})
    torch_writer.write_zip(folder / "x4.pth", {"params": dict(networks.srvgg(4))})
    for name in ("a", "b", "x4"):
        assert run("import", "--weights", folder / f"{name}.pth", "--output", folder / f"{name}.keras") == 0
    return folder, tensors


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_imported_models_are_blended_weight_by_weight(imported, tmp_path, share):
    folder, tensors = imported
    pixels = np.random.default_rng(0).integers(0, 256, (21, 34, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    command = ["predict", "--model", folder / "a.keras", "--input", tmp_path / "in.png", "--output", tmp_path / "o.png"]
    assert run(*command, "--set", f"fidelity={share}", "--set", f"fidelity_model={folder / 'b.keras'}") == 0
    between = {key: (1 - share) * value + share * tensors["b"][key] for key, value in tensors["a"].items()}
    expected = networks.run_srvgg(between, pixels.transpose(2, 0, 1) / 255, 2)
    expected = np.rint(np.clip(expected, 0, 1) * 255).transpose(1, 2, 0)
    assert np.abs(np.asarray(Image.open(tmp_path / "o.png"), int) - expected).max() <= 1


def test_other_networks_are_refused_in_one_line(imported, capsys):
    folder, _ = imported
    command = ["predict", "--model", folder / "a.keras", "--input", "x.png", "--output", "o.png"]
    for flags, message in (
        (["--set", "fidelity=0.5", "--set", f"fidelity_model={folder / 'x4.keras'}"], "must be of the same network"),
        (["--set", "fidelity=0.5"], "needs `--set fidelity_model=PATH`"),
        (["--model", folder / "b.keras", "--set", "fidelity=0.5"], "`fidelity` is for a single `--model`. Received 2"),
    ):
        assert run(*command, *flags) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1


def test_weights_of_equal_shapes_in_another_network_are_refused():
    options = {"width": 4, "blocks": 1, "growth": 2}
    ours, theirs = build_rrdb(**options), build_rrdb(**options, bicubic_skip=False)
    assert [weight.shape for weight in ours.weights] == [weight.shape for weight in theirs.weights]
    with pytest.raises(ValueError, match="equal shapes, but different .*BicubicUpsampling"):
        blend_weights(ours, theirs, share=0.5)
    activations = [
        keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1), keras.layers.LeakyReLU(slope)])
        for slope in (0.1, 0.2)
    ]
    with pytest.raises(ValueError, match="equal shapes, but different LeakyReLU"):
        blend_weights(*activations, share=0.5)
