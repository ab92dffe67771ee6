"""Tasks with several methods: each has its own settings, and one of another method is refused by name."""

import dataclasses
import json

import pytest

from tfgan_app import config as configs
from tfgan_app.commands.run_directory import check_resumable
from tfgan_app.tasks.translate.config import TranslateConfig

METHODS = ("paired", "cyclegan", "cut", "fastcut", "style", "color")
OWNERS = {
    "l1_weight": ("paired",),
    "metrics": ("paired",),
    "perceptual_weight": ("paired",),
    "perceptual_weights": ("paired", "style"),
    "cycle_weight": ("cyclegan",),
    "pool_size": ("cyclegan",),
    "nce_weight": ("cut", "fastcut"),
    "nce_identity_share": ("cut",),
    "flip_equivariance": ("cut", "fastcut"),
    "features": ("cyclegan", "cut", "fastcut"),
    "styles": ("style",),
    "decoder_width": ("style",),
    "direction": ("paired", "cyclegan", "cut", "fastcut"),
    "generator": ("paired", "cyclegan", "cut", "fastcut"),
    "max_scale": ("paired", "cyclegan", "cut", "fastcut"),
    "init_from": METHODS,
    "horizontal_flip": METHODS,
}


def resolve(*overrides, **options):
    return configs.resolve_config("translate", TranslateConfig, overrides=overrides, **options)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_has_its_own_settings_alone(method):
    task = resolve(f"task.method={method}").task
    assert task.method == method
    assert type(task) is TranslateConfig.sections[method]
    names = {field.name for field in dataclasses.fields(task)}
    for name, owners in OWNERS.items():
        assert (name in names) == (method in owners), name


@pytest.mark.parametrize(
    ("method", "override", "owners"),
    [
        ("cut", "task.cycle_weight=3", "cyclegan"),
        ("style", "task.generator=unet", "paired or cyclegan or cut or fastcut"),
        ("fastcut", "task.nce_identity_share=0.5", "cut"),
        ("paired", "task.nce_weight=2", "cut or fastcut"),
        ("cyclegan", "task.perceptual_weights=vgg.npz", "paired or style"),
        ("cut", "task.metrics=mine:METRIC", "paired"),
    ],
)
def test_a_setting_of_another_method_is_refused_with_its_methods(method, override, owners):
    key, _, value = override.partition("=")
    for order in ((override, f"task.method={method}"), (f"task.method={method}", override)):
        with pytest.raises(
            ValueError, match=rf"^`{key}` is for `task.method` {owners}\. Received: .* for {method}; leave"
        ):
            resolve(*order)
    with pytest.raises(ValueError, match=rf"^`{key}` is for `task.method` {owners}\."):
        resolve(f"task.method={method}", preset={key: value})


def test_the_last_method_holds_for_the_values_of_all_layers(tmp_path):
    (tmp_path / "part.json").write_text(json.dumps({"task": {"method": "cut", "nce_patches": 32}}))
    config = resolve(
        "task.method=cyclegan", "task.nce_dim=9", "task.method=fastcut", config_file=tmp_path / "part.json",
        preset={"task.method": "fastcut", "task.nce_weight": 4},
    )  # fmt: skip
    task = config.task
    assert (task.method, task.nce_patches, task.nce_dim, task.nce_weight) == ("fastcut", 32, 9, 4.0)


def test_another_method_keeps_what_was_set():
    cut = resolve("task.method=cut", "task.nce_dim=9", "task.max_scale=2")
    fast = configs.replace_values(cut, {"task.method": "fastcut"}).task
    assert (fast.method, fast.nce_dim, fast.max_scale) == ("fastcut", 9, 2.0)
    with pytest.raises(ValueError, match="`task.nce_dim` is for `task.method` cut or fastcut. Received: 9 for paired"):
        configs.replace_values(cut, {"task.method": "paired"})


@pytest.mark.parametrize("method", METHODS)
def test_the_configuration_of_each_method_comes_back_from_json(method):
    config = resolve(f"task.method={method}", "task.real_label=0.9")
    assert configs.from_dict(json.loads(configs.to_json(config)), TranslateConfig) == config


def test_unknown_methods_and_keys_name_the_known_ones():
    with pytest.raises(ValueError, match="`task.method` must be 'paired' or 'cyclegan' or .*Received: 'cutt'"):
        resolve("task.method=cutt")
    with pytest.raises(ValueError, match="Did you mean 'task.nce_patches'.*task.cycle_weight"):
        resolve("task.nce_patchs=3")


def test_a_resumed_run_of_another_method_is_refused_by_its_method_alone():
    with pytest.raises(ValueError, match="computes: task.method was 'paired', now 'cut'. Leave"):
        check_resumable(resolve("task.method=paired"), resolve("task.method=cut"))


def test_a_file_with_the_defaults_of_other_methods_is_read_and_others_are_refused():
    """Files of version 0.7.0 hold the settings of all methods."""
    cut = {"method": "cut", "nce_patches": 32, "nce_weight": None, "l1_weight": 100.0, "metrics": [], "styles": None}
    config = configs.from_dict({"task_name": "translate", "task": cut}, TranslateConfig)
    assert (config.task.method, config.task.nce_patches) == ("cut", 32)
    with pytest.raises(ValueError, match="`task.l1_weight` is for `task.method` paired. Received: 5.0 for cut"):
        configs.from_dict({"task_name": "translate", "task": cut | {"l1_weight": 5.0}}, TranslateConfig)
