"""Class names from users, and class folders for any file system."""

from __future__ import annotations

import pytest

from tfgan_app.inference.class_folders import class_folders, find_class


@pytest.mark.parametrize(
    ("wanted", "label"), [("Bag", 0), ("bag", 0), ("T-SHIRT/top", 1), ("2", 2), ("a", 3), ("A", 4), ("1", 5)]
)
def test_a_class_is_found_by_name_or_number(wanted, label):
    # The class that is named 1 comes before the class whose number it is.
    assert find_class(["Bag", "T-shirt/top", "coat", "a", "A", "1"], wanted) == label


@pytest.mark.parametrize("wanted", ["bug", "-1", "6", "", "²"])
def test_an_unknown_class_lists_the_known(wanted):
    with pytest.raises(ValueError, match=r"no class '.*'. The model's classes are: bag, coat$"):
        find_class(["bag", "coat"], wanted)


def test_a_name_in_two_cases_must_be_exact():
    with pytest.raises(ValueError, match="several classes 'COAT'"):
        find_class(["coat", "Coat"], "COAT")


def test_no_classes():
    with pytest.raises(ValueError, match="The model has no classes. Received: bag"):
        find_class([], "bag")


def test_plain_names_stay():
    names = ["bag", "T-shirt", "ankle boot", "日本 é", "v1.2", "0"]
    assert class_folders(names) == names


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("T-shirt/top", "T-shirt_top"),
        ("a\\b:c", "a_b_c"),
        ("..", "_"),
        ("../../etc", "__.._etc"),
        (".hidden", "_hidden"),
        ("", "_"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("ends. ", "ends"),
        ("line\nbreak\0", "line_break_"),
        ("é" * 80, "é" * 50),
        ("e\u0301", "\u00e9"),
    ],
)
def test_unsafe_names_are_made_safe(name, folder):
    assert class_folders([name]) == [folder]


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["a/b", "a_b", "a:b"], ["a_b-0", "a_b", "a_b-2"]),
        (["Bag", "bag"], ["Bag", "bag-1"]),
        (["a/b", "a_b", "a_b-0"], ["a_b-0-2", "a_b", "a_b-0"]),
        (["", "."], ["_", "_-1"]),
    ],
)
def test_names_that_come_out_alike_are_told_apart(names, folders):
    assert class_folders(names) == folders
