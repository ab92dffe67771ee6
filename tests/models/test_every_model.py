"""Every Keras model fits, evaluates, predicts, saves, loads, continues training and exports."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_models import BUILDERS, METRICS, data_of, inputs_of

from tfgan_app.inference import load_keras_model
from tfgan_app.models import __all__ as MODELS


def compiled(name):
    keras.utils.set_random_seed(0)
    gan = BUILDERS[name]()
    gan.compile("adam", keras.optimizers.Adam(1e-3, 0.5))
    return gan


VARIANTS = ("fastcut", "restore")
"""Models whose class is tried in the quick lane by another row."""

PARAMS = [pytest.param(name, marks=pytest.mark.large if name in VARIANTS else ()) for name in BUILDERS]


@pytest.fixture(scope="module", params=PARAMS)
def trained(request):
    """The name, the model after two steps, its history and its outputs."""
    gan, data = compiled(request.param), data_of(request.param)
    history = gan.fit(*data, batch_size=2, epochs=1, validation_data=data if len(data) > 1 else data[0], verbose=0)
    return request.param, gan, history.history, gan.predict(inputs_of(request.param), verbose=0)


def test_all_models_are_tried():
    assert {type(build()).__name__ for build in BUILDERS.values()} == set(MODELS)


def test_history_has_finite_figures_of_training_and_validation(trained):
    name, gan, history, _ = trained
    assert all(np.isfinite(values).all() and len(values) == 1 for values in history.values()), history
    assert history["nonfinite"] == [0.0]
    assert {f"val_{metric}" for metric in METRICS[name]} <= set(history)
    assert int(gan.step.numpy()) == 2


def test_evaluate_changes_nothing_and_lists_its_metrics_in_order(trained):
    name, gan, history, _ = trained
    metrics = {id(v) for metric in gan.metrics for v in metric.variables}
    variables = [v for v in gan.variables if id(v) not in metrics]
    before = [v.numpy() for v in variables]
    found = gan.evaluate(*data_of(name), batch_size=2, verbose=0, return_dict=True)
    listed = gan.evaluate(*data_of(name), batch_size=2, verbose=0)
    assert set(found) == set(gan.metrics_names) >= METRICS[name]
    np.testing.assert_allclose([found[metric] for metric in gan.metrics_names], listed, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["generator_loss"], history["val_generator_loss"][0], rtol=1e-4)
    assert all(np.array_equal(value, v.numpy()) for value, v in zip(before, variables, strict=True))


def test_call_is_the_averaged_generator_in_inference_mode(trained):
    name, gan, _, outputs = trained
    inputs = inputs_of(name)
    np.testing.assert_allclose(gan(inputs, training=True), outputs, atol=1e-5)
    for model in gan.averaged.generators.values():
        model.trainable_variables[0].assign_add(tf.ones_like(model.trainable_variables[0].value) * 0.1)
    assert np.abs(np.asarray(gan(inputs)) - outputs).max() > 1e-6
    for model in gan.averaged.generators.values():
        model.trainable_variables[0].assign_sub(tf.ones_like(model.trainable_variables[0].value) * 0.1)


def test_a_saved_model_loads_with_its_state_and_goes_on_training(trained, tmp_path):
    name, gan, _, _ = trained
    outputs = gan.predict(inputs_of(name), verbose=0)
    gan.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(gan)
    np.testing.assert_array_equal(loaded.predict(inputs_of(name), verbose=0), outputs)
    for optimizer in ("generator_optimizer", "discriminator_optimizer"):
        pairs = zip(getattr(gan, optimizer).variables, getattr(loaded, optimizer).variables, strict=True)
        assert all(np.array_equal(a.value, b.value) for a, b in pairs)
    assert int(loaded.step.numpy()) == 2
    # The same update from the same state: nothing that training depends on was left out.
    data = data_of(name)
    for each in (gan, loaded):  # No further graphs, which take longer than the step.
        each.run_eagerly, each.train_function = True, None
    losses = [each.fit(*data, batch_size=4, verbose=0).history["generator_loss"] for each in (gan, loaded)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert int(loaded.step.numpy()) == 3


def test_an_export_gives_what_predict_gives(trained, tmp_path):
    name, gan, _, _ = trained
    gan.export(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "1"))
    inputs = inputs_of(name)
    given = [*inputs, np.ones(len(inputs[0]), np.float32)] if name == "style" else inputs
    np.testing.assert_allclose(served.serve(given), gan.predict(inputs, verbose=0), atol=1e-4)


def test_the_inference_model_is_one_of_the_commands(trained, tmp_path):
    name, gan, _, _ = trained
    gan.inference_model().save(tmp_path / "inference.keras")
    model = load_keras_model(tmp_path / "inference.keras")
    inputs = inputs_of(name)
    if "gan" in name and "cycle" not in name and "upscale" not in name:
        outputs = np.asarray(model(inputs))
    elif name == "style":
        unit = [each * 0.5 + 0.5 for each in inputs]
        outputs = np.asarray(model([*unit, np.ones(4, np.float32)]))
    else:
        outputs = np.asarray(model(inputs * 0.5 + 0.5))
    expected = np.clip(gan.predict(inputs, verbose=0) * 0.5 + 0.5, 0, 1)
    np.testing.assert_allclose(outputs, expected, atol=1e-4)
