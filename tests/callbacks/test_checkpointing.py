import tensorflow as tf

from tfgan_app.callbacks.checkpointing import Checkpointing


def test_saves_when_due_and_always_at_the_end(tiny_model):
    saved = []
    tiny_model.run([Checkpointing(2, saved.append)], steps=5)
    assert saved == [2, 4, 5]


def test_saves_once_when_the_end_is_due_and_when_interrupted(tiny_model):
    saved = []
    tiny_model.run([Checkpointing(2, saved.append)], steps=4)
    tiny_model.at_step[7] = lambda: setattr(tiny_model, "stop_training", True)
    tiny_model.run([Checkpointing(4, saved.append)], steps=12, initial_step=4)
    assert saved == [2, 4, 7]


def test_a_full_disk_costs_a_checkpoint_not_the_run(tiny_model):
    said, saved = [], []

    def save(step):
        if step == 2:
            raise OSError(28, "No space left on device")
        if step == 4:
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")
        saved.append(step)

    checkpointing = Checkpointing(2, save, record=lambda *event: said.append(event))
    assert tiny_model.run([checkpointing], steps=6) == 6
    assert saved == [6]
    assert [(step, kind) for step, kind, _ in said] == [(2, "error"), (4, "error")]
    assert "No space left" in said[0][2]
    assert (checkpointing.saved_step, checkpointing.failed_step) == (6, None)
