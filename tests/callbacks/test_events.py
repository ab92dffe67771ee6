import json
import sys

from tfgan_app.callbacks.events import EventLog, read_events


def test_events_are_said_and_read_back(tmp_path, capsys):
    log = EventLog(tmp_path / "run")
    log.record(5, "warning", "two\nlines ü")
    log.record(9, "info", "done")
    assert capsys.readouterr().err.splitlines() == [
        "tfgan_app: warning at step 5: two lines ü",
        "tfgan_app: info at step 9: done",
    ]
    events = read_events(tmp_path / "run")
    assert [(event["step"], event["kind"], event["message"]) for event in events] == [
        (5, "warning", "two\nlines ü"),
        (9, "info", "done"),
    ]


def test_a_line_cut_short_by_a_crash_costs_only_itself(tmp_path):
    log = EventLog(tmp_path)
    log.record(1, "info", "first")
    with open(log.path, "a") as file:
        file.write('{"step": 2, "ki')
    log.record(3, "info", "third")
    assert [event["step"] for event in read_events(tmp_path)] == [1, 3]


def test_lines_of_another_shape_are_left_out(tmp_path):
    (tmp_path / "events.jsonl").write_text("3\n[]\n{}\n" + json.dumps({"step": 1, "kind": "info", "message": ""}))
    assert len(read_events(tmp_path)) == 1
    assert read_events(tmp_path / "nowhere") == []


def test_neither_a_full_disk_nor_a_lost_console_ends_a_run(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    EventLog(tmp_path / "file" / "run").record(1, "error", "disk full")
    said = capsys.readouterr().err
    assert "disk full" in said
    assert "could not write" in said
    monkeypatch.setattr(sys, "stderr", None)
    EventLog(tmp_path).record(1, "error", "unheard")
    assert read_events(tmp_path)[0]["message"] == "unheard"
