"""The SavedModel of a style transfer model: each signature against the model, and under the server."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tiny_style import build_tiny_style_model

from tfgan_app.export import export_model
from tfgan_app.inference import Stylist, load_predictor
from tfgan_app.serving.errors import ServingError
from tfgan_app.serving.saved_models import ModelVersion

RNG = np.random.default_rng(0)
CONTENT = RNG.integers(90, 160, (21, 30, 3), np.uint8)
STYLE = RNG.integers(0, 256, (33, 20, 3), np.uint8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The model, and the result of its export."""
    model = build_tiny_style_model()
    folder = tmp_path_factory.mktemp("exports")
    held_out = [(CONTENT, None), (STYLE, None)]
    return model, export_model(model, format="saved_model", output_dir=folder, name="style", held_out=held_out)


def expected(model, strength):
    inputs = [pixels[None].astype(np.float32) / 255.0 for pixels in (CONTENT, STYLE)]
    return np.asarray(model([*inputs, np.array([strength], np.float32)]))


def file_of(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_parity_is_measured_at_several_strengths_and_sizes(exported):
    _, result = exported
    assert result.parity.max_error < 1e-4 and result.parity.batches == 9
    assert "an image whose style they are given" in (result.path / "MODEL_CARD.md").read_text()


def test_it_predicts_in_tiles_what_the_model_does(exported):
    model, result = exported
    loaded = load_predictor(result.path)
    assert isinstance(loaded, Stylist)
    rows = np.concatenate(list(loaded.with_style(STYLE, strength=0.5).rows(CONTENT, tile_px=8)))
    np.testing.assert_allclose(rows, expected(model, 0.5)[0], atol=1e-5)


def test_files_and_tensors_give_the_same_image(exported):
    model, result = exported
    signatures = tf.saved_model.load(str(result.path)).signatures
    files = {"image_bytes": tf.constant([file_of(CONTENT)]), "style_bytes": tf.constant([file_of(STYLE)])}
    for strength, signature, given in ((1.0, "serving_default", {}), (0.3, "bytes", {"strength": tf.constant([0.3])})):
        answer = signatures[signature](**files, **given)["output_bytes"].numpy()[0]
        levels = np.rint(expected(model, strength)[0] * 255)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(answer))), levels)
        images = {"images": tf.constant(CONTENT[None]), "style": tf.constant(STYLE[None])}
        tensor = signatures["tensor"](**images, strength=tf.constant([strength]))["outputs"]
        np.testing.assert_array_equal(tensor[0], levels)


def test_the_server_warms_it_up_and_bounds_both_images(exported):
    _, result = exported
    version = ModelVersion("style", 1, result.path)
    assert version.warm_up(result.path) == 7 * 4
    endpoint = version.endpoints["serving_default"]
    files = {f"{name}_bytes": np.array([file_of(x)], object) for name, x in (("image", CONTENT), ("style", STYLE))}
    pixels = sum(image.shape[0] * image.shape[1] for image in (CONTENT, STYLE))
    assert endpoint.check(files, max_batch=1, max_pixels=pixels) == 1
    with pytest.raises(ServingError, match=f"Received: {pixels}"):
        endpoint.check(files, max_batch=1, max_pixels=pixels - 1)
