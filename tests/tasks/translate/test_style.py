"""The method `style`: training, resuming, metrics, refused settings."""

import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from fake_vgg import write_fake_vgg
from small_photos import write_photos
from tiny_style import build_tiny_encoder

from tfgan_app import cli, config
from tfgan_app.commands.building import build_trainer
from tfgan_app.layers import channel_statistics
from tfgan_app.losses import content_distance, style_distance
from tfgan_app.tasks.translate import style
from tfgan_app.tasks.translate.config import TranslateConfig
from tfgan_app.tasks.translate.presets import STYLE_PRESET
from tfgan_app.tasks.translate.style import StyleTransfer

TINY = {
    "data.image_size": 16,
    "training.batch_size": 2,
    "training.log_every_steps": 1,
    "training.sample_every_steps": 2,
    "training.validate_every_steps": 2,
    "training.checkpoint_every_steps": 1,
    "training.precision": "float32",
    "optimizer.schedule": "constant",
    "optimizer.warmup_steps": 0,
    "task.decoder_width": 2,
    "task.style_level": "relu4_1",
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    return write_photos(folder / "contents"), write_photos(folder / "styles", train=2, val=3, size=(24, 40))


@pytest.fixture
def tiny_encoder(monkeypatch):
    monkeypatch.setattr(style, "build_style_encoder", build_tiny_encoder)


def task(photos, **settings):
    values = {"data.source": str(photos[0]), "task.styles": str(photos[1]), **STYLE_PRESET, **TINY, **settings}
    settings = config.replace_values(config.default_config("translate", TranslateConfig), values)
    return StyleTransfer(settings, report=[].append)


def arguments(photos, run_dir, *, steps, settings=None):
    values = TINY | {"task.method": "style", "task.styles": photos[1], **(settings or {})}
    flags = ["--run-dir", run_dir, "--data", photos[0], "--steps", steps]
    return ["train", "--task", "translate", *flags, *(f"--set={key}={value}" for key, value in values.items())]


def run(*parts):
    return cli.run(cli.parse(["tfgan_app", *map(str, parts)]))


def test_losses_are_those_of_the_paper(photos, tiny_encoder):
    subject = task(photos)
    networks = subject.build_networks()
    rng = np.random.default_rng(0)
    batch = {name: rng.uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32) for name in ("content", "style")}
    found = subject.forward(networks, batch, training=True)
    encoder = build_tiny_encoder()
    (*_, features), styles = encoder(batch["content"]), encoder(batch["style"])
    (mean, deviation), (style_mean, style_deviation) = (
        np.moveaxis(np.asarray(channel_statistics(x))[:, :, None, None], 1, 0) for x in (features, styles[-1])
    )
    moved = (features - mean) / deviation * style_deviation + style_mean
    losses, seen = subject._losses, encoder(networks.generators["decoder"](moved))
    content = np.mean(content_distance(seen[-1] * losses.scales[-1], moved * losses.scales[-1]))
    np.testing.assert_allclose(found.auxiliary["content"], content, rtol=1e-4)
    expected = np.mean(style_distance(losses.scaled(seen), losses.scaled(styles)))
    np.testing.assert_allclose(found.auxiliary["style"], expected, rtol=1e-4)
    assert found.adversarial == {}


def test_batches_are_a_function_of_seed_and_step(photos):
    subject = task(photos)
    whole, resumed = (list(subject.build_dataset(start_step=s, seed=0).take(3 - s)) for s in (0, 1))
    for name in ("content", "style", "position"):
        np.testing.assert_array_equal(whole[1][name], resumed[0][name])
    assert whole[0]["content"].shape == whole[0]["style"].shape == (2, 24, 24, 3)
    augmented = subject.augment(whole[0], tf.random.stateless_uniform([2, subject.draws_per_example], [0, 0]))
    assert augmented["content"].shape == (2, 16, 16, 3) and augmented["style"].dtype == tf.float32


def test_contents_of_one_folder_are_not_their_own_styles(photos):
    contents, styles = task(photos, **{"task.styles": None}).images.held_out
    assert len(contents) == 2
    assert not any(np.array_equal(*pair) for pair in zip(contents, styles, strict=True))
    contents, styles = task(photos).images.held_out
    assert len(contents) == len(styles) == 3


def test_one_folder_is_one_however_it_is_written(photos, tiny_encoder):
    folder = Path(photos[0])
    contents, styles = task(photos, **{"task.styles": f"{folder.parent}/styles/../{folder.name}"}).images.held_out
    assert not any(np.array_equal(*pair) for pair in zip(contents, styles, strict=True))


def test_images_that_are_measured_on_are_not_their_own_styles(photos, tiny_encoder):
    config = task(photos).config
    contents, styles = StyleTransfer(config, report=[].append, measure_on=str(photos[1])).images.held_out
    assert len(contents) == 3
    assert not any(np.array_equal(*pair) for pair in zip(contents, styles, strict=True))


def test_a_single_held_out_image_cannot_take_its_own_style(tmp_path, tiny_encoder):
    folder = write_photos(tmp_path / "contents", val=1)
    with pytest.raises(ValueError, match="at least 2 held-out images .* Found 1"):
        task((folder, folder)).prepare()


def test_trivial_models_measure_as_the_baselines(photos, tiny_encoder):
    subject = task(photos)
    for shown, name in ((0, "copy"), (1, "showing_style")):
        found = subject.evaluate(lambda inputs, training, shown=shown: inputs[shown])
        assert found["transfer_distance"] == pytest.approx(1.0)
        for metric in ("content_distance", "style_distance"):
            assert found[metric] == pytest.approx(found[f"{name}_{metric}"])
    assert found["copy_content_distance"] == found["showing_style_style_distance"] == 0
    assert found["copy_style_distance"] > 0 and found["showing_style_content_distance"] > 0


def test_rows_show_content_style_and_output(photos, tiny_encoder):
    subject = task(photos)
    rows = subject.sample_rows(lambda inputs, training: 1.0 - inputs[1])
    assert len(rows) == 3 and len(rows[0]) == len(subject.sample_headers)
    for content, image, output in rows:
        np.testing.assert_array_equal(output, 255 - image)
        assert content.shape == (16, 16, 3)


@pytest.mark.large
def test_a_stopped_training_resumes_exactly(photos, tiny_encoder, tmp_path, capsys):
    settings = {"task.adversarial_weight": 0.1, "task.discriminator": "patchgan_16", "task.discriminator_width": 2}
    assert run(*arguments(photos, tmp_path / "whole", steps=2, settings=settings)) == 0
    assert "transfer_distance" in capsys.readouterr().out
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    (tmp_path / "run/checkpoints/step-0000002.npz").unlink()  # As if it had been killed after the one before.
    assert run("train", "--task", "translate", "--run-dir", tmp_path / "run", "--resume") == 0
    with (
        np.load(tmp_path / "whole/checkpoints/step-0000002.npz") as whole,
        np.load(tmp_path / "run/checkpoints/step-0000002.npz") as resumed,
    ):
        assert any("discriminator" in key for key in whole.files)
        for key in whole.files:
            np.testing.assert_array_equal(whole[key], resumed[key], err_msg=key)
    assert (tmp_path / "run" / "report.html").is_file() and list((tmp_path / "run" / "samples").glob("*.png"))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.large
def test_it_trains_in_mixed_precision_and_with_a_discriminator(photos, tiny_encoder, precision):
    settings = {"training.precision": precision, "task.adversarial_weight": 0.1, "task.discriminator": "patchgan_16"}
    builders = task(photos, **settings, **{"data.image_size": 32, "training.steps": 2, "training.batch_size": 1})
    trainer = build_trainer(builders, builders.config, strategy=tf.distribute.get_strategy())
    logs = trainer.fit(builders.build_dataset(start_step=0, seed=0), steps_per_epoch=2, verbose=0).history
    assert logs["nonfinite"] == [0.0]
    assert np.isfinite([logs["style"], logs["content"], logs["adversarial"]]).all()


def test_every_weight_of_the_decoder_has_a_gradient_that_lowers_the_losses(photos, tiny_encoder):
    keras.utils.set_random_seed(0)
    subject = task(photos, **{"task.decoder_width": 8})
    networks = subject.build_networks()
    variables = networks.generators["decoder"].trainable_variables
    rng = np.random.default_rng(0)
    batch = {name: rng.uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32) for name in ("content", "style")}

    def total():
        found = subject.forward(networks, batch, training=True).auxiliary
        return sum(weight * found[name] for name, weight in subject.objective.auxiliary_weights.items())

    with tf.GradientTape() as tape:
        before = total()
    gradients = tape.gradient(before, variables)
    norm, step = tf.linalg.global_norm(gradients), 1e-3
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(step / norm * gradient)
    np.testing.assert_allclose(before - total(), step * norm, rtol=0.2)


def test_weights_of_vgg16_are_taken_from_a_file(photos, tmp_path):
    write_fake_vgg(tmp_path / "vgg.npz")
    subject = task(photos, **{"task.perceptual_weights": str(tmp_path / "vgg.npz")})
    assert subject._measures.encoder.outputs[-1].shape[-1] == 512
    with pytest.raises(ValueError, match="Expected an .npz of VGG16 weights"):
        task(photos, **{"task.perceptual_weights": str(tmp_path / "none.npz")}).prepare()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task.l1_weight": 3.0}, "`task.l1_weight` is for `task.method` paired. Received: 3.0 for style"),
        (
            {"task.generator": "unet"},
            "`task.generator` is for `task.method` paired or cyclegan or cut or fastcut. Received: 'unet' for style",
        ),
        ({"task.method": "paired"}, r"`task.\w+` is for `task.method` style. Received: .* for paired"),
    ],
)
def test_settings_that_would_be_ignored_are_named(photos, settings, message, capsys, tmp_path):
    assert run(*arguments(photos, tmp_path / "run", steps=1, settings=settings), "--dry-run") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(message, error)
