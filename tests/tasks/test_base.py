"""A task with only the required members trains, resumes and evaluates."""

import dataclasses
import hashlib

import keras
import pytest
import tensorflow as tf
from noise_training import LATENTS, build_noise_batches, build_noise_networks, forward

from tfgan_app import cli, registry
from tfgan_app.layers import ToUnitRange
from tfgan_app.losses import ADVERSARIAL_LOSSES
from tfgan_app.tasks.base import Task
from tfgan_app.tasks.preset import Preset
from tfgan_app.training.task import Objective

PRESETS = {"default": Preset({"training.best_metric": "l1", "training.batch_size": 4}, summary="tiny")}


@dataclasses.dataclass(frozen=True)
class LeastConfig:
    """Settings of `LeastTask`."""

    loss: str = "non_saturating"


class LeastTask(Task):
    """The required members of a task."""

    config_class = LeastConfig
    presets = PRESETS
    metric_names = ("l1",)

    @property
    def objective(self):
        return Objective(ADVERSARIAL_LOSSES[self.config.task.loss])

    def fingerprint(self):
        return hashlib.sha256(b"noise").hexdigest()

    def build_networks(self):
        return build_noise_networks()

    def build_dataset(self, *, start_step, seed):
        return build_noise_batches(steps=self.config.training.steps, seed=seed).skip(start_step)

    def forward(self, networks, batch, training):
        return forward(networks, batch, training)

    def inference_model(self, networks):
        latents = keras.Input((LATENTS,), name="latents")
        return keras.Model(latents, ToUnitRange()(networks.generators["generator"](latents)))

    def evaluate(self, model, **auxiliary_models):
        assert not auxiliary_models
        return {"l1": float(tf.reduce_mean(model(tf.zeros([1, LATENTS]))))}


def run(arguments):
    return cli.run(cli.parse(["tfgan_app", *arguments]))


@pytest.fixture
def least(monkeypatch):
    for table, row in ((registry.TASKS, "LeastTask"), (registry.PRESETS, "PRESETS")):
        monkeypatch.setitem(table._rows, "least", f"{__name__}:{row}")


def test_defaults_are_enough_to_train_resume_and_evaluate(least, tmp_path, capsys):
    folder = ["--run-dir", str(tmp_path / "run")]
    assert run(["train", "--task", "least", "--steps", "2", *folder]) == 0
    assert run(["train", "--resume", "--steps", "3", *folder]) == 0
    assert run(["evaluate", "--run", folder[1], "--json", str(tmp_path / "found.json")]) == 0
    assert "l1" in (tmp_path / "found.json").read_text()
    assert "Traceback" not in capsys.readouterr().err
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.mark.parametrize("name", ["fingerprint", "build_networks", "build_dataset", "forward", "evaluate"])
def test_a_task_without_a_required_member_is_no_task(name):
    lacking = type("Lacking", (LeastTask,), {name: getattr(Task, name)})
    with pytest.raises(TypeError, match=name):
        lacking(None)
