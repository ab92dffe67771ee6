"""The task `restore`: degradations in the graph, holes, untouched images."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from PIL import Image
from small_photos import TINY_IMAGES, write_photos

from tfgan_app import config
from tfgan_app.commands.building import build_trainer
from tfgan_app.export import export_model
from tfgan_app.inference import load_predictor, predict_path, predictor_of
from tfgan_app.layers import MakesColor
from tfgan_app.metrics import psnr_rgb
from tfgan_app.networks import INPAINTERS, RESTORERS
from tfgan_app.tasks.restoration.restore import RestoreTask
from tfgan_app.tasks.restoration.restore_config import PRESETS, RestoreConfig


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("photos"))


def build(data, *degradations, **settings):
    values = {"data.source": str(data), **TINY_IMAGES, "training.steps": 8, **settings}
    if degradations:
        values["task.degradation"] = degradations
    run = config.replace_values(config.default_config("restore", RestoreConfig), values)
    return RestoreTask(run, report=lambda line: None)


def augmented(task, seed=0):
    batch = next(iter(task.build_dataset(start_step=0, seed=0)))
    numbers = np.random.default_rng(seed).random((len(batch["image"]), task.draws_per_example), np.float32)
    return task.augment(batch, tf.constant(numbers))


def train(task, steps=2):
    trainer = build_trainer(task, task.config, strategy=tf.distribute.get_strategy())
    dataset = task.build_dataset(start_step=0, seed=0)
    history = trainer.fit(dataset, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0).history
    return trainer, history


@pytest.mark.parametrize("name", first_quick(["denoise", "deblur", "jpeg", "colorize", "real"]))
def test_every_damage_trains(data, name):
    task = build(data, name, **{"task.share_untouched": 0.0})
    images = augmented(task)
    assert images["damaged"].shape == images["target"].shape == (2, 16, 16, 3)
    assert float(tf.reduce_mean(tf.abs(images["damaged"] - images["target"]))) > 0.005
    assert train(task)[1]["nonfinite"] == [0.0]


def test_of_several_damages_each_spares_some_images_and_none_is_spared_when_measured(data):
    strong = {"task.noise_sigma_255": (30.0, 55.0), "task.jpeg_quality": (60.0, 95.0), "task.share_untouched": 0.0}
    task = build(data, "denoise", "jpeg", **{**strong, "task.share_skipped": 0.4})
    images = tf.fill([400, 16, 16, 3], 0.5)
    numbers = np.random.default_rng(0).random((400, task._degradation.draws_per_example), np.float32)
    spread = tf.math.reduce_std(task._degradation(images, tf.constant(numbers)), axis=(1, 2, 3)).numpy()
    # A flat image is as it was without noise, which 0.4 of them are spared; JPEG does nothing to it.
    assert 0.33 < np.mean(spread == 0.0) < 0.47
    numbers = numbers[:, : task._measured_degradation.draws_per_example]
    spread = tf.math.reduce_std(task._measured_degradation(images, tf.constant(numbers)), axis=(1, 2, 3)).numpy()
    assert spread.min() > 0.0


def test_what_becomes_of_images_without_damage_is_measured_too(data):
    darker = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Rescaling(0.9)])
    task = build(data, "denoise")
    by_hand = [psnr_rgb(x, np.rint(x * 0.9).astype(np.uint8), crop_px=0) for x in task.data.measured()]
    assert task.evaluate(darker)["clean_psnr"] == pytest.approx(np.mean(by_hand), abs=0.05)
    assert "clean_psnr" not in build(data, "colorize").evaluate(darker)


def test_networks_have_the_sizes_of_their_papers(data):
    counts = {}
    for name in RESTORERS:
        for size in ("light", "paper"):
            task = build(
                data, "denoise", **{"task.generator": name, "task.generator_size": size, "task.generator_width": None}
            )
            counts[name, size] = task.build_networks().generators["generator"].count_params()
    assert counts["unet", "paper"] == pytest.approx(32.6e6, rel=0.01)
    assert counts["nafnet", "paper"] > 15e6
    assert counts["unet", "light"] < 5e6 and counts["nafnet", "light"] < 2e6
    holes = build(data, "inpaint", **{"task.generator_size": "paper"})
    with pytest.raises(ValueError, match="`task.generator=gated` has no size to set"):
        holes.build_networks()


def test_gray_images_come_back_in_color_from_a_model_that_colorizes(data, tmp_path):
    task = build(data, "colorize")
    model = task.inference_model(task.build_networks())
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0, 0] = 1.0
    tinted = keras.layers.Conv2D(3, 1, use_bias=False)
    red = keras.Model(model.inputs, MakesColor(name="again")(tinted(model.outputs[0])))
    tinted.set_weights([kernel])
    export_model(red, format="saved_model", output_dir=tmp_path, name="red")
    Image.fromarray(np.full((9, 8), 100, np.uint8)).save(tmp_path / "gray.png")
    for predictor in (predictor_of(red, "red"), load_predictor(tmp_path / "red")):
        assert predictor.info.makes_color
        predict_path(predictor, tmp_path / "gray.png", tmp_path / "out.png")
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), np.full((9, 8, 3), (100, 0, 0)))
    assert not predictor_of(build(data, "denoise").inference_model(build(data).build_networks()), "x").info.makes_color


def test_damage_is_applied_in_the_order_in_which_it_is_named(data):
    last_gray = augmented(build(data, "denoise", "colorize", **{"task.share_untouched": 0.0}))["damaged"].numpy()
    last_noise = augmented(build(data, "colorize", "denoise", **{"task.share_untouched": 0.0}))["damaged"].numpy()
    assert np.ptp(last_gray, axis=-1).max() < 1e-6
    assert np.ptp(last_noise, axis=-1).max() > 0.01


def test_strengths_are_settings(data):
    task = build(data, "denoise", **{"task.noise_sigma_255": (25.0, 25.0), "task.share_untouched": 0.0})
    measured = task.evaluate(keras.Sequential([keras.Input((None, None, 3)), keras.layers.Identity()]))
    # 10 log10(255^2 / 25^2) = 20.17 dB, and a little more for noise that is clipped at black and white.
    assert measured["copy_psnr"] == pytest.approx(20.5, abs=0.5)
    assert measured["psnr"] == measured["copy_psnr"]
    assert task.protocol()["noise_sigma_255"] == [25.0, 25.0]


def test_some_images_stay_untouched(data):
    images = augmented(build(data, "denoise", **{"task.share_untouched": 0.999}))
    np.testing.assert_array_equal(images["damaged"], images["target"])


def test_blocks_of_jpeg_begin_anywhere_in_a_crop(data):
    task = build(data, "jpeg", **{"task.jpeg_quality": (5.0, 5.0), "task.share_untouched": 0.0})
    places = set()
    for seed in range(12):
        damaged = augmented(task, seed)["damaged"].numpy()[0, ..., 1]
        jumps = np.abs(np.diff(damaged, axis=0)).mean(1)
        places.add(int(np.argmax(jumps)) % 8)
    assert len(places) > 2


@pytest.mark.parametrize("mask", first_quick(["mixed", "thin"]))
@pytest.mark.parametrize("name", first_quick(INPAINTERS))
def test_holes_are_filled_and_known_pixels_come_back_as_they_are(data, name, mask):
    task = build(data, "inpaint", **{"task.mask": mask, "task.generator": name})
    trainer, history = train(task)
    assert history["nonfinite"] == [0.0]
    model = task.inference_model(trainer.averaged)
    image = np.random.default_rng(0).integers(0, 256, (1, 21, 18, 4), np.uint8)
    image[..., 3] = np.random.default_rng(1).integers(0, 2, (1, 21, 18)) * 255
    outputs = np.rint(model(image / np.float32(255.0)).numpy() * 255).astype(np.uint8)
    known = image[..., 3] == 255
    np.testing.assert_array_equal(outputs[known], image[known][:, :3])
    shown = image.copy()
    shown[~known, :3] = 0
    np.testing.assert_array_equal(np.rint(model(shown / np.float32(255.0)).numpy() * 255), outputs)


def test_a_model_with_holes_is_saved_and_loaded(data, tmp_path):
    task = build(data, "inpaint")
    model = task.inference_model(task.build_networks())
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    image = np.random.default_rng(0).random((1, 9, 12, 4), np.float32)
    np.testing.assert_array_equal(model(image), again(image))


@pytest.mark.parametrize(("name", "stage"), first_quick(zip(RESTORERS, ["psnr", "gan"], strict=True)))
def test_every_generator_trains(data, name, stage):
    task = build(data, **{"task.generator": name, "task.stage": stage, "data.image_size": 32})
    trainer, history = train(task)
    assert history["nonfinite"] == [0.0]
    assert ("adversarial" in history) == (stage == "gan")
    image = np.random.default_rng(0).random((1, 7, 11, 3), np.float32)
    assert task.inference_model(trainer.averaged)(image).shape == image.shape


def test_grids_show_holes_in_gray(data):
    task = build(data, "inpaint")
    rows = task.sample_rows(task.inference_model(task.build_networks()))
    assert all(image.shape[2] == 3 for row in rows for image in row)
    holes = np.any(rows[0][0] != rows[0][2], axis=-1)
    assert holes.any() and (rows[0][0][holes] == 127).all()


@pytest.mark.parametrize(
    ("degradations", "settings", "message"),
    [
        (("denoise", "denoise"), {}, "each once. Received: denoise, denoise"),
        (("inpaint", "jpeg"), {}, "it must stand alone. Received: inpaint, jpeg"),
        (("inpaint",), {"task.generator": "unet"}, "`task.generator` for holes must be one of auto, gated"),
        (("jpeg",), {"task.generator": "gated"}, "for images without holes must be one of auto, nafnet, unet"),
        (("jpeg",), {"task.jpeg_quality": (0.0, 50.0)}, "quality"),
    ],
)
def test_settings_that_contradict_each_other(data, degradations, settings, message):
    with pytest.raises(ValueError, match=message):
        build(data, *degradations, **settings).build_networks()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_resolve(name):
    run = config.resolve_config("restore", RestoreConfig, preset=PRESETS[name])
    assert run.training.best_metric in RestoreTask(run).metric_names
