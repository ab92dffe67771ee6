"""Fidelity of restored images to their originals, by the conventions of super-resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfgan_app.metrics.pixel import MAX_PSNR

LUMA_COEFFICIENTS = (65.481, 128.553, 24.966)
"""Contributions of red, green and blue at 1 to luma, in steps of 1/255."""
LUMA_OFFSET = 16.0
"""Luma of black, in the same steps."""

SSIM_WINDOW_PX = 11
SSIM_SIGMA_PX = 1.5

_SSIM_C1 = 0.01**2
_SSIM_C2 = 0.03**2


def luma(images: np.ndarray) -> np.ndarray:
    """ITU-R BT.601 luma in studio swing: 16/255 for black to 235/255 for white, as MATLAB's `rgb2ycbcr`.

    `(65.481 R + 128.553 G + 24.966 B + 16) / 255`, not rounded, as BasicSR measures. MATLAB's own function rounds
    the luma of uint8 images to whole steps, by which PSNR may differ in the second decimal.

    Args:
        images: `[..., 3]`, float in [0, 1] or uint8.

    Returns:
        float64 `[...]` in [16/255, 235/255].
    """
    return (_unit_range(images) @ np.array(LUMA_COEFFICIENTS) + LUMA_OFFSET) / 255.0


def psnr_y(target: np.ndarray, output: np.ndarray, *, crop_px: int) -> float:
    """PSNR of luma in dB, with the customary peak of 1, although luma spans 219/255 only.

    Args:
        target: `[height, width, 3]`, float in [0, 1] or uint8.
        output: The same.
        crop_px: Pixels to leave out at each border; the custom is the scale.

    Returns:
        At most `MAX_PSNR`; more is better.

    Raises:
        ValueError: For other images, different sizes, or a crop that leaves nothing.
    """
    return _psnr(*(luma(x) for x in _cropped(target, output, crop_px)))


def ssim_y(target: np.ndarray, output: np.ndarray, *, crop_px: int) -> float:
    """Structural similarity of luma; method as in `ssim_rgb`, arguments as in `psnr_y`."""
    return _ssim(*(luma(x) for x in _cropped(target, output, crop_px)))


def psnr_rgb(target: np.ndarray, output: np.ndarray, *, crop_px: int) -> float:
    """PSNR over all three channels in dB; arguments as for `psnr_y`."""
    return _psnr(*(_unit_range(x) for x in _cropped(target, output, crop_px)))


def ssim_rgb(target: np.ndarray, output: np.ndarray, *, crop_px: int) -> float:
    """Structural similarity, mean of the three channels; arguments as for `psnr_y`.

    "Image Quality Assessment: From Error Visibility to Structural Similarity", Wang et al. 2004, as its authors'
    `ssim_index.m`: 11 px Gaussian window of sigma 1.5, population covariances, K1 = 0.01, K2 = 0.03, and a mean over
    the windows that lie inside the (cropped) image. This is the value that scikit-image returns for the cropped
    images with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1`, since it too leaves
    5 px out of its mean at each border. Deviation: where an image is smaller, the window shrinks to it.
    """
    planes = zip(*(np.moveaxis(_unit_range(x), -1, 0) for x in _cropped(target, output, crop_px)), strict=True)
    return float(np.mean([_ssim(*pair) for pair in planes]))


def measure_fidelity(
    targets: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    *,
    crop_px: int,
    lpips: Callable | None = None,
) -> dict[str, np.ndarray]:
    """Measures every image of a set whose sizes may differ.

    Outputs are measured as files hold them: clipped to [0, 1], times 255, rounded to the nearest
    integer. Hence uint8.

    Args:
        targets: uint8 `[height, width, 3]` each, the originals.
        outputs: uint8 of the same sizes.
        crop_px: Pixels to leave out at each border in all measures but LPIPS; the custom is the scale.
        lpips: Result of `build_lpips`. It takes whole images, since its features look beyond a crop anyway;
            images under 16 px high or wide have none and get NaN.

    Returns:
        Name -> float64 `[count]`: `psnr_y`, `ssim_y`, `psnr`, `ssim`, `l1` (mean absolute error of RGB in [0, 1])
        and, with `lpips`, `lpips`.

    Raises:
        ValueError: For no images, different counts, or a pair that is not uint8 and of one size.
    """
    if not len(targets) or len(targets) != len(outputs):
        raise ValueError(f"Expected as many outputs as targets, at least 1. Received: {len(targets)}, {len(outputs)}.")
    rows = [_measure_pair(*pair, crop_px, lpips) for pair in zip(targets, outputs, strict=True)]
    return {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}


def measure_numbers(
    target: np.ndarray, output: np.ndarray, *, window: tuple[float, float], crop_px: int
) -> dict[str, float]:
    """Measures an image as numbers, not rounded.

    Args:
        target: float32 `[height, width, channels]`, in [0, 1] over the window.
        output: The same; values outside of [0, 1] are not clipped.
        window: Data values that 0 and 1 stand for.
        crop_px: Pixels to leave out at each border.

    Returns:
        `psnr`, `ssim` and `l1` with the window as peak; and in data units `mae`, the mean absolute error, and `rmse`,
        the root of the mean square error.
    """
    pair = [_unit_range(x) for x in _cropped(target, output, crop_px, channels=target.shape[-1])]
    difference = np.abs(pair[0] - pair[1])
    planes = zip(*(np.moveaxis(x, -1, 0) for x in pair), strict=True)
    width = window[1] - window[0]
    return {
        "psnr": _psnr(*pair),
        "ssim": float(np.mean([_ssim(*planes_of_channel) for planes_of_channel in planes])),
        "l1": float(difference.mean()),
        "mae": float(difference.mean()) * width,
        "rmse": float(np.sqrt(np.mean(difference**2))) * width,
    }


def fidelity_protocol(*, count: int, crop_px: int, lpips: str | None = None) -> dict[str, str | int]:
    """Description of `measure_fidelity`, as fields that `check_comparable` compares.

    Args:
        count: Number of images.
        crop_px: Pixels that are left out along each border.
        lpips: Identifier of the weights of LPIPS, such as a digest; None if it is not measured.

    Returns:
        Field -> value.
    """
    return {
        "images": count,
        "crop_px": crop_px,
        "outputs": "clipped and rounded to 8 bits",
        "luma": "BT.601, 16-235, not rounded",
        "psnr": f"peak 255, at most {MAX_PSNR:g} dB",
        "ssim": f"{SSIM_WINDOW_PX} px Gaussian, sigma {SSIM_SIGMA_PX}, valid windows, mean of channels",
        "lpips": f"v0.1 VGG16, whole images, weights {lpips}" if lpips else "not measured",
    }


def _measure_pair(target: np.ndarray, output: np.ndarray, crop_px: int, lpips: Callable | None) -> dict[str, float]:
    if target.dtype != np.uint8 or output.dtype != np.uint8:
        raise ValueError(f"Images must be rounded to uint8. Received: {target.dtype} and {output.dtype}.")
    cropped = [_unit_range(x) for x in _cropped(target, output, crop_px)]
    values = {
        "psnr_y": psnr_y(target, output, crop_px=crop_px),
        "ssim_y": ssim_y(target, output, crop_px=crop_px),
        "psnr": psnr_rgb(target, output, crop_px=crop_px),
        "ssim": ssim_rgb(target, output, crop_px=crop_px),
        "l1": float(np.abs(cropped[0] - cropped[1]).mean()),
    }
    if lpips is not None:
        pair = [x[None].astype(np.float32) / np.float32(255.0) for x in (target, output)]
        values["lpips"] = float(lpips(*pair)[0]) if min(target.shape[:2]) >= 16 else float("nan")
    return values


def _cropped(
    target: np.ndarray, output: np.ndarray, crop_px: int, *, channels: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Both images without their borders, after a check of their shapes."""
    shapes = np.shape(target), np.shape(output)
    if shapes[0] != shapes[1] or len(shapes[0]) != 3 or shapes[0][2] != channels:
        raise ValueError(
            f"Expected two images [height, width, {channels}] of one size. Received: {shapes[0]}, {shapes[1]}."
        )
    height, width, _ = shapes[0]
    if not 0 <= 2 * crop_px < min(height, width):
        raise ValueError(f"`crop_px` must leave something of {height} x {width} pixels. Received: {crop_px}")
    inside = slice(crop_px, height - crop_px), slice(crop_px, width - crop_px)
    return np.asarray(target)[inside], np.asarray(output)[inside]


def _unit_range(images: np.ndarray) -> np.ndarray:
    """float64 in [0, 1] of floats in [0, 1] or of uint8."""
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images / 255.0
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"Images must be uint8, or floats in [0, 1]. Received: {images.dtype}")
    return images.astype(np.float64)


def _psnr(target: np.ndarray, output: np.ndarray) -> float:
    error = float(np.mean((target - output) ** 2))
    return min(MAX_PSNR, -10.0 * np.log10(error)) if error else MAX_PSNR


def _ssim(target: np.ndarray, output: np.ndarray) -> float:
    """Mean over the windows inside of two float64 planes `[height, width]` in [0, 1]."""
    mean_t, mean_o = _smoothed(target), _smoothed(output)
    variance_t = _smoothed(target * target) - mean_t * mean_t
    variance_o = _smoothed(output * output) - mean_o * mean_o
    covariance = _smoothed(target * output) - mean_t * mean_o
    likeness = (2.0 * mean_t * mean_o + _SSIM_C1) * (2.0 * covariance + _SSIM_C2)
    bound = (mean_t * mean_t + mean_o * mean_o + _SSIM_C1) * (variance_t + variance_o + _SSIM_C2)
    return float(np.mean(likeness / bound))


def _smoothed(plane: np.ndarray) -> np.ndarray:
    """Gaussian means of the windows that lie inside: smaller by the window less one, down to `[1, 1]`."""
    window = min(SSIM_WINDOW_PX, *plane.shape)
    taps = np.exp(-0.5 * ((np.arange(window) - (window - 1) / 2.0) / SSIM_SIGMA_PX) ** 2)
    taps /= taps.sum()
    for axis in range(2):
        length = plane.shape[axis] - window + 1
        parts = [slice(start, start + length) for start in range(window)]
        views = [plane[part] if axis == 0 else plane[:, part] for part in parts]
        smoothed = taps[0] * views[0]
        for tap, view in zip(taps[1:], views[1:], strict=True):
            smoothed += tap * view
        plane = smoothed
    return plane
