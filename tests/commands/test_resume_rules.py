"""Which settings `train --resume` may change, and images left out by their kind of line."""

import dataclasses

import pytest

from tfgan_app import config as configs
from tfgan_app.commands.phases import PHASE_SETTINGS
from tfgan_app.commands.run_directory import check_resumable
from tfgan_app.commands.task_report import TaskReport
from tfgan_app.config.methods import MethodSection
from tfgan_app.config.run_config import SECTIONS
from tfgan_app.config.typed_fields import bounded, field_specs, setting
from tfgan_app.registry import TASKS
from tfgan_app.tasks.progress import LeftOut

SHARED_MAY_CHANGE = {
    "training.steps",
    "training.log_every_steps",
    "training.sample_every_steps",
    "training.validate_every_steps",
    "training.checkpoint_every_steps",
    "training.keep_checkpoints",
    "training.best_metric",
    "data.source",
    "data.cache_budget_mb",
}
NEW_PHASE = (
    "optimizer.generator_learning_rate",
    "optimizer.discriminator_learning_rate",
    "optimizer.muon_learning_rate",
    "optimizer.schedule",
    "optimizer.schedule_steps",
    "optimizer.schedule_start",
    "optimizer.warmup_steps",
)
STUDY = {
    *("min_confidence", "copy_quantile", "duplicate_share", "max_draws", "classifier_steps", "classifier_width"),
    *("study_seeds", "study_sizes", "study_synthetic", "synthetic_share", "synthetic_until", "synthetic_labels"),
    *("classic_flip", "classic_shift", "classic_scale", "classic_rotation_degrees", "classic_erase"),
}
OF_TASKS = {
    "generate": {"init_from", "feature_weights"},
    "augment": {"init_from", "feature_weights", *STUDY},
    "upscale": {"init_from", "lpips_weights", "metrics", "low_res"},
    "restore": {"init_from", "lpips_weights", "metrics"},
    "translate:paired": {"init_from", "lpips_weights", "metrics"},
    "translate:cyclegan": {"init_from", "lpips_weights", "feature_weights"},
    "translate:cut": {"init_from", "lpips_weights", "feature_weights"},
    "translate:fastcut": {"init_from", "lpips_weights", "feature_weights"},
    "translate:style": {"init_from", "styles"},
    "translate:color": {"init_from"},
}


def sections():
    for name in TASKS:
        kind = TASKS[name].config_class
        if issubclass(kind, MethodSection):
            yield from ((f"{name}:{method}", each) for method, each in kind.sections.items())
        else:
            yield name, kind


@pytest.mark.parametrize(("name", "kind"), list(sections()))
def test_what_a_resumed_run_may_change(name, kind):
    config = configs.default_config(name.partition(":")[0], kind)
    keys = [key for section in SECTIONS for key in field_specs(section, type(getattr(config, section)))]
    rules = {key: configs.resume_rule(config, key) for key in keys}
    assert {key for key, rule in rules.items() if rule == "may_change"} == SHARED_MAY_CHANGE | {
        f"task.{each}" for each in OF_TASKS[name]
    }
    assert tuple(key for key, rule in rules.items() if rule == "new_phase") == NEW_PHASE == PHASE_SETTINGS


@dataclasses.dataclass(frozen=True)
class OutsideConfig:
    """Settings of a task from outside the package."""

    seen: float = bounded(1.0, minimum=0.0)
    drawn: int = bounded(1, minimum=0, on_resume="may_change")
    shown: bool = setting(False, on_resume="may_change")


def test_a_task_from_outside_states_its_own_rules():
    saved = configs.default_config("outside", OutsideConfig)
    check_resumable(saved, configs.replace_values(saved, {"task.drawn": 5, "task.shown": True}))
    with pytest.raises(ValueError, match="computes: optimizer.beta_1 was 0.9, now 0.5; task.seen was 1.0"):
        check_resumable(
            configs.replace_values(saved, {"optimizer.beta_1": 0.9}),
            configs.replace_values(saved, {"task.seen": 2.0, "optimizer.generator_learning_rate": 1.0}),
        )


def test_the_exit_code_depends_on_the_kind_of_a_line_and_not_on_its_words(capsys):
    report = TaskReport()
    report("left out of account: nothing")
    assert report.exit_code == 0
    report(LeftOut("'a.png' is empty"))
    assert report.exit_code == 1
    assert capsys.readouterr().err.splitlines()[1] == "tfgan_app: left out: 'a.png' is empty"
