"""Image grids."""

from __future__ import annotations

import numpy as np
import pytest

from tfgan_app.image_io.grid import make_grid, spread_indices


def test_grid_places_images_on_white():
    red = np.full((4, 6, 3), [255, 0, 0], np.uint8)
    blue = np.full((2, 3, 3), [0, 0, 255], np.uint8)
    grid = make_grid([[red, blue], [blue]], padding_px=1)
    assert grid.shape == (1 + 4 + 1 + 2 + 1, 1 + 6 + 1 + 3 + 1, 3)
    np.testing.assert_array_equal(grid[1:5, 1:7], red)
    np.testing.assert_array_equal(grid[1:3, 8:11], blue)
    np.testing.assert_array_equal(grid[6:8, 1:4], blue)
    assert (grid[0] == 255).all() and (grid[6:, 8:] == 255).all()


def test_grid_headers_add_a_bar_with_text():
    image = np.zeros((8, 64, 3), np.uint8)
    plain = make_grid([[image, image]])
    headed = make_grid([[image, image]], headers=["input", "output"])
    bar = headed[: len(headed) - len(plain)]
    np.testing.assert_array_equal(headed[len(bar) :], plain)
    assert (bar < 128).any()
    with pytest.raises(ValueError, match="headers"):
        make_grid([[image]], headers=["a", "b"])
    with pytest.raises(ValueError, match="at least one image"):
        make_grid([])


@pytest.mark.parametrize(("total", "count"), [(0, 8), (1, 8), (8, 8), (9, 8), (100, 8), (1001, 6), (5, 1)])
def test_what_is_shown_comes_from_every_part_of_a_set(total, count):
    chosen = spread_indices(total, count)
    assert chosen == spread_indices(total, count)
    assert chosen == sorted(set(chosen)) and all(0 <= index < total for index in chosen)
    assert len(chosen) == min(total, count)
    if total > count:
        assert [index * count // total for index in chosen] == pytest.approx(range(count), abs=1)


def test_a_set_that_repeats_itself_is_not_shown_in_step_with_it():
    assert len({index % 8 for index in spread_indices(64, 8)}) > 1
