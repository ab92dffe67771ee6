"""An imported model of each architecture exports to every format, in integers too, is served, and predicts."""

import numpy as np
import pytest
import small_imports
from lanes import first_quick
from live_server import live_server
from PIL import Image

from tfgan_app import cli
from tfgan_app.export import export_model
from tfgan_app.importers import IMPORTERS, import_weights
from tfgan_app.keras_info import model_info
from tfgan_app.lite.operators import delegations

NO_INTEGERS = {"cyclegan", "fast_style"}
"""Their normalization over each image is refused in 8-bit integers, as the manual tells."""


def app(*arguments):
    return cli.run(cli.parse(["tfgan_app", *map(str, arguments)]))


def test_each_architecture_has_a_small_file():
    assert set(IMPORTERS) <= set(small_imports.FILES)


@pytest.fixture(scope="module")
def crops():
    """uint8 images of 32 px, none of flat areas, which instance normalization blows up where weights are random."""
    rng = np.random.default_rng(0)
    coarse = np.kron(rng.integers(0, 200, (6, 8, 8, 3)), np.ones((1, 4, 4, 1)))
    images = list((coarse + rng.integers(0, 56, coarse.shape)).astype(np.uint8))
    return {"train": images[:4], "val": images[4:]}


def export(model, format, folder, crops, quantize="none"):
    info = model_info(model)
    return export_model(
        model,
        format=format,
        quantize=quantize,
        output_dir=folder,
        name="x",
        held_out=[] if info.kind == "noise" else [(crop, None) for crop in crops["val"]],
        calibration=crops["train"],
        tile_px=None if format == "saved_model" or info.kind == "noise" else 32,
    )


@pytest.mark.parametrize("name", first_quick(small_imports.FILES))
def test_everything_works_with_an_imported_model(name, tmp_path, crops):
    weights = small_imports.write(tmp_path, name)
    assert app("import", "--weights", weights, "--output", tmp_path / "x.keras", "--no-tflite") == 0
    model = import_weights(weights).model
    assert export(model, "tflite", tmp_path / "lite", crops).parity.max_error <= 1e-4
    left = {line.delegate: line.left for line in delegations((tmp_path / "lite" / "x.tflite").read_bytes())}
    assert not left["XNNPACK (CPU)"] and not left["GPU"]
    if name in NO_INTEGERS:
        with pytest.raises(ValueError, match="differs from the model: PSNR"):
            export(model, "tflite", tmp_path / "lite", crops, quantize="int8")
    else:
        assert export(model, "tflite", tmp_path / "lite", crops, quantize="int8").parity.psnr >= 38
    export(model, "saved_model", tmp_path / "served", crops)
    if model_info(model).kind == "noise":
        check_generates(tmp_path, model)
    else:
        check_translates(tmp_path, model, crops["val"][0])


def check_translates(folder, model, image):
    odd = image[:31, :21]
    expected = answer(model, odd)
    assert expected.std() > 0.01
    with live_server(folder / "served") as server:
        served = server.predict("x", "float", images=odd[None].astype(np.float32) / 255)["outputs"][0]
    np.testing.assert_allclose(served, expected, atol=1e-4)
    for file, shown in ((folder / "x.keras", odd), (folder / "lite" / "x.tflite", image)):
        Image.fromarray(shown).save(folder / "in.png")
        output = folder / f"{file.name}.png"
        assert app("predict", "--model", file, "--input", folder / "in.png", "--output", output) == 0
        predicted = np.asarray(Image.open(output), np.float32) / 255
        np.testing.assert_allclose(predicted, answer(model, shown), atol=0.51 / 255 + 1e-4)


def answer(model, image):
    return np.asarray(model(image[None].astype(np.float32) / 255, training=False))[0]


def check_generates(folder, model):
    latents = np.random.default_rng(0).normal(size=(2, model.inputs[0].shape[1])).astype(np.float32)
    with live_server(folder / "served") as server:
        served = server.predict("x", "float", latents=latents)["outputs"]
    np.testing.assert_allclose(served, model(latents, training=False), atol=1e-4)
    assert app("predict", "--model", folder / "x.keras", "--count", 2, "--output", folder / "generated") == 0
    assert len(list((folder / "generated").glob("*.png"))) == 2
