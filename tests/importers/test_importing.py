"""Handmade weights become models that compute the same as PyTorch, or are rejected in one line."""

import re

import numpy as np
import pytest
import small_imports
import torch_networks as networks
import torch_writer
from safetensors.numpy import save_file

from tfgan_app.importers import IMPORTERS, ImportOptions, import_weights
from tfgan_app.layers import makes_color, provenance_of, receptive_field_of

IMAGE = np.random.default_rng(0).random((3, 12, 20)).astype(np.float32)


def run(imported, image=IMAGE):
    """Runs an imported model: [channels, height, width] -> the same layout."""
    return np.asarray(imported.model(image.transpose(1, 2, 0)[None], training=False))[0].transpose(2, 0, 1)


def saved(tmp_path, tensors, name="x.pth"):
    return torch_writer.write_zip(tmp_path / name, dict(tensors))


def assert_same(imported, expected, image=IMAGE, *, atol=2e-6):
    expected = np.clip(expected, 0, 1)
    assert expected.std() > 0.02 and 0.05 < expected.mean() < 0.95
    np.testing.assert_allclose(run(imported, image), expected, atol=atol)


class TestEqualsPyTorch:
    @pytest.mark.parametrize("scale", [1, 2, 4])
    def test_srvgg(self, tmp_path, scale):
        tensors = networks.srvgg(scale)
        imported = import_weights(saved(tmp_path, tensors))
        assert (imported.architecture, receptive_field_of(imported.model).scale) == ("srvgg", scale)
        assert_same(imported, networks.run_srvgg(tensors, IMAGE, scale))

    @pytest.mark.parametrize("slope", [1.0, 2.0, -1.5])
    def test_srvgg_of_any_slope(self, tmp_path, slope):
        tensors = networks.srvgg()
        tensors["body.1.weight"][2] = slope
        assert_same(import_weights(saved(tmp_path, tensors)), networks.run_srvgg(tensors, IMAGE))

    @pytest.mark.parametrize("slope", [0.25, 1.0, 1.5])
    def test_srresnet_of_any_slope(self, tmp_path, slope):
        tensors = small_imports.FILES["srresnet"]()
        tensors["conv1.1.weight"] = np.full(1, slope, np.float32)
        network = import_weights(saved(tmp_path, tensors)).model.get_layer("generator")
        outputs = network.get_layer("from_image_prelu")(np.full((1, 1, 1, 8), -2, np.float32))
        np.testing.assert_allclose(outputs, np.full((1, 1, 1, 8), -2 * slope), rtol=1e-6)

    @pytest.mark.parametrize(
        ("taken", "enlargements", "factor", "scale"),
        [(3, 2, 1, 4), (3, 1, 1, 2), (3, 0, 1, 1), (12, 2, 2, 2), (48, 2, 4, 1)],
    )
    def test_esrgan(self, tmp_path, taken, enlargements, factor, scale):
        tensors = networks.rrdb(taken=taken, enlargements=enlargements)
        imported = import_weights(saved(tmp_path, tensors))
        receptive_field = receptive_field_of(imported.model)
        assert (imported.architecture, receptive_field.scale) == ("esrgan", scale)
        assert receptive_field.halo_px is not None
        assert_same(imported, networks.run_rrdb(tensors, IMAGE, factor=factor))

    def test_esrgan_of_a_scale_that_the_user_knows(self, tmp_path):
        path = saved(tmp_path, networks.rrdb(enlargements=1))
        imported = import_weights(path, options=ImportOptions(scale=3))
        assert receptive_field_of(imported.model).scale == 3

    @pytest.mark.parametrize("affine", [False, True])
    @pytest.mark.parametrize("size", [(12, 20), (13, 22), (15, 9)])
    def test_cyclegan(self, tmp_path, affine, size):
        tensors = networks.cyclegan(affine=affine)
        image = np.random.default_rng(1).random((3, *size)).astype(np.float32)
        imported = import_weights(saved(tmp_path, tensors))
        assert imported.architecture == "cyclegan"
        assert_same(imported, networks.run_cyclegan(tensors, image), image, atol=1e-5)

    def test_cyclegan_of_old_pytorch_ignores_running_statistics(self, tmp_path):
        tensors = networks.cyclegan()
        expected = networks.run_cyclegan(tensors, IMAGE)
        tensors["model.2.running_mean"] = np.ones(4, np.float32)
        tensors["model.2.running_var"] = np.ones(4, np.float32)
        assert_same(import_weights(saved(tmp_path, tensors)), expected, atol=1e-5)

    def test_a_gray_network_runs_on_each_channel(self, tmp_path):
        tensors = networks.dncnn(channels=1)
        imported = import_weights(saved(tmp_path, tensors))
        assert imported.architecture == "dncnn"
        expected = [networks.run_dncnn(tensors, IMAGE[index : index + 1]) for index in range(3)]
        assert_same(imported, np.concatenate(expected))
        assert not makes_color(imported.model)

    def test_halves_and_bfloat16(self, tmp_path):
        tensors = networks.srvgg()
        for name, array in tensors.items():
            tensors[name] = array.astype(np.float16).astype(np.float32)
        halves = {name: array.astype(np.float16) for name, array in tensors.items()}
        assert_same(import_weights(saved(tmp_path, halves)), networks.run_srvgg(tensors, IMAGE))
        for name, array in tensors.items():
            tensors[name] = (array.view(np.uint32) & 0xFFFF0000).view(np.float32)
        short = {name: torch_writer.bfloat16(array) for name, array in tensors.items()}
        assert_same(import_weights(saved(tmp_path, short, "y.pth")), networks.run_srvgg(tensors, IMAGE))

    def test_safetensors(self, tmp_path):
        tensors = networks.srvgg()
        save_file(dict(tensors), tmp_path / "x.safetensors")
        assert_same(import_weights(tmp_path / "x.safetensors"), networks.run_srvgg(tensors, IMAGE))


def prefixed(tensors, prefix):
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


class TestCheckpoints:
    @pytest.mark.parametrize(
        "wrap",
        [
            lambda own, other: {"params_ema": own, "params": other},
            lambda own, other: {"params": own, "iter": 5},
            lambda own, other: {"state_dict": prefixed(own, "module."), "epoch": 3, "optimizer": {"state": {0: {}}}},
            lambda own, other: {"netG_state_dict": own, "netD_state_dict": dict(networks.patchgan())},
            lambda own, other: {"model": {"params": prefixed(own, "_orig_mod.module.")}},
            lambda own, other: {"state_dict": {**prefixed(own, "generator."), **prefixed(other, "discriminator.")}},
            lambda own, other: {"state_dict": {**prefixed(own, "generator_ema."), **prefixed(other, "generator.")}},
            lambda own, other: prefixed(own, "netG."),
            lambda own, other: {"anything": own},
        ],
    )
    def test_the_generator_is_found(self, tmp_path, wrap):
        tensors, other = networks.srvgg(), {name: 0 * tensor for name, tensor in networks.srvgg().items()}
        imported = import_weights(saved(tmp_path, wrap(dict(tensors), other)))
        assert_same(imported, networks.run_srvgg(tensors, IMAGE))

    def test_two_sets_of_which_none_is_a_generators(self, tmp_path):
        path = saved(tmp_path, {"first": dict(networks.srvgg()), "second": dict(networks.srvgg())})
        with pytest.raises(ValueError, match="'first', 'second'"):
            import_weights(path)

    @pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2], 5, "x", {"state_dict": {}}])
    def test_no_tensors(self, tmp_path, content):
        with pytest.raises(ValueError, match="named tensors"):
            import_weights(torch_writer.write_zip(tmp_path / "x.pth", content))


def without(tensors, name):
    del tensors[name]
    return tensors


def changed(tensors, name, array):
    tensors[name] = array
    return tensors


class TestRefusals:
    @pytest.mark.parametrize(
        ("tensors", "said"),
        [
            (changed(networks.srvgg(), "extra.weight", np.ones(3, np.float32)), "1 tensors that .* 'extra.weight'"),
            (without(networks.srvgg(), "body.2.bias"), "'body.2.bias' is missing"),
            (without(networks.srvgg(), "body.3.weight"), "gaps"),
            (changed(networks.srvgg(), "body.2.weight", np.ones((8, 8, 5, 3), np.float32)), "body.2.*shapes"),
            (changed(networks.srvgg(), "body.3.weight", np.ones(5, np.float32)), r"8 slopes, and is of shape \[5\]"),
            (changed(networks.srvgg(), "body.3.weight", np.ones((8, 1), np.float32)), r"8 slopes.*\[8, 1\]"),
            (
                changed(networks.srvgg(), "body.4.bias", np.array(1, np.float32)),
                r"'body.4.bias'.*\[any\].*is of \[\]",
            ),
            (
                changed(small_imports.FILES["nafnet"](), "middle_blks.0.conv3.bias", np.ones((), np.float32)),
                r"'middle_blks.0.conv3.bias' should be of shape \[12\], and is of \[\]",
            ),
            (
                changed(small_imports.FILES["drunet"](), "m_up1.0.weight", np.ones((8, 4, 2, 2, 1), np.float32)),
                "'m_up1.0.weight' should be a kernel of 4 dimensions",
            ),
            (
                changed(small_imports.FILES["edsr"](), "tail.1.weight", np.ones((3, 8, 3, 3, 1), np.float32)),
                r"'tail.1.weight' should be of shape \[any, any, any, any\]",
            ),
            (changed(networks.srvgg(), "body.4.weight", np.ones((50, 8, 3, 3), np.float32)), "cannot be shuffled"),
            (changed(networks.srvgg(), "body.4.bias", np.full(48, np.nan, np.float32)), "NaN or infinite"),
            (without(networks.rrdb(), "body.0.rdb2.conv3.weight"), "'body.0.rdb2.conv3.weight' is missing"),
            (without(networks.rrdb(), "conv_up1.weight"), "tensors that the architecture does not have|missing"),
            (changed(networks.rrdb(), "body.0.rdb1.conv1x1.weight", np.ones((4, 8, 1, 1), np.float32)), r"ESRGAN\+"),
            (changed(networks.rrdb(), "conv_first.weight", np.ones((8, 4, 3, 3), np.float32)), "takes 4 channels"),
            (networks.dncnn(channels=4), "takes 4 channels and gives 4"),
            (changed(networks.rrdb(), "body.99999999.rdb1.conv1.weight", np.ones((4, 8, 3, 3), np.float32)), "gaps"),
            (changed(networks.srvgg(), "body.2.bias", np.full(8, 1e300)), "NaN or infinite"),
            (changed(networks.srvgg(), "two\nlines", np.ones(8, np.float32)), "'two lines'"),
        ],
    )
    def test_tensors_that_do_not_fit(self, tmp_path, tensors, said):
        with pytest.raises(ValueError, match=said) as error:
            import_weights(saved(tmp_path, tensors))
        assert "x.pth" in str(error.value) and "\n" not in str(error.value)

    @pytest.mark.parametrize(
        "make",
        [networks.patchgan, networks.dcgan_discriminator, networks.unet_discriminator, networks.vgg_discriminator],
    )
    def test_discriminators(self, tmp_path, make):
        with pytest.raises(ValueError, match="it is a discriminator"):
            import_weights(saved(tmp_path, make()))

    @pytest.mark.parametrize(
        ("name", "architecture"),
        [
            ("block_1.c5.weight", "RLFN"),
            ("layers.0.residual_group.blocks.0.attn.qkv.weight", "SwinIR"),
            ("stylegan_decoder.conv1.weight", "GFPGAN"),
            ("encoder_level1.0.attn.qkv.weight", "Restormer"),
        ],
    )
    def test_other_architectures_are_named(self, tmp_path, name, architecture):
        tensors = {"conv_1.weight": np.ones((8, 3, 3, 3), np.float32), name: np.ones((8, 8, 1, 1), np.float32)}
        with pytest.raises(ValueError, match=f"architecture is {architecture}") as error:
            import_weights(saved(tmp_path, tensors))
        assert all(name in str(error.value) for name in IMPORTERS)

    def test_unknown_tensors_are_listed_with_what_is_known(self, tmp_path):
        with pytest.raises(ValueError, match=r"'a\.weight'.*match no known architecture\. Known: esrgan"):
            import_weights(saved(tmp_path, {"a.weight": np.ones((2, 3), np.float32)}))

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"architecture": "srcnn"}, "must be one of esrgan"),
            ({"architecture": "esrgan"}, "are not those of ESRGAN"),
            ({"options": ImportOptions(scale=2)}, "Received: `--scale 2`"),
            ({"options": ImportOptions(norm="batch")}, "`--norm` does not apply"),
            ({"options": ImportOptions(noise_level=25)}, "`--noise-level` does not apply"),
            ({"options": ImportOptions(norm="x")}, "inference, batch"),
        ],
    )
    def test_choices_that_do_not_fit(self, tmp_path, options, said):
        with pytest.raises(ValueError, match=re.escape(said)):
            import_weights(saved(tmp_path, networks.srvgg()), **options)


def test_facts_tell_the_source_and_the_license(tmp_path):
    path = saved(tmp_path, networks.srvgg(), "anime video.pth")
    facts = provenance_of(import_weights(path, license="BSD-3-Clause").model)
    assert facts["Imported from"] == "anime video.pth"
    assert facts["License"] == "BSD-3-Clause"
    assert re.fullmatch("[0-9a-f]{64}", facts["SHA-256 of the source"])
    assert "SRVGGNetCompact" in facts["Architecture"]
    assert provenance_of(import_weights(path).model)["License"] == "not stated"
