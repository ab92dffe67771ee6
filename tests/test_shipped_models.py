"""The models in exported_models/: right after install they do what their cards say."""

import functools
import io
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from lanes import first_quick
from PIL import Image

from tfgan_app.config import resolve_config
from tfgan_app.data.bundled import bundled_path
from tfgan_app.degradations import downscale, resize, to_eight_bits
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.inference import choose_lite_file, load_predictor
from tfgan_app.lite import delegations
from tfgan_app.metrics import color_shift, psnr_rgb, psnr_y
from tfgan_app.networks import RESTORERS
from tfgan_app.networks import UPSCALERS as ARCHITECTURES
from tfgan_app.tasks import load_task
from tfgan_app.tasks.restoration.builders import start_from
from tfgan_app.training.task import Networks

FOLDER = Path(__file__).parents[1] / "exported_models"
UPSCALERS = {"upscale_x4": 4, "upscale_x4_gan": 4, "upscale_x4_small": 4, "upscale_x2": 2}
MODELS = (*UPSCALERS, "restore")


@functools.cache
def model(name):
    return load_predictor(FOLDER / name / "1")


@functools.cache
def photos():
    """Held-out images that belong to the bundled sample."""
    return [read_rgb(path)[:240, :240] for path in sorted((bundled_path("photos") / "val").iterdir())]


@functools.cache
def small(scale):
    images = tf.constant(np.stack(photos()) / np.float32(255.0))
    return np.rint(to_eight_bits(downscale(images, scale=scale)).numpy() * 255).astype(np.uint8)


def gain_over_bicubic(name):
    scale, gains = UPSCALERS[name], []
    for low, photo in zip(small(scale), photos(), strict=True):
        plain = resize(tf.constant(low[None] / np.float32(255.0)), height=240, width=240)
        plain = np.rint(to_eight_bits(plain)[0].numpy() * 255).astype(np.uint8)
        values = [psnr_y(photo, output, crop_px=scale) for output in (model(name).image(low), plain)]
        gains.append(values[0] - values[1])
    return np.mean(gains)


@pytest.mark.parametrize("name", MODELS)
def test_each_has_a_card_and_a_recipe_that_can_be_run(name):
    card = (FOLDER / name / "MODEL_CARD.md").read_text()
    for heading in ("License", "Trained on", "Measured", "Limits"):
        assert f"## {heading}" in card, heading
    recipe = FOLDER / "recipes" / f"{name}.json"
    assert recipe.name in card
    kind = "restore" if name == "restore" else "upscale"
    task = load_task(kind)
    preset = task.presets["gan" if name.endswith("_gan") else "default"]
    config = resolve_config(kind, task.config_class, preset=preset, config_file=recipe)
    if kind == "restore":
        generator = RESTORERS["nafnet"]()
    else:
        options = {"activation": config.task.generator_activation, "size": config.task.generator_size}
        options = {key: value for key, value in options.items() if value is not None}
        generator = ARCHITECTURES["compact"](scale=config.task.scale, **options)
    started = []
    # Raises where the recipe's network takes other weights.
    start_from(Networks({"generator": generator}, {}), str(FOLDER / f"{name}.keras"), report=started.append)
    trained = keras.models.load_model(FOLDER / f"{name}.keras", compile=False).get_layer("generator")
    for taken, wanted in zip(generator.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(taken, wanted)
    assert not any("starts fresh" in line for line in started)
    assert config.task.stage == ("gan" if name.endswith("_gan") else "psnr")


@pytest.mark.parametrize("name", first_quick(MODELS))
def test_the_keras_file_gives_the_same_image(name):
    source = small(4)[0]
    from_keras = load_predictor(FOLDER / f"{name}.keras").image(source)
    difference = np.abs(from_keras.astype(int) - model(name).image(source).astype(int))
    assert difference.max() <= 1


LITE_FILES = {
    "upscale_x4.tflite": ("upscale_x4", 60.0),
    "upscale_x4_int8.tflite": ("upscale_x4", 38.0),
    "upscale_x4_gan.tflite": ("upscale_x4_gan", 60.0),
    "upscale_x4_gan_int8.tflite": ("upscale_x4_gan", 38.0),
    "upscale_x4_small.tflite": ("upscale_x4_small", 60.0),
    "upscale_x4_small_int8.tflite": ("upscale_x4_small", 38.0),
    "upscale_x2.tflite": ("upscale_x2", 60.0),
    "restore_int8.tflite": ("restore", 38.0),
}


@pytest.mark.parametrize("file", first_quick(LITE_FILES))
def test_the_files_for_phones_give_the_same_image(file):
    name, least_db = LITE_FILES[file]
    source = small(4)[0]
    difference = psnr_rgb(model(name).image(source), load_predictor(FOLDER / file).image(source), crop_px=0)
    assert difference > least_db
    assert delegations((FOLDER / file).read_bytes())[1].left == {}, "the GPU delegate would leave operations"


def test_predict_takes_them_for_their_models(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for file, (name, _) in LITE_FILES.items():
        assert choose_lite_file(name, quantized="int8" in file) == FOLDER / file
    assert choose_lite_file("restore") is None
    with pytest.raises(ValueError, match="needs '.*upscale_x2_int8.tflite'"):
        choose_lite_file("upscale_x2", quantized=True)


@pytest.mark.parametrize(("name", "least_db"), [("upscale_x4", 1.4), ("upscale_x4_small", 1.2), ("upscale_x2", 2.3)])
@pytest.mark.large
def test_faithful_upscalers_beat_bicubic_enlargement(name, least_db):
    assert gain_over_bicubic(name) > least_db


@pytest.mark.parametrize("name", first_quick(UPSCALERS))
def test_upscalers_keep_colors(name):
    for low in small(UPSCALERS[name]):
        assert color_shift(low, model(name).image(low)) < 1.0


@pytest.mark.parametrize("name", first_quick(UPSCALERS))
def test_upscalers_draw_nothing_on_flat_areas(name):
    ramp = np.broadcast_to(np.linspace(90, 110, 64, dtype=np.float32)[:, None, None], (64, 64, 3))
    scale = UPSCALERS[name]
    output = model(name).image(np.rint(ramp).astype(np.uint8)).astype(float)
    expected = np.linspace(90, 110, 64 * scale)[:, None, None]
    inside = slice(8 * scale, -8 * scale)
    assert np.abs(output - expected)[inside, inside].max() < 2.5


@pytest.mark.large
def test_the_adversarial_model_draws_more_detail_than_the_faithful_one():
    detail = {}
    for name in ("upscale_x4", "upscale_x4_gan"):
        outputs = [model(name).image(low).astype(float) for low in small(4)]
        detail[name] = np.mean([np.abs(np.diff(x, axis=0)).mean() for x in outputs])
    truth = np.mean([np.abs(np.diff(x.astype(float), axis=0)).mean() for x in photos()])
    assert detail["upscale_x4"] < 0.95 * detail["upscale_x4_gan"] < 0.95 * 1.15 * truth


@pytest.mark.parametrize(
    ("damage", "least_db"),
    [(("noise", 25), 9.0), (("jpeg", 15), 0.5)],
)
def test_restore_takes_damage_away(damage, least_db):
    gains = []
    for index, photo in enumerate(photos()):
        kind, strength = damage
        if kind == "noise":
            noisy = photo + np.random.default_rng(index).normal(0, strength, photo.shape)
            damaged = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        else:
            file = io.BytesIO()
            Image.fromarray(photo).save(file, "JPEG", quality=strength)
            damaged = np.asarray(Image.open(file))
        restored = model("restore").image(damaged)
        gains.append(psnr_rgb(photo, restored, crop_px=0) - psnr_rgb(photo, damaged, crop_px=0))
    assert np.mean(gains) > least_db


@pytest.mark.large
def test_restore_leaves_good_images_alone():
    assert np.mean([psnr_rgb(photo, model("restore").image(photo), crop_px=0) for photo in photos()]) > 40.0
