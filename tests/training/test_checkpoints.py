"""Checkpoints: exact, atomic, verified, and the right number of them."""

import errno

import numpy as np
import pytest
from tiny_training import build_batches, build_tiny_trainer

from tfgan_app.training.checkpoints import Checkpoints, state_variables


def state(trainer):
    return {name: np.asarray(v.value) for name, v in state_variables(trainer).items()}


def assert_same_state(a, b):
    assert a.keys() == b.keys()
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)


def train(trainer, dataset):
    trainer.fit(dataset, epochs=1, shuffle=False, verbose=0)


def nothing_is_damaged(path, reason):
    pytest.fail(f"{path}: {reason}")


@pytest.fixture
def trained(tmp_path):
    """A trainer with checkpoints of steps 4 and 8."""
    trainer, checkpoints = build_tiny_trainer(), Checkpoints(tmp_path, keep=3)
    for seed in range(2):
        train(trainer, build_batches(seed=seed))
        checkpoints.save(trainer)
    return trainer, checkpoints


def test_restored_training_continues_as_if_never_stopped(trained):
    trainer, checkpoints = trained
    resumed = build_tiny_trainer(seed=5)
    assert checkpoints.restore(resumed, on_damaged=nothing_is_damaged) == 8
    assert_same_state(state(trainer), state(resumed))
    for each in (trainer, resumed):
        train(each, build_batches(seed=2))
    assert_same_state(state(trainer), state(resumed))


def test_float16_loss_scale_is_part_of_the_state(tmp_path):
    trainer, checkpoints = build_tiny_trainer(precision="mixed_float16"), Checkpoints(tmp_path)
    trainer.generator_optimizer.dynamic_scale.assign(12.0)
    checkpoints.save(trainer)
    resumed = build_tiny_trainer(precision="mixed_float16")
    checkpoints.restore(resumed, on_damaged=nothing_is_damaged)
    assert float(resumed.generator_optimizer.dynamic_scale) == 12.0


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_damaged_checkpoint_is_set_aside_and_the_one_before_used(trained, damage):
    _, checkpoints = trained
    newest = checkpoints.paths()[-1]
    data = bytearray(newest.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
    newest.write_bytes({"flip": bytes(data), "truncate": bytes(data[: len(data) // 2]), "empty": b""}[damage])
    damaged = []
    step = checkpoints.restore(build_tiny_trainer(), on_damaged=lambda path, reason: damaged.append(path.name))
    assert step == 4
    assert damaged == ["step-0000008.npz"]
    assert [path.name for path in checkpoints.paths()] == ["step-0000004.npz"]
    assert newest.with_suffix(".damaged").exists()


def test_checkpoints_of_other_networks_are_refused_and_kept(trained):
    _, checkpoints = trained
    other = build_tiny_trainer()
    other.networks.generators["second"] = other.networks.generators["generator"]
    with pytest.raises(ValueError, match="must hold the variables of the configuration's networks"):
        checkpoints.restore(other, on_damaged=nothing_is_damaged)
    assert len(checkpoints.paths()) == 2


def test_no_damage_of_a_byte_is_loaded_or_crashes(trained):
    trainer, checkpoints = trained
    newest, states = checkpoints.paths()[-1], {8: state(trainer)}
    sound = newest.read_bytes()
    newest.unlink()
    checkpoints.restore(trainer, on_damaged=nothing_is_damaged)
    states[4] = state(trainer)
    for seed in range(40):
        rng, data = np.random.default_rng(seed), bytearray(sound)
        # Half of the damage in the directory at the end, where a zip archive describes itself.
        place = rng.integers(len(data) - 4000, len(data)) if seed % 2 else rng.integers(len(data))
        data[place] ^= rng.integers(1, 256)
        newest.write_bytes(bytes(data))
        assert_same_state(states[checkpoints.restore(trainer, on_damaged=lambda *_: None)], state(trainer))


def test_no_good_checkpoint_is_none(tmp_path):
    (tmp_path / "step-0000001.npz").write_bytes(b"not a checkpoint")
    assert Checkpoints(tmp_path).restore(build_tiny_trainer(), on_damaged=lambda *_: None) is None


def test_a_full_disk_leaves_the_earlier_checkpoints(trained, monkeypatch):
    trainer, checkpoints = trained
    train(trainer, build_batches())

    def full(file, **arrays):
        file.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(trainer)
    names = sorted(path.name for path in checkpoints.directory.iterdir())
    assert names == ["step-0000004.npz", "step-0000008.npz"]


def test_only_the_newest_are_kept_and_leftovers_of_kills_removed(trained):
    trainer, checkpoints = trained
    checkpoints.keep = 2
    (checkpoints.directory / ".tmp-of-a-killed-process.npz").write_bytes(b"half")
    train(trainer, build_batches())
    checkpoints.save(trainer)
    assert sorted(path.name for path in checkpoints.directory.iterdir()) == ["step-0000008.npz", "step-0000012.npz"]


def test_checkpoints_hold_no_pickles(trained):
    _, checkpoints = trained
    with np.load(checkpoints.paths()[-1], allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fiu" for name in archive.files)
