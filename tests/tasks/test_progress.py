"""Progress messages of long reading; short reading is silent."""

from tfgan_app.tasks import progress


def test_progress_is_said_every_few_seconds(monkeypatch):
    now, lines = [0.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    on_progress = progress.progress_reporter(lines.append, "loaded")
    for done in range(1, 4):
        now[0] += 3.0
        on_progress(done, 3000)
    assert lines == ["loaded 2 of 3,000"]
