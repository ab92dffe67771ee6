"""The method `paired`: direction, losses, metrics on held-out pairs."""

import dataclasses
import json

import numpy as np
import pytest
from fake_vgg import write_fake_vgg
from PIL import Image
from small_run import TINY, train_arguments, write_pairs

from tfgan_app import cli, config
from tfgan_app.tasks.translate.config import TranslateConfig
from tfgan_app.tasks.translate.paired import PairedTranslation


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pairs"))


def task(data, **settings):
    values = {"data.source": str(data), **TINY, **settings}
    return PairedTranslation(config.replace_values(config.default_config("translate", TranslateConfig), values))


def test_direction_swaps_input_and_target(data):
    forward, backward = (
        next(iter(task(data, **{"task.direction": d}).build_dataset(start_step=0, seed=0))) for d in ("a2b", "b2a")
    )
    np.testing.assert_array_equal(forward["input"], backward["target"])
    np.testing.assert_array_equal(forward["target"], backward["input"])
    assert not np.array_equal(forward["input"], forward["target"])


def test_a_model_that_copies_measures_as_the_baseline(data):
    subject = task(data)
    measured = subject.evaluate(lambda images, training: images)
    for name in ("psnr", "ssim", "l1"):
        assert measured[name] == pytest.approx(measured[f"copy_{name}"])


def test_inference_model_is_the_generator_between_unit_ranges(data):
    subject = task(data)
    networks = subject.build_networks()
    image = np.random.default_rng(0).random((1, 13, 9, 3)).astype(np.float32)
    expected = np.asarray(networks.generators["generator"](image * 2 - 1))
    outputs = np.asarray(subject.inference_model(networks)(image))
    np.testing.assert_allclose(outputs, np.clip(expected / 2 + 0.5, 0, 1), atol=1e-6)


def test_unet_depth_fits_the_image(data):
    subject = task(data, **{"task.generator": "unet", "task.generator_depth": None, "data.image_size": 32})
    names = {layer.name for layer in subject.build_networks().generators["generator"].layers}
    assert "down_4" in names
    assert "down_5" not in names


@pytest.mark.parametrize("name", PairedTranslation.presets)
def test_presets_resolve_and_build(data, name):
    resolved = config.resolve_config("translate", TranslateConfig, preset=PairedTranslation.presets[name])
    small = dataclasses.replace(resolved, data=dataclasses.replace(resolved.data, source=str(data)))
    assert PairedTranslation(small).build_networks().generators["generator"].count_params() > 1e6


def test_perceptual_loss_and_lpips_from_a_weights_file(data, tmp_path):
    write_fake_vgg(tmp_path / "vgg.npz")
    settings = {
        "task.perceptual_weight": 0.5,
        "task.perceptual_weights": str(tmp_path / "vgg.npz"),
        "task.lpips_weights": str(tmp_path / "vgg.npz"),
    }
    arguments = train_arguments(tmp_path / "run", data, steps=2, settings=settings)
    assert cli.run(cli.parse(["tfgan_app", *arguments])) == 0
    header = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"perceptual", "val_lpips", "val_copy_lpips"} <= set(header)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["task"]["perceptual_weight"] == 0.5


def test_grids_show_input_output_and_target_of_held_out_pairs(data):
    rows = task(data).sample_rows(lambda images, training: 1.0 - images)
    assert len(rows) == 4
    for source, output, _ in rows:
        np.testing.assert_array_equal(output, 255 - source)


def test_grids_and_validation_take_pairs_from_the_whole_held_out_set(tmp_path):
    folder = write_pairs(tmp_path / "pairs", train=4, val=40)
    for number in range(25):  # As flags that come first in their alphabet.
        Image.new("RGB", (40, 20), "white").save(folder / "val" / f"0blank-{number:02d}.png")
    subject = task(folder)
    rows = subject.sample_rows(lambda images, training: images)
    assert len(rows) == 8
    assert 2 <= sum((source == 255).all() for source, _, _ in rows) <= 4
    again = task(folder).sample_rows(lambda images, training: images)
    np.testing.assert_array_equal(rows, again)
    measured = task(folder, **{"data.max_val_images": 10}).held_out_pairs
    assert sum("blank" in pair.name for pair in measured) in (3, 4, 5)


def test_best_and_worst_examples_are_images(data):
    def copy(images, training):
        return images

    examples = task(data).examples(copy, copy)
    assert list(examples) == ["best held-out images", "worst held-out images"]
    assert all(grid.dtype == np.uint8 and grid.shape[1] > 3 * 16 for grid in examples.values())
