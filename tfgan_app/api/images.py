"""Conversion between users' images (paths, Pillow images, arrays) and decoded images."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from tfgan_app.image_io import DecodedImage, ImageMetadata, read_image
from tfgan_app.image_io.color import split_channels
from tfgan_app.image_io.loading import flattened
from tfgan_app.image_io.metadata import profile_color_space
from tfgan_app.inference.levels import LEVEL_DTYPES, peak_of

ImageLike = str | os.PathLike | Image.Image | np.ndarray
"""A path, a Pillow image, or an array: uint8, uint16 or float in [0, 1], [H, W], [H, W, C] or a batch [N, H, W, C]."""

_CHANNELS = (1, 2, 3, 4)
_ACCEPTED = "a path, a Pillow image, or a uint8, uint16 or float array [H, W], [H, W, C] or [N, H, W, C]"


@dataclass(frozen=True)
class Images:
    """One image or a batch, with the conversion back to the user's type.

    Attributes:
        images: The decoded images of the batch.
        back: Converts their results, each [H, W, C] of the image's dtype, to the type that the user passed.
    """

    images: Sequence[DecodedImage]
    back: Callable[[Sequence[np.ndarray]], Any]


def read_images(x: ImageLike) -> Images:
    """Reads an image or a batch passed by a user.

    Args:
        x: A path or a Pillow image, for which results become a Pillow image; or an array, for which they become an
            array of its dtype, range and rank. Channels are gray, gray and alpha, RGB, or RGB and alpha.

    Raises:
        ValueError: If it is none of these, or a file cannot be read. The message is one line.
    """
    if isinstance(x, (str, os.PathLike)):
        if os.path.isdir(x):
            raise ValueError(f"`predict` takes one image. Received the folder '{x}': pass it to `predict_files`.")
        image = read_image(x)
        return Images([image], lambda results: _to_pillow(results[0], image.metadata))
    if isinstance(x, Image.Image):
        image = _from_pillow(x)
        return Images([image], lambda results: _to_pillow(results[0], image.metadata))
    return _from_array(x)


def read_mask(mask: ImageLike) -> np.ndarray:
    """Reads a mask that is light (or True) in holes.

    Args:
        mask: One image, as for `read_images`; arrays may also be bool.

    Returns:
        bool [height, width].
    """
    if not isinstance(mask, (str, os.PathLike, Image.Image)):
        array = np.asarray(mask)
        if array.dtype == bool and array.ndim == 2:
            return array
        mask = array.astype(np.uint8) * 255 if array.dtype == bool else array
    pixels = _only(read_images(mask), "mask").pixels
    return pixels.mean(axis=-1) > peak_of(pixels.dtype) / 2


def read_style(style: ImageLike) -> np.ndarray:
    """Reads a style image as uint8 [height, width, 3], with transparency composited on white."""
    image = _only(read_images(style), "style")
    if image.pixels.dtype == np.float32:
        levels = [np.rint(each * 255).astype(np.uint8) for each in (image.pixels, image.alpha) if each is not None]
        image = DecodedImage(*levels)
    return flattened(image)


def _only(images: Images, name: str) -> DecodedImage:
    if len(images.images) != 1:
        raise ValueError(f"`{name}` must be one image. Received: {len(images.images)}.")
    return images.images[0]


def _from_pillow(image: Image.Image) -> DecodedImage:
    upright = ImageOps.exif_transpose(image)
    pixels, alpha = split_channels(upright, [])
    # The profile no longer describes pixels that were converted to sRGB.
    profile = None if upright.mode in ("CMYK", "LAB") else upright.info.get("icc_profile")
    return DecodedImage(pixels, alpha, ImageMetadata(icc_profile=profile))


def _to_pillow(result: np.ndarray, metadata: ImageMetadata) -> Image.Image:
    channels = result.shape[-1]
    if result.dtype == np.uint16 and channels > 1:
        # Pillow has no color mode with more than 8 bits per channel.
        result = ((result.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    image = Image.fromarray(result[..., 0] if channels == 1 else result)
    if metadata.icc_profile and profile_color_space(metadata.icc_profile) == ("GRAY" if channels < 3 else "RGB"):
        image.info["icc_profile"] = metadata.icc_profile
    return image


def _from_array(x: Any) -> Images:
    array = np.asarray(x)
    levels = _checked_levels(array)
    is_plane = levels.ndim == 2
    if 0 in levels.shape or not (is_plane or (levels.ndim in (3, 4) and levels.shape[-1] in _CHANNELS)):
        raise ValueError(f"An image must be {_ACCEPTED}, with 1 to 4 channels. Received: {_shown(array)}.")
    if is_plane:
        return Images([DecodedImage(levels[..., None])], lambda results: _gray_or_color(results[0]).astype(array.dtype))
    batch = levels if levels.ndim == 4 else levels[None]
    images = [DecodedImage(*_split(np.ascontiguousarray(image))) for image in batch]

    def back(results: Sequence[np.ndarray]) -> np.ndarray:
        return (np.stack(results) if levels.ndim == 4 else results[0]).astype(array.dtype)

    return Images(images, back)


def _checked_levels(array: np.ndarray) -> np.ndarray:
    """Returns the array in one of `LEVEL_DTYPES`."""
    if array.dtype in LEVEL_DTYPES[:2]:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"An image must be {_ACCEPTED}. Received: {_shown(array)}.")
    levels = array.astype(np.float32)
    low, high = (float(levels.min()), float(levels.max())) if levels.size else (0.0, 0.0)
    if not 0.0 <= low <= high <= 1.0:
        raise ValueError(
            f"Float images must lie in [0, 1]. Received: values from {low:g} to {high:g}. Scale them, or pass uint8."
        )
    return levels


def _shown(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"


def _split(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    return (image[..., :-1], image[..., -1]) if image.shape[-1] in (2, 4) else (image, None)


def _gray_or_color(result: np.ndarray) -> np.ndarray:
    """Returns [H, W] for a gray result, else [H, W, C]."""
    return result[..., 0] if result.shape[-1] == 1 else result
