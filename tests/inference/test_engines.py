"""Choice of the engine: only a verified LiteRT file replaces TensorFlow."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from PIL import Image

from tfgan_app import cli
from tfgan_app.export import export_model
from tfgan_app.image_io.loading import read_rgb
from tfgan_app.inference import chain_predictors, choose_lite_file, engines, load_lite_predictor, load_predictor
from tfgan_app.keras_metadata import KerasMetadata, weights_fingerprint, write_metadata
from tfgan_app.layers import FromUnitRange, ToUnitRange
from tfgan_app.lite import with_card
from tfgan_app.lite.files import read_card
from tfgan_app.lite.proven import proven_file
from tfgan_app.networks.compact import build_compact


def inference_model(seed=0):
    """A small upscaler between images in [0, 1]."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((None, None, 3), name="images")
    return keras.Model(images, ToUnitRange()(build_compact(scale=2, width=16, blocks=1)(FromUnitRange()(images))))


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder with `tiny.keras`, and `tiny.tflite` exported from it."""
    folder = tmp_path_factory.mktemp("exported")
    model = inference_model()
    model.save(folder / "tiny.keras")
    export_model(
        model,
        format="tflite",
        output_dir=folder,
        name="tiny",
        held_out=[(noise(40, 40), None)],
        made_of=weights_fingerprint(folder / "tiny.keras"),
    )
    return folder


@pytest.fixture
def folder(exported, tmp_path):
    """A copy that may be changed, on a machine without a GPU."""
    return shutil.copytree(exported, tmp_path / "models")


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def retrained(folder):
    inference_model(seed=1).save(folder / "tiny.keras")


def other_file(folder):
    with (folder / "tiny.tflite").open("ab") as file:
        file.write(b"\0")


def no_manifest(folder):
    (folder / "manifest.json").unlink()


def damaged_manifest(folder):
    (folder / "manifest.json").write_text("[")


def other_entries(folder):
    (folder / "manifest.json").write_text(json.dumps({"tiny.tflite": 1}))


def no_file(folder):
    (folder / "tiny.tflite").unlink()


@pytest.mark.parametrize("change", [retrained, other_file, no_manifest, damaged_manifest, other_entries, no_file])
def test_what_is_not_proven_runs_by_tensorflow(folder, change):
    assert proven_file(folder / "tiny.keras") == folder / "tiny.tflite"
    change(folder)
    assert choose_lite_file(folder / "tiny.keras") is None
    with pytest.raises(ValueError, match=r"needs '.*tiny.tflite', verified against 'tiny.keras': create it with"):
        choose_lite_file(folder / "tiny.keras", engine="litert")


def test_a_license_that_is_written_later_changes_no_weights(folder):
    write_metadata(folder / "tiny.keras", KerasMetadata("MIT"))
    assert proven_file(folder / "tiny.keras") is not None


def test_fingerprints(folder, tmp_path):
    (tmp_path / "other").mkdir()
    before = weights_fingerprint(folder / "tiny.keras")
    retrained(tmp_path / "other")
    assert before is not None and weights_fingerprint(tmp_path / "other" / "tiny.keras") != before
    (tmp_path / "no.keras").write_bytes(b"no archive")
    assert weights_fingerprint(tmp_path / "no.keras") is None is weights_fingerprint(tmp_path / "missing.keras")


def test_a_gpu_is_left_to_tensorflow_unless_the_user_says_otherwise(folder, monkeypatch):
    monkeypatch.setattr(engines, "gpu_in_sight", lambda: True)
    assert choose_lite_file(folder / "tiny.keras") is None
    assert choose_lite_file(folder / "tiny.keras", engine="litert") == folder / "tiny.tflite"
    assert choose_lite_file(folder / "tiny.tflite") == folder / "tiny.tflite"


def test_a_file_of_one_size_runs_only_when_it_is_asked_for(folder):
    file, manifest = folder / "tiny.tflite", folder / "manifest.json"
    content = file.read_bytes()
    file.write_bytes(with_card(content, dataclasses.replace(read_card(content), sizes="fixed")))
    entries = json.loads(manifest.read_text())
    entries[file.name]["bytes"] = file.stat().st_size
    manifest.write_text(json.dumps(entries))
    assert proven_file(folder / "tiny.keras") == file
    assert choose_lite_file(folder / "tiny.keras") is None
    assert choose_lite_file(folder / "tiny.keras", engine="litert") == file


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tiny.tflite", {"engine": "tensorflow"}, "TensorFlow cannot run .tflite files. Received: '.*tiny.tflite'"),
        ("tiny.keras", {"engine": "tensorflow", "quantized": True}, "Received: `--quantized` with"),
        ("tiny.keras", {"quantized": True}, "needs '.*tiny_int8.tflite'.*--quantize int8"),
        ("tiny.tflite", {"quantized": True}, "`--quantized` needs a model with an int8 file beside it"),
        ("run", {"engine": "litert"}, "needs a .keras file with its .tflite file beside it, or a shipped model"),
        ("tiny.keras", {"engine": "onnx"}, "one of auto, litert, tensorflow. Received: onnx"),
    ],
)
def test_an_engine_that_is_not_there_is_one_line(folder, name, options, message):
    with pytest.raises(ValueError, match=message) as raised:
        choose_lite_file(folder / name, **options)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("tile_px", [None, 17])
def test_litert_gives_the_pixels_of_tensorflow(exported, dtype, tile_px):
    pixels = (noise(51, 38).astype(dtype)) * (1 if dtype == np.uint8 else 257)
    lite = load_lite_predictor(exported / "tiny.tflite")
    expected = load_predictor(exported / "tiny.keras").image(pixels)
    received = lite.image(pixels, tile_px=tile_px)
    assert received.dtype == dtype and lite.local
    limit = 1 if dtype == np.uint8 else 7  # 1e-4 of the range, the limit of an export in float32.
    assert np.abs(received.astype(int) - expected).max() <= limit


@pytest.mark.parametrize("setting", [[], ["--set", "ensemble=true"]])
def test_a_prediction_loads_neither_tensorflow_nor_keras(exported, tmp_path, setting):
    Image.fromarray(noise(30, 20)).save(tmp_path / "in.png")
    code = (
        "import sys\nfrom tfgan_app import cli\ncode = cli.run(cli.parse(['tfgan_app', *sys.argv[1:]]))\n"
        "loaded = {name.split('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'jax', 'torch'}\n"
        "print(sorted(loaded))\nsys.exit(code)"
    )
    flags = ["--input", tmp_path / "in.png", "--output", tmp_path / "out.png", *setting]
    command = [sys.executable, "-c", code, "predict", "--model", exported / "tiny.keras", *flags]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"1 written to {tmp_path / 'out.png'}, by LiteRT (tiny.tflite)\n[]\n"
    assert done.stderr == ""
    assert read_rgb(tmp_path / "out.png").shape == (60, 40, 3)


@pytest.mark.parametrize(("engine", "said"), [("auto", "LiteRT"), ("litert", "LiteRT"), ("tensorflow", "out\n")])
def test_the_flag(exported, tmp_path, capsys, engine, said):
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(noise(9, 12)).save(tmp_path / "in" / name)
    flags = ["--input", tmp_path / "in", "--output", tmp_path / "out", "--engine", engine]
    assert cli.run(cli.parse(list(map(str, ["tfgan_app", "predict", "--model", exported / "tiny.keras", *flags])))) == 0
    assert said in capsys.readouterr().out
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_models_of_a_chain_may_run_by_engines_of_their_own(exported):
    pixels = noise(20, 30)
    lite, by_tensorflow = load_lite_predictor(exported / "tiny.tflite"), load_predictor(exported / "tiny.keras")
    expected = chain_predictors([by_tensorflow, by_tensorflow]).image(pixels).astype(int)
    for models in ([lite, lite], [lite, by_tensorflow], [by_tensorflow, lite]):
        chain = chain_predictors(models)
        assert chain.local and chain.scale == 4
        assert np.abs(chain.image(pixels, tile_px=16) - expected).max() <= 1


STEPS = {
    "size": ["--output-scale", "1.5"],
    "borders and grain": ["--wrap", "--set", "grain=0.05"],
    "chain": ["--model", "{model}"],
    "regions that stay": ["--keep-mask", "{mask}"],
    "facts": ["--json", "{facts}"],
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_around_a_model_are_those_of_the_other_engine(name, exported, tmp_path):
    for file, pixels in (("in.png", noise(30, 20)), ("mask.png", noise(30, 20) // 128 * 255)):
        Image.fromarray(pixels).save(tmp_path / file)
    places = {"model": exported / "tiny.keras", "mask": tmp_path / "mask.png", "facts": tmp_path / "facts.json"}
    results = []
    for engine in ("litert", "tensorflow"):
        flags = [flag.format(**places) for flag in STEPS[name]]
        given = ["--model", places["model"], "--input", tmp_path / "in.png", "--output", tmp_path / "out.png"]
        assert cli.run(cli.parse(list(map(str, ["tfgan_app", "predict", *given, "--engine", engine, *flags])))) == 0
        results.append(read_rgb(tmp_path / "out.png").astype(int))
        if name == "facts":
            (model,) = json.loads(places["facts"].read_text())["models"]
            assert model["engine"] == engine
    assert np.abs(results[0] - results[1]).max() <= 1


def test_a_loaded_model_takes_calls_of_several_threads(exported):
    lite = load_lite_predictor(exported / "tiny.tflite")
    inputs = [noise(9 + index, 12) for index in range(16)]
    expected = [lite.image(pixels) for pixels in inputs]
    with ThreadPoolExecutor(8) as pool:
        for received, wanted in zip(pool.map(lite.image, inputs), expected, strict=True):
            np.testing.assert_array_equal(received, wanted)


def test_weights_are_mixed_by_tensorflow_alone(exported, tmp_path, capsys):
    flags = ["--input", tmp_path, "--output", tmp_path / "out", "--set", "fidelity=0.5", "--engine", "litert"]
    assert cli.run(cli.parse(list(map(str, ["tfgan_app", "predict", "--model", exported / "tiny.keras", *flags])))) == 2
    assert "`fidelity` mixes weights, which TensorFlow does" in capsys.readouterr().err
