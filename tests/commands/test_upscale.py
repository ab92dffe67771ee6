"""A whole life of `upscale` and `restore` through the command line: both stages, measure, predict, export."""

import json
import shutil

import numpy as np
import pytest
from fake_vgg import write_fake_vgg
from PIL import Image
from small_photos import draw_photo, image_arguments, write_photos

from tfgan_app import cli
from tfgan_app.inference import load_predictor


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def faithful(data, tmp_path_factory):
    """A finished run of the first stage, with Muon."""
    run = tmp_path_factory.mktemp("runs") / "psnr"
    muon = {"optimizer.muon_learning_rate": 0.02, "task.generator_width": 16}
    settings = {"training.best_metric": "psnr_y", **muon}
    assert app(*image_arguments("upscale", run, data, steps=8, settings=settings)) == 0
    return run


@pytest.fixture(scope="module")
def adversarial(data, faithful):
    """A run of the second stage that started from it."""
    run = faithful.parent / "gan"
    settings = {"task.stage": "gan", "task.init_from": str(faithful), "task.generator_width": 16}
    settings |= {"training.best_metric": "psnr_y", "task.perceptual_weight": 0.0}
    assert app(*image_arguments("upscale", run, data, steps=4, settings=settings)) == 0
    return run


def test_run_directory_holds_what_a_user_looks_at(faithful):
    for name in ("report.html", "samples/step-0000008.png", "checkpoints/last.keras", "checkpoints/best.keras"):
        assert (faithful / name).is_file(), name
    header = set((faithful / "metrics.csv").read_text().splitlines()[0].split(","))
    assert {"l1", "generator_gradient_norm", "val_psnr_y", "val_bicubic_psnr_y", "val_ssim"} <= header
    assert not {"discriminator_loss", "real_accuracy"} & header
    report = (faithful / "report.html").read_text()
    assert "bicubic enlargement" in report and "PSNR of luma" in report
    assert "Discriminator" not in report


def test_the_second_stage_brings_its_own_rates(adversarial):
    config = json.loads((adversarial / "config.json").read_text())
    assert config["optimizer"]["muon_learning_rate"] is None
    assert config["optimizer"]["generator_learning_rate"] == 1e-4
    assert config["task"]["perceptual_weight"] == 0.0  # Set by the fixture, which has no weights for it.


@pytest.mark.large
def test_a_configuration_file_brings_the_rates_of_its_stage_too(data, tmp_path, capsys):
    recipe = tmp_path / "gan.json"
    recipe.write_text(json.dumps({"task_name": "upscale", "task": {"stage": "gan", "perceptual_weight": 0.0}}))
    arguments = image_arguments("upscale", tmp_path / "run", data, steps=4, settings={"task.generator_width": 16})
    assert app(*arguments, "--config", str(recipe), "--dry-run") == 0
    assert '"generator_learning_rate": 0.0001' in capsys.readouterr().out


def test_the_second_stage_logs_both_players(adversarial):
    header = set((adversarial / "metrics.csv").read_text().splitlines()[0].split(","))
    assert {"adversarial", "discriminator_loss", "real_accuracy", "l1", "val_psnr_y"} <= header


@pytest.mark.large
def test_the_second_stage_goes_on_without_the_first(faithful, adversarial, data, tmp_path, monkeypatch):
    """From another directory too; only `fidelity` needs the first stage."""
    run = shutil.copytree(adversarial, tmp_path / "gan")
    config = json.loads((run / "config.json").read_text())
    assert config["task"]["init_from"] == str(faithful.absolute())
    config["task"]["init_from"] = str(tmp_path / "gone")
    (run / "config.json").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path)
    assert app("train", "--task", "upscale", "--run-dir", "gan", "--resume", "--steps", 6) == 0
    assert (run / "metrics.csv").read_text().splitlines()[-1].startswith("6,")


def test_evaluate_measures_other_images_whole_and_says_how(faithful, tmp_path, capsys):
    folder = tmp_path / "other"
    folder.mkdir()
    Image.fromarray(draw_photo(np.random.default_rng(5), (31, 44))).save(folder / "a.png")
    out = tmp_path / "m.json"
    assert app("evaluate", "--run", faithful, "--data", folder, "--json", out) == 0
    found = json.loads(out.read_text())
    assert found["protocol"]["cut"] == "none" and found["protocol"]["crop_px"] == 2
    assert found["protocol"]["scale"] == 2 and found["protocol"]["low_res"] == "bicubic, 8 bit"
    assert {"psnr_y", "bicubic_psnr_y", "ssim_y"} <= set(found["metrics"])
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "they are means of 1 held-out image" in line


@pytest.mark.large
def test_evaluate_takes_the_weights_of_a_measure(faithful, tmp_path, capsys):
    write_fake_vgg(tmp_path / "vgg.npz")
    weights = f"task.lpips_weights={tmp_path / 'vgg.npz'}"
    assert app("evaluate", "--run", faithful, "--set", weights, "--json", tmp_path / "m.json") == 0
    assert {"lpips", "bicubic_lpips"} <= set(json.loads((tmp_path / "m.json").read_text())["metrics"])
    (tmp_path / "vgg.npz").write_bytes(b"PK no archive")
    assert app("evaluate", "--run", faithful, "--set", weights) == 2
    assert "Expected an .npz of VGG16 weights" in capsys.readouterr().err


def test_predict_enlarges_files_and_folders(faithful, data, tmp_path, capsys):
    assert app("predict", "--model", faithful, "--input", data / "val", "--output", tmp_path / "out") == 0
    with Image.open(tmp_path / "out" / "0.png") as image:
        assert image.size == (120, 106)
    # What is there stays, and is said to.
    before = (tmp_path / "out" / "0.png").stat().st_mtime_ns
    (tmp_path / "out" / "1.png").unlink()
    arguments = ("predict", "--model", faithful, "--input", data / "val", "--output", tmp_path / "out", "--resume")
    assert app(*arguments) == 0
    assert "1 written to" in (said := capsys.readouterr().out) and "1 already existed" in said
    assert (tmp_path / "out" / "0.png").stat().st_mtime_ns == before


def test_tiles_and_the_export_give_what_the_run_gives(faithful, data, tmp_path):
    assert app("export", "--run", faithful, "--format", "saved_model", "--output", tmp_path / "models") == 0
    image = data / "val" / "0.png"
    results = {}
    for name, flags in {
        "whole": ("--model", faithful),
        "tiled": ("--model", faithful, "--tile", 16),
        "export": ("--model", tmp_path / "models" / "upscale", "--tile", 20),
    }.items():
        assert app("predict", *flags, "--input", image, "--output", tmp_path / f"{name}.png") == 0
        results[name] = np.asarray(Image.open(tmp_path / f"{name}.png"), int)
    assert np.abs(results["tiled"] - results["whole"]).max() <= 1
    assert np.abs(results["export"] - results["whole"]).max() <= 1
    exported = load_predictor(tmp_path / "models" / "upscale")
    assert exported.local and exported.scale == 2


@pytest.mark.large
def test_formats_and_quality_are_flags(faithful, data, tmp_path):
    arguments = ("predict", "--model", faithful, "--input", data / "val", "--output")
    assert app(*arguments, tmp_path / "low", "--output-format", "jpg", "--quality", 20) == 0
    assert app(*arguments, tmp_path / "high", "--output-format", "jpg") == 0
    sizes = [(tmp_path / folder / "0.jpg").stat().st_size for folder in ("low", "high")]
    assert sizes[0] < sizes[1]


def test_eight_times_as_large(tmp_path):
    data = write_photos(tmp_path / "photos", size=(88, 96))
    settings = {"task.scale": 8, "task.generator_width": 16}
    assert app(*image_arguments("upscale", tmp_path / "x8", data, steps=2, settings=settings)) == 0
    Image.fromarray(draw_photo(np.random.default_rng(5), (9, 13))).save(tmp_path / "a.png")
    assert (
        app("predict", "--model", tmp_path / "x8", "--input", tmp_path / "a.png", "--output", tmp_path / "b.png") == 0
    )
    with Image.open(tmp_path / "b.png") as enlarged:
        assert enlarged.size == (104, 72)


def test_fidelity_moves_between_the_two_stages(faithful, adversarial, data, tmp_path):
    image = data / "val" / "0.png"

    def predict(name, *flags):
        assert app("predict", "--input", image, "--output", tmp_path / name, *flags) == 0
        return np.asarray(Image.open(tmp_path / name), int)

    ends = predict("a.png", "--model", adversarial), predict("b.png", "--model", faithful)
    np.testing.assert_array_equal(predict("c.png", "--model", adversarial, "--set", "fidelity=0"), ends[0])
    np.testing.assert_array_equal(predict("d.png", "--model", adversarial, "--set", "fidelity=1"), ends[1])
    files = [run / "checkpoints" / "last.keras" for run in (adversarial, faithful)]
    settings = ("--set", "fidelity=1", "--set", f"fidelity_model={files[1]}")
    np.testing.assert_array_equal(predict("e.png", "--model", files[0], *settings), ends[1])
    assert app("predict", "--model", faithful, "--input", image, "--output", tmp_path / "f.png", *settings[:2]) == 2


@pytest.mark.large
def test_the_ensemble_is_the_mean_over_orientations(faithful, data, tmp_path):
    image = data / "val" / "1.png"
    assert (
        app("predict", "--model", faithful, "--input", image, "--output", tmp_path / "e.png", "--set", "ensemble=true")
        == 0
    )
    model, pixels = load_predictor(faithful), np.asarray(Image.open(image))
    turned = [np.rot90(model.image(np.ascontiguousarray(np.rot90(pixels, k))), -k) for k in range(4)]
    flipped = pixels[:, ::-1]
    turned += [np.rot90(model.image(np.ascontiguousarray(np.rot90(flipped, k))), -k)[:, ::-1] for k in range(4)]
    found = np.asarray(Image.open(tmp_path / "e.png"), float)
    np.testing.assert_allclose(found, np.mean(np.array(turned, float), axis=0), atol=1.01)


@pytest.fixture(scope="module")
def filler(data, tmp_path_factory):
    """A finished run that fills holes."""
    run = tmp_path_factory.mktemp("runs") / "inpaint"
    settings = {"training.best_metric": "psnr", "task.degradation": "inpaint"}
    assert app(*image_arguments("restore", run, data, steps=2, settings=settings)) == 0
    return run


def test_masks_are_filled_and_everything_else_stays(filler, data, tmp_path, capsys):
    assert app("export", "--run", filler, "--format", "saved_model", "--output", tmp_path / "models") == 0
    assert "--input IMAGES --mask MASKS --output OUTPUT" in capsys.readouterr().out
    image = np.asarray(Image.open(data / "val" / "0.png"))
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[10:20, 5:30] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "masks" / "0.png")
    Image.fromarray(mask).save(tmp_path / "masks" / "1.png")
    for model in (filler, tmp_path / "models" / "restore"):
        for masks in (tmp_path / "masks", tmp_path / "masks" / "0.png"):
            arguments = ("predict", "--model", model, "--input", data / "val", "--mask", masks)
            assert app(*arguments, "--output", tmp_path / "out") == 0
            found = np.asarray(Image.open(tmp_path / "out" / "0.png"))
            np.testing.assert_array_equal(found[mask == 0], image[mask == 0])
            assert np.abs(found.astype(int) - image)[mask == 255].mean() > 1


@pytest.mark.large
def test_transparent_pixels_are_holes_and_an_image_without_any_is_named(filler, tmp_path, capsys):
    image = draw_photo(np.random.default_rng(3), (24, 30))
    alpha = np.full((24, 30, 1), 255, np.uint8)
    alpha[8:12, 8:20] = 0
    Image.fromarray(np.concatenate([image, alpha], -1)).save(tmp_path / "a.png")
    assert app("predict", "--model", filler, "--input", tmp_path / "a.png", "--output", tmp_path / "out.png") == 0
    with Image.open(tmp_path / "out.png") as opened:
        assert opened.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(opened)[alpha[..., 0] > 0], image[alpha[..., 0] > 0])
    Image.fromarray(image).save(tmp_path / "b.png")
    assert app("predict", "--model", filler, "--input", tmp_path / "b.png", "--output", tmp_path / "no.png") == 1
    assert "needs a mask: give `--mask`" in capsys.readouterr().err
    assert not (tmp_path / "no.png").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--set", "fidelity=2"], "`fidelity` must be a number or none, at least 0.0 and at most 1.0"),
        (["--set", "fidelity=0.5"], "`fidelity` needs a run with task.init_from, or `fidelity_model`"),
        (["--set", "sharpness=1"], "`--set` of predict takes fidelity, fidelity_model, ensemble"),
        (["--output-format", "doc"], "The output format must be one of"),
        (["--quality", "101"], "`quality` must be from 1 to 100"),
    ],
)
def test_flags_that_do_not_apply_are_one_line(faithful, data, tmp_path, capsys, flags, message):
    assert app("predict", "--model", faithful, "--input", data / "val", "--output", tmp_path / "out", *flags) == 2
    said = capsys.readouterr().err.strip()
    assert message in said and "\n" not in said
    assert not (tmp_path / "out").exists()


def test_a_start_that_is_not_there_is_one_line_and_writes_nothing(data, tmp_path, capsys):
    settings = {
        "task.init_from": str(tmp_path / "nowhere"),
        "training.best_metric": "psnr_y",
        "task.generator_width": 16,
    }
    assert app(*image_arguments("upscale", tmp_path / "run", data, steps=2, settings=settings)) == 2
    assert (
        "`task.init_from` must be a run or a .keras file of this task, or a shipped model's name. There is none at"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "run").exists()


def test_a_model_with_a_card_is_not_joined_by_another(faithful, tmp_path, capsys):
    card = tmp_path / "upscale" / "MODEL_CARD.md"
    card.parent.mkdir()
    card.write_text("# upscale\n")
    arguments = ("export", "--run", str(faithful), "--format", "saved_model", "--output", str(tmp_path))
    assert app(*arguments) == 2
    assert "Use another name: `--name NAME`." in capsys.readouterr().err
    assert list(card.parent.iterdir()) == [card]
    assert app(*arguments, "--name", "mine") == 0
