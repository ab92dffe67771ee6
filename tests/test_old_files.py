"""Models that 0.6.0 saved, one of each network with small random weights: they load and give what they gave then."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

import tfgan_app.layers  # noqa: F401  (registers the layers)

FOLDER = Path(__file__).parent / "goldens" / "v0_6"
NAMES = sorted(path.stem for path in FOLDER.glob("*.keras"))


@pytest.fixture(scope="module")
def values():
    with np.load(FOLDER / "values.npz") as stored:
        return dict(stored)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_0_6_loads_and_gives_what_it_gave(name, values):
    model = keras.models.load_model(FOLDER / f"{name}.keras", compile=False, safe_mode=True)
    inputs = [values[f"{name}/input_{index}"] for index in range(len(model.inputs))]
    output = np.asarray(model(inputs if len(inputs) > 1 else inputs[0], training=False))
    np.testing.assert_allclose(output, values[f"{name}/output_0"], atol=2e-5)
