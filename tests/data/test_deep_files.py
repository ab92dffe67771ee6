"""Files of more than 8 bits in training: what predict reads of them, and the range that is settled by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from tfgan_app.data.checking import find_readable, find_readable_images
from tfgan_app.data.class_folders import find_labeled
from tfgan_app.data.pairs import find_pairs
from tfgan_app.data.pipeline import build_pair_dataset, load_labeled, load_pairs
from tfgan_app.data.specs import CropSpec, Schedule

RAMP = np.tile(np.linspace(0, 1, 32)[None, :, None], (32, 1, 3))
WHITES = {"f2": 1, "f4": 1, "f8": 255, "i1": 127, "i2": 32767, "i4": 2**31 - 1, "u1": 255, "u2": 65535, "u4": 2**32 - 1}


def write(path, dtype, *, white=None, gray=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = (RAMP * (WHITES[dtype] if white is None else white)).astype(dtype)
    kind = "minisblack" if gray else "rgb"
    tifffile.imwrite(path, values[..., 0] if gray else values, photometric=kind, metadata=None)


@pytest.mark.parametrize("gray", [False, True])
def test_pairs_of_every_type_are_trained_on(tmp_path, gray):
    for dtype in WHITES:
        write(tmp_path / "A" / f"{dtype}.tif", dtype, gray=gray)
        write(tmp_path / "B" / f"{dtype}.tif", "u2")
    pairs, notes = find_pairs(tmp_path, val_fraction=0).train, []
    assert find_readable(pairs, on_skip=pytest.fail, on_note=notes.append) == pairs
    assert len(notes) == 4  # The three most frequent ranges, and how many are left.
    inputs, targets = load_pairs(pairs, CropSpec(32, resize="none"))
    np.testing.assert_allclose(inputs / 255, np.broadcast_to(RAMP, inputs.shape), atol=0.01)
    np.testing.assert_allclose(targets / 255, np.broadcast_to(RAMP, inputs.shape), atol=0.01)
    batch = next(iter(build_pair_dataset(pairs, CropSpec(32), Schedule(batch_size=4, steps=1, seed=0))))
    np.testing.assert_allclose(batch["input"] / 255, np.broadcast_to(RAMP, batch["input"].shape), atol=0.01)


def test_a_range_for_all_images(tmp_path):
    for number in range(3):
        write(tmp_path / f"{number}.tif", "f4", white=10.0 * 4**number, gray=True)
    found, notes = find_labeled(tmp_path, val_fraction=0), []
    assert found.gray
    images = find_readable_images(found.train, on_skip=pytest.fail, on_note=notes.append, input_range=(0, 160))
    assert notes == ["floating-point values were read as 0 to 160: 3 of the files"]
    batch_images = load_labeled(images, CropSpec(32, channels=1, input_range=(0, 160)))
    for number, image in enumerate(batch_images):
        np.testing.assert_allclose(image[..., 0] / 255, RAMP[..., 0] / 16 * 4**number, atol=0.01)
