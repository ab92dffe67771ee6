"""The configuration: overrides, checks, precedence and the JSON round trip."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Literal

import pytest

from tfgan_app.config import (
    FLAG_FIELDS,
    apply_overrides,
    default_config,
    diff,
    from_dict,
    load_json,
    replace_values,
    resolve_config,
    to_dict,
    to_json,
)
from tfgan_app.config.sections import Background, DataConfig
from tfgan_app.config.typed_fields import bounded


@dataclasses.dataclass(frozen=True)
class PaintConfig:
    direction: Literal["a2b", "b2a"] = "a2b"
    l1_weight: float = bounded(100.0, minimum=0.0)
    weights: str | None = None
    flip: bool = True
    scales: tuple[float, ...] = (1.0,)
    size: tuple[int, int] = (4, 8)
    depth: int | Literal["auto"] = "auto"


@pytest.fixture
def config():
    return default_config("paint", PaintConfig)


@pytest.mark.parametrize(
    ("assignment", "section", "expected"),
    [
        ("task.direction=b2a", "task", {"direction": "b2a"}),
        ("task.l1_weight=10", "task", {"l1_weight": 10.0}),
        ("task.l1_weight=1e-3", "task", {"l1_weight": 0.001}),
        ("task.weights=heads=2.npz", "task", {"weights": "heads=2.npz"}),
        ("task.weights=123", "task", {"weights": "123"}),
        ("task.weights=none", "task", {"weights": None}),
        ("task.flip=False", "task", {"flip": False}),
        ("task.scales=0.5,1,2", "task", {"scales": (0.5, 1.0, 2.0)}),
        ("task.scales=[.5]", "task", {"scales": (0.5,)}),
        ("task.scales=", "task", {"scales": ()}),
        ("task.size=3,5", "task", {"size": (3, 5)}),
        ("task.depth=5", "task", {"depth": 5}),
        ("task.depth=auto", "task", {"depth": "auto"}),
        ("training.strategy=none", "training", {"strategy": "none"}),
        ("optimizer.clip_norm=none", "optimizer", {"clip_norm": None}),
        ("optimizer.clip_norm=1", "optimizer", {"clip_norm": 1.0}),
        (" training.steps = 7 ", "training", {"steps": 7}),
    ],
)
def test_overrides_are_read_by_the_type_of_their_field(config, assignment, section, expected):
    changed = apply_overrides(config, [assignment])
    assert getattr(changed, section) == dataclasses.replace(getattr(config, section), **expected)
    ((name, value),) = expected.items()
    assert type(getattr(getattr(changed, section), name)) is type(value)


def test_overrides_apply_in_order_and_leave_the_original(config):
    assert apply_overrides(config, ["training.steps=5", "training.steps=6"]).training.steps == 6
    assert config.training.steps == 2000


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("task.direction=c2d", "`task.direction` must be 'a2b' or 'b2a'. Received: 'c2d'."),
        ("training.steps=many", "`training.steps` must be an integer, at least 1. Received: 'many'."),
        ("training.steps=0", "`training.steps` must be an integer, at least 1. Received: 0."),
        ("training.steps=1.5", "`training.steps` must be an integer, at least 1. Received: '1.5'."),
        ("training.steps=true", "`training.steps` must be an integer, at least 1. Received: 'true'."),
        ("training.ema_decay=1", "must be a number, at least 0.0 and less than 1.0. Received: 1.0."),
        ("optimizer.clip_norm=-1", "must be a number or none, greater than 0.0. Received: -1.0."),
        ("optimizer.beta_1=nan", "`optimizer.beta_1` must be a number"),
        ("task.flip=maybe", "`task.flip` must be true or false. Received: 'maybe'."),
        ("task.size=3", "`task.size` must be 2 values separated by commas, each an integer. Received: '3'."),
        (
            "task.scales=1,x",
            "`task.scales` must be values separated by commas, each a number. Received: '1,x'.",
        ),
        (
            "training.steps",
            "`--set` expects KEY=VALUE, as in training.steps=500. Received: 'training.steps'.",
        ),
    ],
)
def test_an_override_that_does_not_fit_says_what_was_expected(config, assignment, message):
    with pytest.raises(ValueError) as caught:
        apply_overrides(config, [assignment])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("training.step", "training.steps"),
        ("steps", "training.steps"),
        ("data.steps", "training.steps"),
        ("task.l1_wieght", "task.l1_weight"),
    ],
)
def test_an_unknown_key_names_the_nearest(config, key, nearest):
    with pytest.raises(ValueError, match=f"Unknown configuration key '{key}'.*Did you mean '{nearest}'"):
        apply_overrides(config, [f"{key}=1"])


def test_an_unknown_key_lists_the_valid_ones(config):
    with pytest.raises(ValueError, match="Valid keys: task.direction, task.l1_weight, .*, task.depth.$"):
        apply_overrides(config, ["task.zzz=1"])
    with pytest.raises(ValueError, match="Valid keys: data.source, .*training.steps, .*task.depth.$"):
        apply_overrides(config, ["zzz.qqq=1"])


def test_values_from_python_are_checked_as_well(config):
    assert replace_values(config, {"task.l1_weight": 5}).task.l1_weight == 5.0
    with pytest.raises(ValueError, match="`task.flip` must be true or false. Received: 1."):
        replace_values(config, {"task.flip": 1})
    with pytest.raises(ValueError, match="`training.steps` must be an integer"):
        replace_values(config, {"training.steps": "100"})


def test_json_round_trip_is_exact(config):
    changed = apply_overrides(config, ["task.scales=0.1,0.2", "data.source=Bilder/Übung", "task.direction=b2a"])
    assert from_dict(json.loads(to_json(changed)), PaintConfig) == changed
    assert to_dict(changed)["task"]["scales"] == [0.1, 0.2]


def test_json_of_another_program_is_refused_by_name(config):
    values = to_dict(config)
    with pytest.raises(ValueError, match="Unknown configuration key 'training.epochs'"):
        from_dict({**values, "training": {"epochs": 3}}, PaintConfig)
    with pytest.raises(ValueError, match="Unknown configuration key 'training'"):
        from_dict({**values, "training": 3}, PaintConfig)
    with pytest.raises(ValueError, match="`task_name` must be the name of a task. Received: None."):
        from_dict({}, PaintConfig)


def test_diff_names_what_differs(config):
    changed = apply_overrides(config, ["training.steps=5", "task.weights=x"])
    assert diff(config, changed) == {"training.steps": (2000, 5), "task.weights": (None, "x")}
    assert diff(config, config) == {}
    assert diff(config, default_config("other", PaintConfig)) == {"task_name": ("paint", "other")}


def test_precedence(tmp_path):
    file = tmp_path / "some.json"
    file.write_text('{"task_name": "paint", "training": {"batch_size": 3, "seed": 3, "steps": 3}}')
    resolved = resolve_config(
        "paint",
        PaintConfig,
        preset={"training.batch_size": 2, "training.seed": 2, "training.steps": 2, "task.l1_weight": 2},
        config_file=file,
        flags={"steps": 4, "seed": 4, "precision": None, "task": "paint", "run_dir": "x"},
        overrides=["training.seed=5"],
    )
    training = resolved.training
    assert (resolved.task.l1_weight, training.batch_size, training.steps, training.seed) == (2.0, 3, 4, 5)
    assert training.precision == "auto"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be a JSON file"),
        ("[1]", "must contain a JSON object. Received: list."),
        ('{"task_name": "upscale"}', "must be for task 'paint'. Received: task_name='upscale'."),
        ('{"training": {"steps": "5"}}', "`training.steps` must be an integer"),
    ],
)
def test_a_bad_configuration_file_gets_one_line(tmp_path, content, message):
    file = tmp_path / "bad.json"
    file.write_text(content)
    with pytest.raises(ValueError) as caught:
        resolve_config("paint", PaintConfig, config_file=file)
    assert message in str(caught.value)


def test_a_configuration_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_json(tmp_path / "none.json")


def test_a_source_folder_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve_config("paint", PaintConfig, flags={"data": "pics"}).data.source == str(tmp_path / "pics")
    assert resolve_config("paint", PaintConfig, flags={"data": "keras:mnist"}).data.source == "keras:mnist"
    assert resolve_config("paint", PaintConfig).data.source is None


def test_every_flag_sets_a_field_that_exists(config):
    keys = {
        f"{section}.{key}" for section, values in to_dict(config).items() if section != "task_name" for key in values
    }
    assert set(FLAG_FIELDS.values()) <= keys


def test_every_background_has_a_color():
    for name in typing.get_args(Background):
        assert len(DataConfig(background=name).background_rgb) == 3


def test_an_input_range_must_rise(config):
    assert apply_overrides(config, ["data.input_range=0,4095"]).data.input_range == (0.0, 4095.0)
    assert apply_overrides(config, ["data.input_range=none"]).data.input_range is None
    with pytest.raises(ValueError, match=r"`data.input_range` must be LOW,HIGH with LOW below HIGH. Received: 5,5"):
        apply_overrides(config, ["data.input_range=5,5"])
    with pytest.raises(ValueError, match=r"`data.input_range` must be .*2 values separated by commas"):
        apply_overrides(config, ["data.input_range=5"])
    values = to_dict(apply_overrides(config, ["data.input_range=0,4095"]))
    assert from_dict(values, PaintConfig).data.input_range == (0.0, 4095.0)
    with pytest.raises(ValueError, match="LOW below HIGH"):
        from_dict(values | {"data": {"input_range": [2, 1]}}, PaintConfig)
