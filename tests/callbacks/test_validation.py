import pytest

from tfgan_app.callbacks.metrics_file import read_metrics
from tfgan_app.callbacks.scalars import ScalarLog
from tfgan_app.callbacks.validation import Validation, is_better


def run(model, run_dir, values, *, steps, initial_step=0, metric="psnr", **options):
    """Validates at every step, the metric taking `values` one by one; returns the steps that were best."""
    best, remaining = [], iter(values)
    log = ScalarLog(run_dir, 2, 4)
    validation = Validation(
        1,
        lambda: {metric: next(remaining), "copy_psnr": 18.0},
        log,
        best_metric=metric,
        on_best=lambda step, values: best.append(step),
        **options,
    )
    model.run([log, validation], steps=steps, initial_step=initial_step)
    return best


def test_values_are_logged_and_the_best_is_told(tmp_path, tiny_model):
    assert run(tiny_model, tmp_path, [10, 12, 11, 12, 13], steps=5) == [1, 2, 5]
    rows = read_metrics(tmp_path)
    assert [row["val_psnr"] for row in rows] == [10, 12, 11, 12, 13]
    assert rows[3]["val_copy_psnr"] == 18
    assert rows[3]["generator_loss"] == 3.5


def test_the_best_holds_across_a_resume(tmp_path, tiny_model):
    run(tiny_model, tmp_path, [10, 12, 99], steps=3)
    assert run(tiny_model, tmp_path, [11, 12.5], steps=4, initial_step=2) == [4]


def test_errors_are_best_when_low_and_nan_never_is(tmp_path, tiny_model):
    assert run(tiny_model, tmp_path, [float("nan"), 0.3, 0.4, 0.2], steps=4, metric="l1") == [2, 4]
    assert is_better("ssim", 0.1, float("nan"))
    assert not is_better("ssim", float("nan"), 0.1)


def test_the_last_step_is_validated(tmp_path, tiny_model):
    seen = []
    log = ScalarLog(tmp_path, 2, 4)
    listener = lambda step, values: seen.append((step, values["psnr"]))  # noqa: E731
    validation = Validation(2, lambda: {"psnr": 1.0}, log, best_metric="psnr", listeners=(listener,))
    tiny_model.run([log, validation], steps=5)
    assert seen == [(2, 1.0), (4, 1.0), (5, 1.0)]


def test_an_unknown_best_metric_lists_the_valid_ones(tmp_path, tiny_model):
    validation = Validation(1, lambda: {"psnr": 1.0}, ScalarLog(tmp_path, 1, 1), best_metric="sim")
    with pytest.raises(ValueError, match=r"one of \['psnr'\]. Received: best_metric='sim'"):
        tiny_model.run([validation], steps=1)


def test_a_best_checkpoint_that_cannot_be_saved_is_told(tmp_path, tiny_model):
    def disk_full(step, values):
        raise OSError(28, "No space left on device")

    said = []
    log = ScalarLog(tmp_path, 1, 1)
    validation = Validation(
        1,
        lambda: {"psnr": 1.0},
        log,
        best_metric="psnr",
        on_best=disk_full,
        record=lambda *event: said.append(event),
    )
    assert tiny_model.run([log, validation], steps=1) == 1
    assert said[0][1] == "error"
