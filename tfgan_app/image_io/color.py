"""Conversion of decoded Pillow images to gray or RGB of 8 or 16 bits with straight alpha."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from tfgan_app.image_io.value_range import InputRange, to_unsigned

_INTENT, _FLAGS = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION


def split_channels(
    image: Image.Image, notes: list[str], input_range: InputRange | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Splits a loaded image of any mode into color and alpha.

    CMYK and CIELAB become sRGB. CMYK is converted through the embedded profile where that is usable.

    Args:
        image: Decoded image; its `info` may name a transparent value.
        notes: Receives one clause for each thing that could not be kept.
        input_range: User-chosen values of black and white, for images of more than 8 bits.

    Returns:
        uint8 or uint16 [height, width, 1 or 3], and alpha [height, width] or None.
    """
    if image.mode in ("CMYK", "LAB"):
        image = _to_srgb(image, notes)
    if image.mode == "F":
        return to_unsigned(np.asarray(image)[..., None], bits=32, notes=notes, input_range=input_range), None
    if image.mode.startswith("I"):
        # Always of 16 bits: Netpbm, JPEG 2000.
        values = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)[..., None]
        return to_unsigned(values, bits=16, notes=notes, input_range=input_range), None
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        return _without_opaque_alpha(*_split(np.asarray(image)))
    key = image.info.get("transparency")
    simple = {"1": "L", "La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)
    if simple not in ("L", "LA", "RGB", "RGBA"):
        simple = "RGB"
    pixels = np.asarray(image if simple == image.mode else image.convert(simple))
    color, alpha = _split(pixels if pixels.ndim == 3 else pixels[..., None])
    if alpha is None and isinstance(key, (int, tuple)):
        return _without_opaque_alpha(color, alpha_of_key(color, key))
    return color, alpha


def alpha_of_key(color: np.ndarray, key: int | tuple[int, ...]) -> np.ndarray:
    """Alpha [height, width] that is 0 where all channels of `color` equal `key`, and full elsewhere."""
    is_key = (color == np.asarray(key, np.int64)).all(axis=-1)
    return np.where(is_key, 0, np.iinfo(color.dtype).max).astype(color.dtype)


def _split(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    return (pixels[..., :-1], pixels[..., -1]) if pixels.shape[-1] in (2, 4) else (pixels, None)


def _without_opaque_alpha(color: np.ndarray, alpha: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Drops transparency that a file announces with a value that no pixel has."""
    return color, None if alpha is None or alpha.min() == np.iinfo(alpha.dtype).max else alpha


def _to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    name = {"LAB": "CIELAB"}.get(image.mode, image.mode)
    srgb = ImageCms.createProfile("sRGB")
    try:
        if image.mode == "LAB":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        converted = ImageCms.profileToProfile(
            image,
            profile,
            srgb,
            renderingIntent=_INTENT,
            outputMode="RGB",
            flags=_FLAGS,
        )
    except (KeyError, TypeError, OSError, ImageCms.PyCMSError):
        notes.append(f"{name} was converted to sRGB without a profile, so its colors are approximate")
        return image.convert("RGB")
    through = " through its embedded profile" if image.mode == "CMYK" else ""
    notes.append(f"{name} was converted to sRGB{through}")
    return converted
