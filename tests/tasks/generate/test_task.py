"""The task `generate`: latents, classes, codes, metrics, the images of the report."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from small_images import TINY_GENERATE, write_class_folders

from tfgan_app import config
from tfgan_app.data.bundled import bundled_path
from tfgan_app.image_io.loading import write_image
from tfgan_app.tasks.generate.config import GenerateConfig
from tfgan_app.tasks.generate.evaluation import GenerationQuality, feature_cache
from tfgan_app.tasks.generate.sampling import (
    code_sweeps,
    draw_latents,
    interpolate,
    nearest_neighbors,
    sample,
    truncations,
)
from tfgan_app.tasks.generate.task import GenerateTask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_class_folders(tmp_path_factory.mktemp("classes"))


def task(data, **settings):
    values = {"data.source": str(data), **TINY_GENERATE, **settings}
    resolved = config.replace_values(config.default_config("generate", GenerateConfig), values)
    return GenerateTask(resolved, report=lambda line: None)


def first_batch(subject):
    return next(iter(subject.build_dataset(start_step=0, seed=0)))


@pytest.mark.parametrize("name", GenerateTask.presets)
def test_presets_resolve_and_build(data, name):
    resolved = config.resolve_config("generate", GenerateConfig, preset=GenerateTask.presets[name])
    source = str(bundled_path("emoji_captions") if resolved.task.captions else data)
    subject = GenerateTask(config.replace_values(resolved, {"data.source": source}), report=lambda line: None)
    size_px, channels = resolved.data.image_size, 3 if resolved.task.captions else 1
    assert subject.build_networks().generators["generator"].output_shape == (None, size_px, size_px, channels)
    assert resolved.training.best_metric in subject.metric_names


def test_latents_are_normal_and_finite_even_for_a_draw_of_zero(data):
    subject = task(data)
    draws = tf.random.stateless_uniform([4, subject.draws_per_example], [0, 0]).numpy()
    draws[0, 1], draws[0, 2] = 0.0, 1.0 - 2.0**-24
    batch = first_batch(subject)
    latents = np.asarray(subject.augment(batch, tf.constant(draws))["latents"])
    assert np.isfinite(latents).all()
    many = tf.random.stateless_uniform([2000, subject.draws_per_example], [1, 0])
    batch = {"image": tf.zeros((2000, 16, 16, 1), tf.uint8), "label": tf.zeros(2000, tf.int32)}
    latents = np.asarray(subject.augment(batch, many)["latents"])
    assert stats.kstest(latents.ravel(), "norm").pvalue > 1e-3


def test_images_come_in_minus_one_to_one_and_are_mirrored_only_when_asked(data):
    draws = tf.zeros((4, 1 + 8))
    plain, mirrored = task(data), task(data, **{"task.horizontal_flip": True})
    batch = first_batch(plain)
    images = np.asarray(plain.augment(batch, draws)["image"])
    np.testing.assert_allclose(images, batch["image"].numpy() / 127.5 - 1.0, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(mirrored.augment(batch, draws)["image"]), images[:, :, ::-1])


def test_gray_images_train_gray_networks_unless_asked_otherwise(data, tmp_path):
    assert task(data).data.channels == 1
    assert task(data, **{"task.colors": "rgb"}).data.channels == 3
    assert first_batch(task(data, **{"task.colors": "rgb"}))["image"].shape == (4, 16, 16, 3)
    color = write_class_folders(tmp_path, colors=True)
    assert task(color).data.channels == 3
    assert first_batch(task(color, **{"task.colors": "gray"}))["image"].shape == (4, 16, 16, 1)


def test_conditional_images_are_asked_for_with_the_classes_of_the_real_ones(data):
    subject = task(data, **{"task.conditional": True})
    assert subject.data.class_names == ("bar", "box")
    networks, asked = subject.build_networks(), []
    generator = networks.generators["generator"]
    networks.generators["generator"] = lambda inputs, training: asked.append(inputs[1]) or generator(inputs)
    batch = first_batch(subject)
    prepared = subject.augment(batch, tf.fill((4, subject.draws_per_example), 0.3))
    outputs = subject.forward(networks, prepared, training=True)
    np.testing.assert_array_equal(asked[0], batch["label"])
    np.testing.assert_array_equal(outputs.adversarial["discriminator"][2], batch["label"])


def test_conditional_without_classes_is_one_clear_line(data):
    flat = data / "train" / "bar"
    with pytest.raises(ValueError, match=r"task\.conditional=true.*needs classes"):
        _ = task(flat, **{"task.conditional": True}).data.class_names


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task.latent_dim": 4, "task.categorical_codes": 4}, "larger than the 4 codes"),
        ({"task.real_label": 0.9, "task.adversarial_loss": "hinge"}, "minimax, non_saturating, least_squares"),
        ({"task.transformed_real_weight": 1.0}, "needs a transform"),
        ({"task.adversarial_loss": "wasserstein"}, "wgan_gp_weight"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(data, settings, message):
    with pytest.raises(ValueError, match=message):
        task(data, **settings)


def test_inference_model_takes_normal_latents_and_makes_its_own_codes(data):
    subject = task(data, **{"task.categorical_codes": 3, "task.continuous_codes": 1})
    networks = subject.build_networks()
    model = subject.inference_model(networks)
    latents = draw_latents(model, 5)
    codes = np.concatenate(
        [np.eye(3)[latents[:, :3].argmax(1)], 2 * stats.norm.cdf(latents[:, 3:4]) - 1, latents[:, 4:]], 1
    ).astype(np.float32)
    raw = np.asarray(networks.generators["generator"](codes))
    np.testing.assert_allclose(np.asarray(model(latents)), raw / 2 + 0.5, atol=1e-5)


def test_samples_depend_on_their_seed_alone(data):
    subject = task(data)
    model = subject.inference_model(subject.build_networks())
    many = sample(model, draw_latents(model, 6, first_seed=10))
    one = sample(model, draw_latents(model, 1, first_seed=13))
    assert many.shape == (6, 16, 16, 1)
    assert many.dtype == np.uint8
    assert np.abs(many[3].astype(int) - one[0]).max() <= 1


def test_grid_has_a_class_in_each_column_and_a_seed_in_each_row(data):
    subject = task(data, **{"task.conditional": True})

    class Model:
        inputs = subject.inference_model(subject.build_networks()).inputs

        def __call__(self, inputs, training):
            latents, labels = (np.asarray(x) for x in inputs)
            shade = 0.5 * labels + 0.1 * (latents[:, 0] > 0)
            return np.broadcast_to(shade[:, None, None, None], (len(labels), 16, 16, 1))

    rows = subject.sample_rows(Model())
    assert subject.sample_headers == ("bar", "box")
    assert len(rows) == 8
    for bar, box in rows:
        assert bar.shape == (16, 16, 3)
        assert bar[0, 0, 0] <= 26 < 127 <= box[0, 0, 0]
        assert 125 <= box[0, 0, 0] - bar[0, 0, 0] <= 130


def test_interpolation_goes_from_one_seed_to_the_other_along_a_sphere(data):
    subject = task(data)
    model = subject.inference_model(subject.build_networks())
    seen = []

    class Spy:
        inputs = model.inputs

        def __call__(self, inputs, training):
            seen.append(np.asarray(inputs))
            return model(inputs, training=training)

    interpolate(Spy(), rows=2, columns=5, first_seed=3)
    path = np.concatenate(seen).reshape(2, 5, -1)
    ends = draw_latents(model, 4, first_seed=3)
    np.testing.assert_allclose(path[:, 0], ends[:2], atol=1e-5)
    np.testing.assert_allclose(path[:, -1], ends[2:], atol=1e-5)
    lengths = np.linalg.norm(path, axis=-1)
    assert (lengths > 0.8 * lengths[:, [0, -1]].min(1, keepdims=True)).all()


def test_truncation_rows_share_their_seeds(data):
    subject = task(data)
    model = subject.inference_model(subject.build_networks())
    images = truncations(model, (None, 50.0, 0.01), columns=4, first_seed=0)
    assert images.shape == (12, 16, 16, 1)
    assert np.abs(images[:4].astype(int) - images[4:8]).max() <= 1
    assert np.ptp(images[8:], axis=0).max() <= 3  # Next to nothing is left of the latents.


def test_sweeps_change_one_code_at_a_time(data):
    subject = task(data, **{"task.categorical_codes": 3, "task.continuous_codes": 1})
    model = subject.inference_model(subject.build_networks())
    seen = []

    class Spy:
        inputs = model.inputs

        def __call__(self, inputs, training):
            seen.append(np.asarray(subject._codes(inputs)))
            return model(inputs, training=training)

    code_sweeps(Spy(), categories=3, continuous=1, first_seed=0)
    codes = np.concatenate(seen).reshape(4, 2, 10, 8)  # Seed, code, column.
    np.testing.assert_array_equal(codes[:, 0, :, :3].argmax(-1), np.tile(np.arange(10) % 3, (4, 1)))
    assert (np.diff(codes[:, 1, :, 3]) > 0).all()
    assert (np.ptp(codes[:, 0, :, 3:], axis=1) == 0).all()
    assert (np.ptp(np.delete(codes[:, 1], 3, axis=-1), axis=1) == 0).all()


def test_nearest_neighbors_are_the_nearest():
    rng = np.random.default_rng(0)
    queries, candidates = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(50, 3)).astype(np.float32)
    indices, distances = nearest_neighbors(queries, candidates, count=3)
    direct = np.linalg.norm(queries[:, None] - candidates[None], axis=-1)
    np.testing.assert_array_equal(indices, direct.argsort(1)[:, :3])
    np.testing.assert_allclose(distances, np.sort(direct, 1)[:, :3], rtol=1e-5)


def quality(data, **options):
    subject = task(data)
    settings = {"classes": 2, "features": "random", "feature_weights": None, "report": lambda line: None}
    return GenerationQuality(
        held_out=subject.data.held_out,
        training=subject.data.training,
        load=subject.data.load,
        floor_count=12,
        **(settings | options),
    )


def test_real_images_score_the_floor_and_noise_does_not(data):
    subject = quality(data)
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 1)).astype(np.uint8)
    measured, floor = subject.measure([noise]), subject.floor
    assert measured["fid"] > 5 * floor["floor_fid"]
    assert measured["precision"] < floor["floor_precision"]


def test_a_training_image_finds_itself_as_nearest_neighbor(data):
    subject = quality(data)
    training = task(data).data.load(subject._other_images)[:5]
    neighbors = subject.neighbors(training, count=3)
    assert neighbors.shape == (5, 3, 16, 16, 1)
    np.testing.assert_array_equal(neighbors[:, 0], training)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "classifier", "classes": 0}, "at least two class folders"),
        ({"features": "vgg16"}, r"task\.feature_weights"),
    ],
)
def test_unavailable_features_are_reported(data, options, message):
    with pytest.raises(ValueError, match=message):
        quality(data, **options)


def test_automatic_features_need_no_download(data, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert quality(data, features="auto", classes=0).network.name == "random_convolutions"
    assert quality(data, features="auto", classes=0, feature_weights="x.npz")._kind == "vgg16"
    classifier = quality(data, features="auto").network
    assert classifier.name == "classifier"
    assert quality(data, features="auto").network.digest == classifier.digest
    assert list((tmp_path / "tfgan_app" / "features").iterdir())


def test_protocol_tells_data_and_counts_apart(data):
    first = task(data).protocol()
    assert first["real_images"] == first["generated_images"] == 16
    assert first != task(data, **{"data.max_val_images": 10}).protocol()
    fewer = task(data, **{"task.max_generated_images": 12}).protocol()
    assert (fewer["real_images"], fewer["generated_images"]) == (16, 12)


def test_held_out_images_are_limited_evenly_and_always_the_same(data):
    limited = task(data, **{"data.max_val_images": 8})
    assert len(limited.data.held_out) == 8
    assert limited.data.held_out.names == task(data, **{"data.max_val_images": 8}).data.held_out.names
    assert set(limited.data.held_out.labels) == {0, 1}


def test_fewer_generated_than_held_out_images_are_still_of_all_classes(data):
    subject = task(data, **{"task.conditional": True, "task.max_generated_images": 10})
    asked = []

    class Spy:
        inputs = subject.inference_model(subject.build_networks()).inputs

        def __call__(self, inputs, training):
            asked.extend(inputs[1])
            return np.zeros((len(inputs[1]), 16, 16, 1), np.float32)

    list(subject._measured_samples(Spy()))
    assert len(asked) == 10
    assert 2 <= sum(asked) <= 8


def test_the_floor_has_as_many_images_as_are_generated_and_trains_no_classifier(data):
    subject = task(data, **{"task.max_generated_images": 10})
    assert subject.protocol()["floor_images"] == subject.protocol()["generated_images"] == 10
    floor, others = subject.quality._floor_images, subject.quality._other_images
    assert not set(floor.names) & set(others.names)
    assert len(floor) + len(others) == len(subject.data.training)


def test_large_images_reach_a_classifier_reduced(data):
    subject = quality(data, features="classifier")
    assert subject._reduced(np.full((2, 96, 96, 1), 7, np.uint8)).shape == (2, 64, 64, 1)
    assert quality(data)._reduced(np.zeros((2, 96, 96, 1), np.uint8)).shape == (2, 96, 96, 1)


def test_a_cache_that_cannot_be_made_is_said_and_done_without(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    lines = []
    assert feature_cache(lines.append) is None
    assert "XDG_CACHE_HOME" in lines[0]


@pytest.mark.parametrize(
    ("train", "val", "message"),
    [(12, 2, r"at least 6 held-out.*Found 4.*data\.val_fraction"), (5, 8, "at least 12 readable training images")],
)
def test_too_few_images_are_one_clear_line(tmp_path, train, val, message):
    with pytest.raises(ValueError, match=message):
        task(write_class_folders(tmp_path, train=train, val=val)).prepare()


def test_a_class_whose_images_cannot_be_read_is_named(tmp_path):
    folder = write_class_folders(tmp_path)
    (folder / "train" / "lost").mkdir()
    (folder / "val" / "lost").mkdir()
    for split in ("train", "val"):
        (folder / split / "lost" / "x.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"each class.*none of: lost"):
        _ = task(folder, **{"task.conditional": True}).data.training


def test_another_source_is_measured_on_with_the_runs_own_classes_and_channels(data, tmp_path):
    other = tmp_path / "other"
    for name, shade in (("box", 200), ("bar", 100)):
        for index in range(4):
            write_image(other / name / f"{index}.png", np.full((16, 16, 3), shade, np.uint8))
    config_values = task(data, **{"task.conditional": True}).config
    subject = GenerateTask(config_values, report=lambda line: None, measure_on=str(other))
    held_out = subject.data.held_out
    assert subject.data.channels == 1
    assert len(held_out) == 8
    for name, label in zip(held_out.names, held_out.labels, strict=True):
        assert subject.data.class_names[label] == name.partition("/")[0]
    assert subject.protocol()["data"] == str(other)
    (other / "bar").rename(other / "shoe")
    with pytest.raises(ValueError, match="Received: shoe"):
        _ = GenerateTask(config_values, report=lambda line: None, measure_on=str(other)).data.held_out


def test_measured_images_are_cropped_like_those_that_are_trained_on(tmp_path):
    """Wide images: training crops anywhere along them; metrics use fixed crops."""
    ramp = np.repeat(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], 16, axis=0).repeat(3, axis=2)
    for split, count in (("train", 40), ("val", 40)):
        for index in range(count):
            write_image(tmp_path / split / f"{index}.png", ramp)
    subject = task(tmp_path)
    lefts = subject.data.load(subject.data.held_out)[:, 0, 0, 0]
    assert len(set(lefts)) > 10
    np.testing.assert_array_equal(lefts, subject.data.load(subject.data.held_out)[:, 0, 0, 0])
