import pytest

from tfgan_app.callbacks.metrics_file import MetricsFile, read_metrics


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.csv"


def test_rows_are_appended_and_the_last_one_grows(path):
    metrics = MetricsFile(path)
    metrics.write(50, {"loss": 1.5})
    metrics.write(100, {"loss": 1.25})
    metrics.write(100, {"loss": 1})
    assert path.read_text() == "step,loss\n50,1.5\n100,1\n"


def test_columns_grow_and_rows_before_have_empty_cells(path):
    metrics = MetricsFile(path)
    metrics.write(50, {"loss": 1.5})
    metrics.write(100, {"loss": 1.0})
    metrics.write(100, {"val_psnr": 20.5})
    metrics.write(150, {"loss": 0.5})
    assert path.read_text() == "step,loss,val_psnr\n50,1.5,\n100,1,20.5\n150,0.5,\n"
    assert read_metrics(path.parent)[0] == {"step": 50, "loss": 1.5}


def test_what_is_read_back_is_what_was_kept(path):
    metrics = MetricsFile(path)
    metrics.write(1, {"loss": 1 / 3, "nan": float("nan"), "huge": 1.23456789e12})
    again = MetricsFile(path).rows[0]
    assert again["loss"] == metrics.rows[0]["loss"]
    assert again["huge"] == metrics.rows[0]["huge"]
    assert again["nan"] != again["nan"]


@pytest.mark.parametrize("tail", ["150,0", "150,0.25,1", "15", "150,0.25", "\0\0\0\0\n", "garbage,x\n", "150\n"])
def test_a_half_written_last_line_is_mended(path, tail):
    path.write_text("step,loss\n50,1.5\n100,1\n" + tail)
    metrics = MetricsFile(path)
    assert [row["step"] for row in metrics.rows] == [50, 100]
    metrics.write(150, {"loss": 0.5})
    assert path.read_text() == "step,loss\n50,1.5\n100,1\n150,0.5\n"


@pytest.mark.parametrize("content", ["", "st", "step", "step,lo", "\0\0\0"])
def test_a_half_written_header_starts_the_file_again(path, content):
    path.write_text(content)
    metrics = MetricsFile(path)
    metrics.rewind(0)
    metrics.write(1, {"loss": 2.0})
    assert path.read_text() == "step,loss\n1,2\n"


def test_rewind_drops_rows_past_the_step(path):
    metrics = MetricsFile(path)
    for step in (50, 100, 150):
        metrics.write(step, {"loss": step})
    metrics.rewind(100)
    assert path.read_text() == "step,loss\n50,50\n100,100\n"
    metrics.write(150, {"loss": 7})
    assert path.read_text() == "step,loss\n50,50\n100,100\n150,7\n"


def test_a_row_before_the_last_is_refused(path):
    metrics = MetricsFile(path)
    metrics.write(100, {"loss": 1.0})
    with pytest.raises(ValueError, match="Received: step=50"):
        metrics.write(50, {"loss": 1.0})


def test_rows_that_could_not_be_written_follow_with_the_next(path):
    metrics = MetricsFile(path)
    metrics.write(50, {"loss": 1.0})
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        metrics.write(100, {"loss": 2.0})
    path.rmdir()
    metrics.write(150, {"loss": 3.0})
    assert [row["step"] for row in read_metrics(path.parent)] == [50, 100, 150]
