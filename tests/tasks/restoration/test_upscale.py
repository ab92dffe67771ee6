"""The task `upscale`: downscaling in the graph, stages, metrics by the conventions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from fake_vgg import write_fake_vgg
from lanes import first_quick
from PIL import Image
from small_photos import TINY_UPSCALE, draw_photo, write_photos

from tfgan_app import config
from tfgan_app.commands.building import build_trainer
from tfgan_app.degradations import downscale
from tfgan_app.metrics import psnr_y
from tfgan_app.networks import CROP_DISCRIMINATORS, UPSCALERS
from tfgan_app.tasks.restoration.held_out import HeldOutPairs
from tfgan_app.tasks.restoration.upscale import UpscaleTask
from tfgan_app.tasks.restoration.upscale_config import PRESETS, UpscaleConfig
from tfgan_app.training.task import UNIT_RANGE


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("photos"))


def build(data, *, measure_on=None, report=None, **settings):
    values = {"data.source": str(data), **TINY_UPSCALE, "training.steps": 8, **settings}
    run = config.replace_values(config.default_config("upscale", UpscaleConfig), values)
    return UpscaleTask(run, report=report or (lambda line: None), measure_on=measure_on)


def draws(task, batch, value=0.99):
    return tf.fill([len(batch["image"]), task.draws_per_example], value)


def test_low_resolution_is_what_the_whole_image_would_give(data):
    """Neither the border of the crop nor its place shows in the small image."""
    task = build(data)
    photo = np.asarray(Image.open(data / "train" / "0.png"))
    top, left, scale = 4, 8, 2
    crop = photo[top : top + 32, left : left + 32]
    images = task.augment({"image": crop[None]}, draws(task, {"image": crop[None]}))
    whole = downscale(tf.constant(photo[None, : photo.shape[0] // 2 * 2] / np.float32(255.0)), scale=scale)[0].numpy()
    expected = np.rint(np.clip(whole, 0, 1) * 255)[top // scale + 4 :, left // scale + 4 :][:8, :8]
    np.testing.assert_allclose((images["low_res"][0].numpy() * 0.5 + 0.5) * 255, expected, atol=1e-2)
    np.testing.assert_allclose((images["high_res"][0].numpy() * 0.5 + 0.5) * 255, crop[8:-8, 8:-8], atol=1e-2)


def test_crops_are_turned_in_all_eight_ways_and_small_and_large_alike(data):
    task = build(data)
    crop = np.asarray(Image.open(data / "train" / "1.png"))[None, :32, :32]
    seen = set()
    for flips in np.ndindex(2, 2, 2):
        numbers = np.full((1, task.draws_per_example), 0.9, np.float32)
        numbers[0, :3] = np.array(flips) * 0.9
        images = task.augment({"image": crop}, tf.constant(numbers))
        seen.add(images["high_res"].numpy().tobytes())
        again = downscale(images["high_res"] * 0.5 + 0.5, scale=2)[0, 3:-3, 3:-3]
        np.testing.assert_allclose(again, images["low_res"][0, 3:-3, 3:-3] * 0.5 + 0.5, atol=0.01)
    assert len(seen) == 8


def test_the_crop_with_most_detail_of_the_candidates_is_trained_on(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "val").mkdir()
    for split in ("train", "val"):
        for index in range(4):
            image = np.full((40, 40, 3), 90, np.uint8)
            if index == 0:
                image[::2] = 200
            Image.fromarray(image).save(tmp_path / split / f"{index}.png")
    task = build(tmp_path, **{"task.candidates": 4, "training.batch_size": 1})
    batches = list(task.build_dataset(start_step=0, seed=0))
    assert all(np.ptp(batch["image"]) > 100 for batch in batches)
    assert [int(batch["position"][0]) for batch in batches] == list(range(8))
    later = next(iter(task.build_dataset(start_step=5, seed=0)))
    np.testing.assert_array_equal(later["image"], batches[5]["image"])


@pytest.mark.parametrize("budget", [0, 1024])
def test_images_are_trained_on_at_the_scales_that_hold_a_crop(tmp_path, budget):
    """Stripes two pixels wide are flat gray at half the size; the smaller image is taken whole alone."""
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        for name, size in (("large", 96), ("small", 48)):
            image = np.zeros((size, size, 3), np.uint8)
            image[np.arange(size) % 4 < 2, :, 0 if name == "large" else 1] = 255
            Image.fromarray(image).save(tmp_path / split / f"{name}.png")
    settings = {"task.image_scales": (1.0, 0.5, 0.25), "data.cache_budget_mb": budget, "training.batch_size": 3}
    task = build(tmp_path, **settings)
    batches = list(task.build_dataset(start_step=0, seed=0))
    seen = set()
    for crop in np.concatenate([batch["image"] for batch in batches]):
        stripes = np.ptp(crop[4:-4], axis=(0, 1))
        seen.add((int(np.argmax(crop.mean(axis=(0, 1)))), bool(stripes.max() > 200)))
    assert seen == {(0, True), (0, False), (1, True)}
    assert len(task.data.training) == 2


def test_scales_are_shares(data):
    for wrong, message in (((2.0,), "at least 0.1 and at most 1.0"), ((), "at least one number")):
        with pytest.raises(ValueError, match=message):
            build(data, **{"task.image_scales": wrong})
    with pytest.raises(ValueError, match="low_res` have one scale"):
        build(data, **{"task.image_scales": (1.0, 0.5), "task.low_res": str(data)})


def test_small_images_are_left_out_with_a_word(data, tmp_path):
    folder = write_photos(tmp_path / "photos")
    Image.fromarray(np.zeros((31, 200, 3), np.uint8)).save(folder / "train" / "small.png")
    lines = []
    task = build(folder, report=lines.append)
    assert len(task.data.training) == 3
    assert lines == [f"left out: '{folder}/train/small.png' is smaller than 32 x 32 px: it has 200 x 31"]


def test_only_small_images_are_an_error(tmp_path):
    folder = write_photos(tmp_path / "photos", size=(30, 30))
    with pytest.raises(ValueError, match="Expected training images of at least 32 x 32 px"):
        build(folder).prepare()


def test_images_are_found_in_sub_folders_and_beside_them(tmp_path):
    folder = write_photos(tmp_path / "photos", train=2)
    (folder / "train" / "trip").mkdir()
    Image.fromarray(draw_photo(np.random.default_rng(2), (40, 40))).save(folder / "train" / "trip" / "9.png")
    assert len(build(folder).data.training) == 3


def test_held_out_images_too_small_to_be_measured_are_named(data, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for name, size in (("tiny", (5, 40)), ("fine", (40, 40))):
        Image.fromarray(draw_photo(np.random.default_rng(1), (40, 40))[: size[0]]).save(other / f"{name}.png")
    lines = []
    task = build(data, measure_on=str(other), report=lines.append)
    assert len(task.data.held_out) == 1
    assert "tiny.png' is smaller than 6 x 6 px" in lines[0]


def test_other_images_are_measured_without_those_of_the_training(data, tmp_path):
    task = build(tmp_path / "gone", measure_on=str(data / "val"))
    assert task.protocol()["images"] == 2
    assert "psnr_y" in task.evaluate(task.inference_model(task.build_networks()))


def test_nearest_neighbor_measures_as_by_hand(data):
    """Sides are cut to multiples of the scale, the border of its width is left out, bicubic is the baseline."""
    task = build(data)
    measured = task.evaluate(keras.Sequential([keras.Input((None, None, 3)), keras.layers.UpSampling2D(2)]))
    by_hand = []
    for index in range(2):
        photo = np.asarray(Image.open(data / "val" / f"{index}.png"))
        low = downscale(tf.constant(photo[None, 0:52] / np.float32(255.0)), scale=2)[0].numpy()
        low = np.rint(np.clip(low, 0, 1) * 255).astype(np.uint8)
        by_hand.append(psnr_y(photo[:52], low.repeat(2, 0).repeat(2, 1), crop_px=2))
    assert measured["psnr_y"] == pytest.approx(np.mean(by_hand), abs=1e-4)
    assert measured["bicubic_psnr_y"] > measured["psnr_y"]
    names = ("psnr_y", "ssim_y", "psnr", "ssim", "l1")
    intervals = {f"{name}_{end}" for name in names for end in ("low", "high")}
    assert set(measured) == {f"{p}{n}" for p in ("", "bicubic_") for n in names} | intervals


def test_held_out_images_are_cut_and_others_measured_whole(data, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    Image.fromarray(draw_photo(np.random.default_rng(1), (37, 90))).save(other / "a.png")
    assert [x.shape for x in build(data, **{"task.val_crop_px": 20}).data.measured()] == [(20, 20, 3)] * 2
    task = build(data, measure_on=str(other), **{"task.val_crop_px": 20})
    assert [x.shape for x in task.data.measured()] == [(36, 90, 3)]
    assert task.protocol()["cut"] == "none" and task.protocol()["split"] == "other images"


def test_images_beyond_the_budget_are_made_anew_each_time_and_measured_alike(data):
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.UpSampling2D(2)])
    kept, anew = build(data), build(data)
    anew.quality.pairs = HeldOutPairs(anew._pairs, count=lambda: 2, budget_bytes=10)
    assert kept.evaluate(model) == anew.evaluate(model)
    pairs = [list(task.quality.pairs) for task in (kept, kept, anew, anew)]
    assert pairs[0][0][0] is pairs[1][0][0]
    assert pairs[2][0][0] is not pairs[3][0][0]
    np.testing.assert_array_equal(pairs[2][1][0], pairs[0][1][0])


@pytest.mark.parametrize("budget", [10, 2**29])
def test_grids_show_images_from_the_whole_held_out_set(tmp_path, budget):
    for split, count in (("train", 2), ("val", 24)):
        (tmp_path / split).mkdir()
        for index in range(count):
            Image.fromarray(np.full((40, 40, 3), 10 * index, np.uint8)).save(tmp_path / split / f"{index:02d}.png")
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.UpSampling2D(2)])
    task = build(tmp_path, **{"data.max_val_images": 12})
    task.quality.pairs = HeldOutPairs(task._pairs, count=lambda: 12, budget_bytes=budget)
    shown = [int(row[2][0, 0, 0]) for row in task.sample_rows(model)]
    _ = task.quality.baseline
    assert shown == [int(row[2][0, 0, 0]) for row in task.sample_rows(model)]
    assert len(set(shown)) == 8 and min(shown) < 30 and max(shown) > 200


def train(task, steps=2):
    trainer = build_trainer(task, task.config, strategy=tf.distribute.get_strategy())
    dataset = task.build_dataset(start_step=0, seed=0)
    return trainer, trainer.fit(dataset, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0).history


@pytest.mark.parametrize(
    ("scale", "precision"), first_quick([(2, "mixed_float16"), (3, "float32"), (4, "mixed_bfloat16")])
)
@pytest.mark.parametrize("name", first_quick(UPSCALERS))
def test_every_generator_trains_at_every_scale(data, name, scale, precision):
    options = {"task.generator": name, "task.scale": scale, "training.precision": precision}
    muon = {"optimizer.muon_learning_rate": 0.02, "task.generator_width": 16} if name == "compact" else {}
    task = build(data, **options, **muon, **{"data.image_size": 18 if scale == 3 else 16})
    trainer, history = train(task)
    assert history["nonfinite"] == [0.0]
    image = task.inference_model(trainer.averaged)(np.zeros((1, 5, 7, 3), np.float32))
    assert image.shape == (1, 5 * scale, 7 * scale, 3)


@pytest.mark.parametrize("name", UPSCALERS)
def test_every_generator_trains_for_eight_times(name, tmp_path):
    task = build(write_photos(tmp_path, size=(88, 96)), **{"task.generator": name, "task.scale": 8})
    trainer, history = train(task)
    assert history["nonfinite"] == [0.0]
    assert task.inference_model(trainer.averaged)(np.zeros((1, 5, 7, 3), np.float32)).shape == (1, 40, 56, 3)


def test_the_adversarial_stage_trains_with_a_perceptual_loss(data, tmp_path):
    write_fake_vgg(tmp_path / "vgg.npz")
    settings = {
        "task.stage": "gan",
        "task.perceptual_weight": 0.1,
        "task.perceptual_weights": str(tmp_path / "vgg.npz"),
    }
    _, history = train(build(data, **settings, **{"task.sub_pixel_weight": 10.0}))
    assert history["nonfinite"] == [0.0]
    assert history["perceptual"][0] > 0
    others = history["adversarial"][0] * 0.1 + history["l1"][0] / UNIT_RANGE + history["perceptual"][0] * 0.1
    assert history["generator_loss"][0] == pytest.approx(others + 10.0 * history["sub_pixel_bias"][0], rel=1e-4)


def test_losses_of_the_adversarial_stage_see_images_from_anywhere_within_their_strides(tmp_path):
    """Else their strides would lie the same way on the sub-pixels of every output."""
    data = write_photos(tmp_path, size=(80, 90))
    task = build(data, **{"task.stage": "gan", "data.image_size": 48, "task.scale": 2})
    batch = next(iter(task.build_dataset(start_step=0, seed=0)))
    begins = set()
    for seed in range(30):
        numbers = np.random.default_rng(seed).random((2, task.draws_per_example), np.float32)
        images = task.augment(batch, tf.constant(numbers))
        begins |= {tuple(first) for first in images["loss_crop_offset"].numpy() % 8}
        target = images["high_res"]
        real, fake, _ = task.stage_outputs(images, target, target + 0.5).adversarial["discriminator"]
        assert real.shape == (2, 40, 40, 3)
        np.testing.assert_allclose(fake - real, 0.5, atol=1e-5)
    assert len({row for row, _ in begins}) == len({column for _, column in begins}) == 8
    faithful = build(data, **{"data.image_size": 48})
    assert "loss_crop_offset" not in faithful.augment(batch, tf.constant(numbers[:, : faithful.draws_per_example]))


@pytest.mark.parametrize("name", first_quick(CROP_DISCRIMINATORS))
def test_every_discriminator_plays(data, name):
    task = build(data, **{"task.stage": "gan", "task.discriminator": name, "data.image_size": 32})
    _, history = train(task)
    assert history["nonfinite"] == [0.0]
    assert history["adversarial"][0] > 0


@pytest.mark.large
def test_the_real_degradation_trains(data):
    task = build(data, **{"task.degradation": "real"})
    batch = next(iter(task.build_dataset(start_step=0, seed=0)))
    assert batch["image"].shape == (2, 48, 48, 3)
    images = task.augment(batch, draws(task, batch, 0.5))
    assert images["low_res"].shape == (2, 8, 8, 3)
    assert float(tf.reduce_max(tf.abs(images["low_res"]))) <= 1.0


def test_a_run_starts_from_the_generator_of_another(data, tmp_path):
    first = build(data)
    networks = first.build_networks()
    first.inference_model(networks).save(tmp_path / "first.keras")
    task = build(data, **{"task.stage": "gan", "task.init_from": str(tmp_path / "first.keras")})
    second = task.build_networks()
    task.start(second)
    for mine, theirs in zip(
        second.generators["generator"].get_weights(), networks.generators["generator"].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    other_scale = build(data, **{"task.scale": 4, "task.init_from": str(tmp_path / "first.keras")})
    lines, third = [], other_scale.build_networks()
    other_scale.data.report = lines.append
    before = third.generators["generator"].get_weights()
    other_scale.start(third)
    after = third.generators["generator"].get_weights()
    for mine, theirs in zip(after[:-2], networks.generators["generator"].get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(after[-2], before[-2])
    assert "the last layer, to_sub_pixels, starts fresh" in lines[0]
    wider = {"task.init_from": str(tmp_path / "first.keras"), "task.generator_width": 8}
    with pytest.raises(ValueError, match="`task.init_from` must be a run with the same generator"):
        build(data, **wider).start(build(data, **wider).build_networks())
    plain = {"task.init_from": str(tmp_path / "first.keras"), "task.generator_activation": "relu"}
    with pytest.raises(ValueError, match="with leaky_relu, where this generator has relu; set task.generator_act"):
        build(data, **plain).start(build(data, **plain).build_networks())
    nowhere = {"task.init_from": str(tmp_path / "nowhere")}
    with pytest.raises(ValueError, match="There is none at"):
        build(data, **nowhere).start(second)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data.image_size": 17}, "`data.image_size` must be a multiple of task.scale=2. Received: 17."),
        ({"task.pixel_weight": 0.0}, "`task.pixel_weight` or `task.perceptual_weight` must be above 0"),
        ({"data.resize": "squash"}, "`data.resize` must be none and `data.load_scale` 1"),
        ({"training.discriminator_steps": 2}, "`training.discriminator_steps` is for task.stage=gan. Received: 2"),
        (
            {"task.stage": "gan", "optimizer.muon_learning_rate": 0.02},
            "`task.stage=gan` needs the rates of `--preset gan`",
        ),
        (
            {"task.stage": "gan", "task.real_label": 0.9, "task.adversarial_loss": "hinge"},
            "`task.real_label` applies to the losses",
        ),
    ],
)
def test_settings_that_contradict_each_other(data, settings, message):
    with pytest.raises(ValueError, match=message):
        build(data, **settings)


def test_options_that_a_network_does_not_have(data):
    task = build(data, **{"task.generator": "srresnet", "task.generator_size": "small"})
    with pytest.raises(ValueError, match="`task.generator=srresnet` has no size to set"):
        task.build_networks()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_resolve(name):
    run = config.resolve_config("upscale", UpscaleConfig, preset=PRESETS[name])
    assert run.training.best_metric in UpscaleTask(run).metric_names


def write_low_res(folder, data, *, suffix="x2", shift=40):
    """Partners at half the size, darker by `shift` so that they can be told from any that are made."""
    for path in data.rglob("*.png"):
        photo = np.asarray(Image.open(path))
        small = photo[: photo.shape[0] // 2 * 2 : 2, ::2].astype(int) - shift
        target = folder / path.parent.name / f"{path.stem}{suffix}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(small, 0, 255).astype(np.uint8)).save(target)
    return folder


@pytest.mark.parametrize("budget", [0, 100])
def test_images_at_low_resolution_are_cut_and_turned_with_theirs(tmp_path, budget):
    data = write_photos(tmp_path / "photos", size=(54, 60))
    low = write_low_res(tmp_path / "low", data)
    options = {"task.low_res": str(low), "task.candidates": 2, "data.cache_budget_mb": budget}
    task = build(data, **options)
    for batch in task.build_dataset(start_step=0, seed=0).take(3):
        images = task.augment(batch, tf.random.stateless_uniform([2, task.draws_per_example], [0, 1]))
        # Every second pixel of one corner, whichever way the crop is turned.
        low_res, high_res = (np.rint(images[name].numpy() * 127.5 + 127.5) for name in ("low_res", "high_res"))
        for small, large in zip(low_res, high_res, strict=True):
            corners = [large[i::2, j::2] for i in (0, 1) for j in (0, 1)]
            assert any(np.array_equal(np.clip(corner - 40, 0, 255), small) for corner in corners)
    assert task.evaluate(task.inference_model(task.build_networks()))["psnr_y"] < 25
    assert task.protocol()["low_res"] == "its own"


def write_damaged(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_partners_that_do_not_fit_are_named(tmp_path):
    data = write_photos(tmp_path / "photos", train=4, size=(54, 60))
    low = write_low_res(tmp_path / "low", data, suffix="")
    (low / "train" / "0.png").unlink()
    Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(low / "train" / "1.png")
    write_damaged(low / "train" / "2.png")
    lines = []
    task = build(data, report=lines.append, **{"task.low_res": str(low)})
    assert len(task.data.training) == 1
    assert "2.png': its data is damaged" in lines[2]
    assert "0.png' has no image of its name in" in lines[0]
    assert "1.png' must be 2 times as wide and high as" in lines[1] and "Received 60 x 54 and 5 x 5" in lines[1]


def write_teacher(path, *, scale=2, value=0.25):
    """A network that answers every image with one gray of the given value in [0, 1]."""
    image = keras.Input((None, None, 3))
    larger = keras.layers.UpSampling2D(scale)(image)
    gray = keras.layers.Rescaling(0.0, offset=value)(larger)
    keras.Model(image, gray).save(path)
    return path


@pytest.mark.parametrize("weight", first_quick([0.25, 1.0]))
def test_pixels_are_compared_with_a_mean_of_truth_and_teacher(data, tmp_path, weight):
    teacher = write_teacher(tmp_path / "teacher.keras")
    task = build(data, **{"task.teacher": str(teacher), "task.teacher_weight": weight})
    batch = next(iter(task.build_dataset(start_step=0, seed=0)))
    images = task.augment(batch, draws(task, batch))
    np.testing.assert_allclose(
        images["pixel_target"], (1 - weight) * images["high_res"] - weight * 0.5, atol=1e-6, rtol=1e-5
    )
    networks = task.build_networks()
    output = networks.generators["generator"](images["low_res"])
    expected = np.mean(np.abs(output - images["pixel_target"]))
    found = task.forward(networks, images, training=False).auxiliary["l1"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.large
def test_a_folder_of_outputs_teaches_as_their_model_would(tmp_path):
    data = write_photos(tmp_path / "photos", size=(54, 60))
    for path in (data / "train").glob("*.png"):
        darker = np.asarray(Image.open(path)).astype(int) // 2
        target = tmp_path / "outputs" / "train" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(darker.astype(np.uint8)).save(target)
    options = {"task.teacher": str(tmp_path / "outputs"), "task.teacher_weight": 1.0, "task.candidates": 2}
    task = build(data, **options)
    for batch in task.build_dataset(start_step=0, seed=0).take(3):
        images = task.augment(batch, tf.random.stateless_uniform([2, task.draws_per_example], [0, 1]))
        truth, taught = (np.rint(images[name].numpy() * 127.5 + 127.5) for name in ("high_res", "pixel_target"))
        np.testing.assert_array_equal(taught, truth // 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task.teacher": "{folder}/none.keras"}, "does not exist"),
        ({"task.teacher": "{folder}/x3.keras"}, "enlarges 3 times"),
        ({"task.teacher": "{folder}/outputs", "task.image_scales": (1.0, 0.5)}, "needs task.image_scales=1"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(data, tmp_path, settings, message):
    write_teacher(tmp_path / "x3.keras", scale=3)
    (tmp_path / "outputs").mkdir()
    Image.fromarray(draw_photo(np.random.default_rng(0), (32, 32))).save(tmp_path / "outputs" / "0.png")
    settings = {
        name: value.format(folder=tmp_path) if isinstance(value, str) else value for name, value in settings.items()
    }
    with pytest.raises(ValueError, match=message):
        build(data, **settings)
