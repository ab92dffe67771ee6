"""Files for TensorFlow Serving beside a SavedModel, parsed with its own protocol buffers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2
from tiny_generator import build_tiny_generator

from tfgan_app.export import export_model
from tfgan_app.export.serving_files import ALLOWED_BATCH_SIZES
from tfgan_app.networks.compact import build_compact


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported")
    image = np.random.default_rng(0).integers(0, 256, (80, 90, 3), np.uint8)
    enlarging = build_compact(scale=2, width=4, blocks=1)
    export_model(enlarging, format="saved_model", output_dir=path, name="larger", held_out=[(image, None)])
    named = build_tiny_generator(class_names=("bag", "shoe"))
    export_model(named, format="saved_model", output_dir=path, name="drawn")
    return path


def warmup(version):
    records = tf.data.TFRecordDataset(str(version / "assets.extra" / "tf_serving_warmup_requests"))
    logs = [prediction_log_pb2.PredictionLog.FromString(record.numpy()) for record in records]
    return [log.predict_log.request for log in logs]


@pytest.mark.parametrize("name", ["larger", "drawn"])
def test_every_signature_is_warmed_up_at_every_batch_size(folder, name):
    loaded = tf.saved_model.load(str(folder / name / "1"))
    seen = set()
    for request in warmup(folder / name / "1"):
        assert request.model_spec.name == name
        signature = loaded.signatures[request.model_spec.signature_name]
        inputs = {key: tf.make_ndarray(proto) for key, proto in request.inputs.items()}
        outputs = signature(**{key: tf.constant(array) for key, array in inputs.items()})
        batch = len(next(iter(inputs.values())))
        assert all(len(output) == batch for output in outputs.values())
        seen.add((request.model_spec.signature_name, batch))
    assert seen == {(signature, batch) for signature in loaded.signatures for batch in ALLOWED_BATCH_SIZES}


def test_models_are_listed_once_and_edits_stay(folder, tmp_path):
    path = folder / "models.config"
    config = text_format.Parse(path.read_text(), model_server_config_pb2.ModelServerConfig())
    listed = {entry.name: entry.base_path for entry in config.model_config_list.config}
    assert listed == {"larger": "/models/larger", "drawn": "/models/drawn"}
    config.model_config_list.config[0].version_labels["stable"] = 1
    path.write_text(text_format.MessageToString(config))
    export_model(build_tiny_generator(), format="saved_model", output_dir=folder, name="third")
    config = text_format.Parse(path.read_text(), model_server_config_pb2.ModelServerConfig())
    assert config.model_config_list.config[0].version_labels == {"stable": 1}
    assert [entry.name for entry in config.model_config_list.config][2:] == ["third"]


def test_a_list_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "models.config").write_text("not { a config")
    with pytest.raises(ValueError, match=r"models\.config' is not a model list of TensorFlow Serving"):
        export_model(build_tiny_generator(), format="saved_model", output_dir=tmp_path, name="tiny")


def test_batching_fits_the_warm_up(folder):
    text = (folder / "batching_parameters.txt").read_text()
    sizes = [int(line.split(":")[1]) for line in text.splitlines() if line.startswith("allowed_batch_sizes")]
    assert tuple(sizes) == ALLOWED_BATCH_SIZES and f"max_batch_size {{ value: {sizes[-1]} }}" in text
    assert "prometheus_config" in (folder / "monitoring.config").read_text()
