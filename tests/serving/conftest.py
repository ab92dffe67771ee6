"""Models shared by the tests of this folder, exported once."""

from __future__ import annotations

import pytest
import tensorflow as tf
from live_server import export_negative, live_server, save_module, save_sleeper
from tiny_generator import build_tiny_generator
from tiny_style import build_tiny_style_model

from tfgan_app.export import export_model


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
def half_plus_two(x):
    return {"y": x / 2 + 2}


@tf.function(
    input_signature=[tf.TensorSpec([None], tf.string, name="tag"), tf.TensorSpec([None, 2], tf.int64, name="signal")]
)
def tag_and_sum(tag, signal):
    return {"tag": tag, "sum": tf.reduce_sum(signal, axis=1), "tag_bytes": tag}


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
def total(x):
    return {"total": tf.reduce_sum(x), "x": x}


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with `negative` (images), `dots` (a generator with classes), `style`, `plain` and `sleeper`."""
    folder = tmp_path_factory.mktemp("models")
    export_negative(folder)
    generator = build_tiny_generator(class_names=("bar", "box"))
    export_model(generator, format="saved_model", output_dir=folder, name="dots")
    export_model(build_tiny_style_model(), format="saved_model", output_dir=folder, name="style")
    save_module(folder / "plain" / "7", serving_default=half_plus_two, tags=tag_and_sum, total=total)
    save_sleeper(folder)
    (folder / "negative" / "MODEL_CARD.md").write_text("# A card")
    (folder / "negative.keras").write_bytes(b"not looked at")
    (folder / "models.config").write_text(
        'model_config_list { config { name: "plain" version_labels { key: "stable" value: 7 } } }'
    )
    return folder


@pytest.fixture(scope="session")
def light_models(tmp_path_factory):
    """A folder with `plain` and `sleeper`, which are loaded at once."""
    folder = tmp_path_factory.mktemp("light_models")
    save_module(folder / "plain" / "7", serving_default=half_plus_two)
    save_sleeper(folder)
    return folder


@pytest.fixture(scope="session")
def few_models(tmp_path_factory):
    """`light_models` with `negative`, which takes images."""
    folder = tmp_path_factory.mktemp("few_models")
    save_module(folder / "plain" / "7", serving_default=half_plus_two)
    save_sleeper(folder)
    return export_negative(folder).parents[1]


@pytest.fixture(scope="session")
def live(models):
    """A server of `models` that tests do not change."""
    with live_server(models, poll_seconds=2.0) as server:
        yield server
