"""The commands that the studio's forms stand for: each one is what the command line takes."""

from __future__ import annotations

import pytest

from tfgan_app import cli
from tfgan_app.studio import requests
from tfgan_app.studio.requests import PredictRequest, TrainRequest


def check(arguments, expected):
    assert " ".join(arguments) == expected
    assert cli.parse(["tfgan_app", *arguments]).command == expected.split()[0]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (PredictRequest(["upscale_x4"]), "predict --model upscale_x4 --input in --output out"),
        (
            PredictRequest(["restore", "upscale_x4"], size="Width in pixels", amount=3840.0),
            "predict --model restore --model upscale_x4 --input in --output out --output-width 3840",
        ),
        (
            PredictRequest(["a"], size="Times the input", amount=1.5, format="jpg", quality=80, wrap=True),
            "predict --model a --input in --output out --output-scale 1.5 --output-format jpg --quality 80 --wrap",
        ),
        (
            PredictRequest(["a"], fidelity=0.25),
            "predict --model a --input in --output out --set=fidelity=0.25",
        ),
        (
            PredictRequest(["a"], style="s.png", strength=0.5),
            "predict --model a --input in --output out --style s.png --set=strength=0.5",
        ),
        (PredictRequest(["a"], mask="m.png"), "predict --model a --input in --output out --mask m.png"),
    ],
)
def test_predict(request_, expected):
    check(request_.arguments("in", "out"), expected)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (PredictRequest([]), "Choose a model first"),
        (PredictRequest(["a"], size="Times the input", amount=0.0), "a number above 0 is expected"),
        (PredictRequest(["a"], size="Height in pixels", amount=-4.0), "Received: -4.0"),
    ],
)
def test_predict_refuses_what_is_not_stated(request_, message):
    with pytest.raises(ValueError, match=message):
        request_.arguments("in", "out")


def test_train():
    check(TrainRequest("translate", "runs/a").arguments(), "train --task translate --run-dir runs/a")
    full = TrainRequest(
        "upscale",
        "runs/b",
        data="photos",
        preset="gan",
        steps=10,
        batch_size=2,
        image_size=32,
        settings=["task.scale=2"],
    )
    common = "--preset gan --steps 10 --batch-size 2 --image-size 32 --set=task.scale=2"
    check(full.arguments(), f"train --task upscale --data photos --run-dir runs/b {common}")
    check(full.arguments(dry_run=True), f"train --task upscale --data photos {common} --dry-run")
    check(requests.resume_arguments("runs/b"), "train --run-dir runs/b --resume")


def test_export_and_generate():
    check(
        requests.export_arguments("r", format="tflite", quantize="int8", output="o", name="n"),
        "export --run r --format tflite --output o --name n --quantize int8",
    )
    check(
        requests.generate_arguments("r", "o", count=4, seed=7, classes=["cat"], truncation=0.5),
        "predict --model r --output o --count 4 --seed 7 --class=cat --truncation 0.5",
    )
