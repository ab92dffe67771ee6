import io
import os

import pytest

from tfgan_app.callbacks import progress
from tfgan_app.callbacks.progress import ProgressBar
from tfgan_app.durations import format_seconds


class Terminal(io.StringIO):
    def isatty(self):
        return True


def logs_of(text):
    return text.replace("\r\x1b[K", "\n").split("\n")


def test_a_terminal_gets_one_line_that_overwrites_itself(tiny_model, monkeypatch):
    monkeypatch.setattr(progress, "TERMINAL_EVERY_SECONDS", 0.0)
    stream = Terminal()
    tiny_model.run([ProgressBar(6, 4, stream)], steps=6)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    last = logs_of(text)[-2]
    assert last.startswith("step 6/6 [====================] 100%  G ")
    assert "images/s" in last
    assert last.endswith("ETA 0:00")


def test_a_file_gets_few_lines(tiny_model):
    stream = io.StringIO()
    tiny_model.run([ProgressBar(30, 4, stream)], steps=30)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("step 1/30")
    assert lines[1].startswith("step 30/30 100%")
    assert "\r" not in stream.getvalue()


@pytest.mark.parametrize("columns", [1, 10, 40])
def test_a_narrow_terminal_is_never_filled(tiny_model, monkeypatch, columns):
    monkeypatch.setattr(progress, "TERMINAL_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((columns, 5)))
    stream = Terminal()
    stream.fileno = lambda: 2
    tiny_model.run([ProgressBar(3, 4, stream)], steps=3)
    assert max(map(len, logs_of(stream.getvalue()))) == max(columns - 1, 1)


def test_a_stream_that_goes_away_does_not_end_the_run(tiny_model):
    stream = Terminal()
    stream.close()
    assert tiny_model.run([ProgressBar(3, 4, stream)], steps=3) == 3


def test_logs_may_be_missing(tiny_model):
    stream = io.StringIO()
    bar = ProgressBar(10, 4, stream)
    bar.set_model(tiny_model)
    bar.on_train_begin()
    bar.on_train_batch_end(0, None)
    assert stream.getvalue() == "step 1/10 10%\n"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (7325, "2:02:05")])
def test_durations(seconds, text):
    assert format_seconds(seconds) == text
