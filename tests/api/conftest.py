"""One tiny run for all tests of the Python interface."""

from __future__ import annotations

import pytest
from small_run import TINY, write_pairs

import tfgan_app as tfgan


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    settings = {key: value for key, value in TINY.items() if key.startswith(("task.", "training.validate"))}
    settings |= {"training.log_every_steps": 2, "training.sample_every_steps": 2}
    return tfgan.train(
        "translate",
        data=write_pairs(folder / "pairs"),
        steps=4,
        image_size=16,
        batch_size=4,
        run_dir=folder / "run",
        set=settings,
    )
