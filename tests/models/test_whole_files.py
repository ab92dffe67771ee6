"""GANs saved whole: `load`, the commands and Keras read the file; code that it names is not run."""

import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

import tfgan_app
from tfgan_app import models

RNG = np.random.default_rng(0)
SMALL = {"generator_width": 8, "discriminator": "patchgan_16", "discriminator_width": 8, "image_size": 32}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A GAN and its file."""
    gan = models.Pix2Pix(**SMALL)
    path = tmp_path_factory.mktemp("whole") / "gan.keras"
    gan.save(path)
    return gan, path


def test_load_takes_the_averaged_generator_of_a_whole_gan(saved):
    gan, path = saved
    image = RNG.random((24, 40, 3), np.float32)
    expected = gan(image[None] * 2.0 - 1.0).numpy()[0] / 2.0 + 0.5
    np.testing.assert_allclose(tfgan_app.load(path).predict(image), np.clip(expected, 0, 1), atol=1e-5)


@pytest.mark.large
def test_a_fresh_process_loads_it(saved):
    code = f"import tfgan_app; print(tfgan_app.load({str(saved[1])!r}).info.kind)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "images\n", done.stderr


def test_a_file_that_names_code_is_refused_in_safe_mode(saved, tmp_path):
    path = tmp_path / "evil.keras"
    with zipfile.ZipFile(saved[1]) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["adversarial_loss"] = "os:abort"
                content = json.dumps(config).encode()
            after.writestr(name, content)
    with pytest.raises(ValueError, match="names code to import: 'os:abort'"):
        keras.models.load_model(path)
    with pytest.raises(ValueError, match="names code to import: 'os:abort'"):
        tfgan_app.load(path)


def test_a_class_name_from_a_file_imports_nothing(tmp_path):
    path = tmp_path / "odd.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"registered_name": "tfgan_app>os:abort"}))
    with pytest.raises(ValueError, match=r"Cannot load the Keras model"):
        tfgan_app.load(path)
