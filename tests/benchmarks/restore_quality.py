"""What `restore` gives back: PSNR of damaged images and of what a model makes of them.

python tests/benchmarks/restore_quality.py --model exported_models/restore --data photos/val [--images FOLDER]

Images are cut to their centers of at most `--crop` pixels a side. Damage is made apart from this package: Gaussian
noise by NumPy (seeded by the image's place), clipped and rounded to 8 bits; JPEG by Pillow, 4:2:0. PSNR over RGB, no
border left out. Every figure is a mean over images.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_app.image_io.loading import find_images, read_rgb, write_image
from tfgan_app.inference import load_predictor
from tfgan_app.metrics import psnr_rgb

SIGMAS_255 = (15, 25, 50)
QUALITIES = (10, 15, 20, 40)


def main():
    """Prints a row for each damage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path, help="folder of undamaged images")
    parser.add_argument("--crop", type=int, default=512)
    parser.add_argument("--images", type=Path, help="folder to write damaged and restored images to")
    args = parser.parse_args()
    restore = load_predictor(args.model).image
    paths = find_images(args.data)
    originals = [center(read_rgb(path), args.crop) for path in paths]
    print(f"{args.model.name}, {len(originals)} images of {args.data}")
    for name, spoil in damages().items():
        before, after = [], []
        for index, (path, original) in enumerate(zip(paths, originals, strict=True)):
            damaged = spoil(original, np.random.default_rng(index))
            restored = restore(damaged)
            before.append(psnr_rgb(original, damaged, crop_px=0))
            after.append(psnr_rgb(original, restored, crop_px=0))
            if args.images:
                shown = np.concatenate([damaged, restored, original], axis=1)
                write_image(args.images / name / f"{path.stem}.png", shown)
        gain = np.mean(after) - np.mean(before)
        print(f"{name:16} {np.mean(before):6.2f} dB -> {np.mean(after):6.2f} dB ({gain:+.2f})", flush=True)


def damages() -> dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]]:
    """Name -> function of an image and a generator of random numbers to the damaged image, uint8."""
    noisy = {f"noise {sigma}": lambda x, rng, sigma=sigma: add_noise(x, rng, sigma) for sigma in SIGMAS_255}
    blocky = {f"JPEG {quality}": lambda x, rng, quality=quality: jpeg(x, quality) for quality in QUALITIES}
    both = {"noise 15, JPEG 40": lambda x, rng: jpeg(add_noise(x, rng, 15), 40)}
    return {"none": lambda x, rng: x, **noisy, **blocky, **both}


def add_noise(image: np.ndarray, rng: np.random.Generator, sigma_255: float) -> np.ndarray:
    """Gaussian noise, independent in every value."""
    noisy = image + rng.normal(0.0, sigma_255, image.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """An image as libjpeg keeps it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def center(image: np.ndarray, limit: int) -> np.ndarray:
    """At most `limit` rows and columns around the middle."""
    top, left = (max(0, side - limit) // 2 for side in image.shape[:2])
    return image[top : top + limit, left : left + limit]


if __name__ == "__main__":
    main()
