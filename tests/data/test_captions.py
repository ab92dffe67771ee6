"""Captions of images in folders."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tfgan_app.data.captions import with_captions
from tfgan_app.data.opening import open_labeled
from tfgan_app.image_io.loading import write_image


def write_images(folder, *names):
    for name in names:
        write_image(folder / name, np.zeros((8, 8, 3), np.uint8))


def captions_of(folder):
    found = with_captions(open_labeled(folder, val_fraction=0.0))
    split = found.images.train
    return {name: found.captions[label] for name, label in zip(split.names, split.labels, strict=True)}, found


def test_metadata_as_json_lines(tmp_path):
    write_images(tmp_path, "a.png", "b.png", "c.png")
    rows = [{"file_name": "a.png", "text": "a red  apple"}, {"file_name": "b.png", "text": "ein Bär", "id": 3}]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    captions, found = captions_of(tmp_path)
    assert captions == {"a": "a red apple", "b": "ein Bär"}
    assert (found.without, found.captions) == (1, ("a red apple", "ein Bär"))
    assert "with captions" in found.images.layout and found.images.class_names == ()


def test_metadata_as_csv_in_each_split(tmp_path):
    for split, text in (("train", 'one, "quoted"'), ("val", "two")):
        write_images(tmp_path / split, "x.png", "sub/y.png")
        quoted = text.replace('"', '""')
        lines = ["file_name,text", f'x.png,"{quoted}"', f"sub/y.png,{split} y"]
        (tmp_path / split / "metadata.csv").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    found = with_captions(open_labeled(tmp_path))
    assert found.captions == ('one, "quoted"', "train y", "two", "val y")
    assert len(found.images.train) == len(found.images.val) == 2


def test_text_beside_each_image_and_metadata_before_it(tmp_path):
    write_images(tmp_path, "a.png", "b.png", "deep/c.png")
    (tmp_path / "a.txt").write_text("from a.txt\nsecond line")
    (tmp_path / "b.txt").write_text("from b.txt")
    (tmp_path / "deep" / "c.txt").write_text("c")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "b.png", "text": "from metadata"}\n')
    captions, _ = captions_of(tmp_path)
    assert captions == {"a": "from a.txt second line", "b": "from metadata", "deep/c": "c"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metadata.jsonl", b'{"file_name": "a.png", "text": "x"}\n{oops', r"Line 2 of '.*metadata\.jsonl' is not JSON"),
        (
            "metadata.jsonl",
            b'{"file_name": "a.png", "caption": "x"}',
            "Line 1 .* `file_name` and `text`. Received: file_name, caption",
        ),
        ("metadata.jsonl", b'{"file_name": "a.png", "text": 3}', "must have the texts"),
        ("metadata.jsonl", b"[1]", "Received: list"),
        ("metadata.csv", b"name,text\na.png,x", "Line 2 .* Received: name, text"),
        ("metadata.csv", b'file_name,text\na.png,"x', "as CSV"),
        ("metadata.csv", b"file_name,text\na.png", "Line 2"),
        ("metadata.csv", b"\xff\xfe", "must be text in UTF-8"),
        ("metadata.csv", b"file_name,text\n", "There are no captions in .* Expected a metadata.jsonl"),
        ("other.json", b"", "There are no captions in"),
    ],
)
def test_damaged_captions_are_one_line(tmp_path, name, content, message):
    write_images(tmp_path, "a.png", "b.png")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        captions_of(tmp_path)
    assert "\n" not in str(caught.value)
