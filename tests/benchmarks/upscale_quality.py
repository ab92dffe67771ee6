"""Upscalers on test sets of high-resolution images: PSNR and SSIM of luma, LPIPS, color shift.

python tests/benchmarks/upscale_quality.py --model exported_models/upscale_x4 --data Set5 [--data Set14 ...]
    [--lpips WEIGHTS.npz] [--ensemble] [--images FOLDER]

The custom of the literature: images are cut to multiples of the scale and made small by MATLAB's antialiased bicubic
reduction, in 8 bits; results are rounded to 8 bits; a border as wide as the scale is left out, but for LPIPS. Every
figure is a mean over images. The first row is bicubic enlargement. With `--ensemble` each model is measured again as
the mean over the eight orientations of an image.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_app.degradations import downscale, resize, to_eight_bits
from tfgan_app.image_io.loading import find_images, read_rgb, write_image
from tfgan_app.inference import load_predictor
from tfgan_app.metrics import build_lpips, color_shift, measure_fidelity


def main():
    """Prints a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], type=Path, help="may be repeated")
    parser.add_argument("--data", action="append", required=True, type=Path, help="folder of images; may be repeated")
    parser.add_argument("--scale", type=int, default=4, choices=(2, 3, 4, 8))
    parser.add_argument("--lpips", type=Path, help="file of VGG16 and LPIPS weights")
    parser.add_argument("--ensemble", action="store_true", help="measure the self-ensemble of each model too")
    parser.add_argument("--images", type=Path, help="folder to write the results to")
    args = parser.parse_args()
    lpips = build_lpips(args.lpips) if args.lpips else None
    ways = {"bicubic": lambda image: bicubic(image, args.scale)}
    for path in args.model:
        model = load_predictor(path)
        ways[path.name] = model.image
        if args.ensemble:
            ways[f"{path.name}, self-ensemble"] = model.ensembled().image
    for folder in args.data:
        targets = [cut(read_rgb(path), args.scale) for path in find_images(folder)]
        small = [reduce(target, args.scale) for target in targets]
        print(f"\n{folder.name}: {len(targets)} images, x{args.scale}")
        for name, enlarge in ways.items():
            outputs = [enlarge(image) for image in small]
            values = measure_fidelity(targets, outputs, crop_px=args.scale, lpips=lpips)
            values["color shift"] = np.array([color_shift(*pair) for pair in zip(small, outputs, strict=True)])
            row = "  ".join(f"{metric} {value.mean():.4g}" for metric, value in values.items())
            print(f"{name:40} {row}", flush=True)
            for path, output in zip(find_images(folder), outputs, strict=True):
                if args.images:
                    write_image(args.images / folder.name / name / f"{path.stem}.png", output)


def cut(image: np.ndarray, scale: int) -> np.ndarray:
    """Leaves out the last rows and columns, up to a multiple of the scale."""
    height, width = (side // scale * scale for side in image.shape[:2])
    return image[:height, :width]


def reduce(image: np.ndarray, scale: int) -> np.ndarray:
    """An image at low resolution, uint8."""
    return as_uint8(downscale(tf.constant(image[None] / np.float32(255.0)), scale=scale))


def bicubic(image: np.ndarray, scale: int) -> np.ndarray:
    """The baseline, uint8."""
    height, width = (side * scale for side in image.shape[:2])
    return as_uint8(resize(tf.constant(image[None] / np.float32(255.0)), height=height, width=width))


def as_uint8(images: tf.Tensor) -> np.ndarray:
    """The first of a batch in [0, 1], rounded to 8 bits."""
    return np.rint(to_eight_bits(images)[0].numpy() * 255.0).astype(np.uint8)


if __name__ == "__main__":
    main()
