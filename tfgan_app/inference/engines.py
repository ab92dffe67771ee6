"""Choice of the engine for a model: LiteRT, which starts at once, or TensorFlow. Loads neither."""

from __future__ import annotations

import os
from pathlib import Path

from tfgan_app.lite.files import read_card, read_file
from tfgan_app.lite.proven import lite_name, proven_file
from tfgan_app.shipped import located

ENGINES = ("auto", "litert", "tensorflow")

_LITE = ".tflite"
_PAGE_MODEL = "model.tflite"


def lite_file(path: str | os.PathLike) -> Path | None:
    """The LiteRT file that a path names itself: a `.tflite` file, or that of a web page's folder."""
    path = Path(path)
    file = path / _PAGE_MODEL if path.is_dir() else path
    return file if file.suffix == _LITE and file.is_file() else None


def choose_lite_file(path: str | os.PathLike, *, engine: str = "auto", quantized: bool = False) -> Path | None:
    """Chooses the LiteRT file to run a model from.

    Args:
        path: As for `load_predictor`.
        engine: One of `ENGINES`. `"auto"` is LiteRT on CPUs if a file with verified parity lies beside the model and
            takes images of other sizes than one: a file of one size would blend tiles, which TensorFlow need not.
        quantized: Use the 8-bit integer file.

    Returns:
        A `.tflite` file, or None for TensorFlow.

    Raises:
        ValueError: If the engine is not available for this model. One line.
    """
    if engine not in ENGINES:
        raise ValueError(f"`engine` must be one of {', '.join(ENGINES)}. Received: {engine}")
    path = located(path)
    own = lite_file(path)
    if engine == "tensorflow":
        if quantized or own is not None:
            asked = "`--quantized`" if quantized else f"'{path}'"
            raise ValueError(f"TensorFlow cannot run .tflite files. Received: {asked} with `--engine tensorflow`.")
        return None
    if own is not None:
        if quantized and not own.stem.endswith("_int8"):
            raise ValueError(f"`--quantized` needs a model with an int8 file beside it. Received: '{path}'.")
        return own
    quantize = "int8" if quantized else "none"
    is_file = path.suffix == ".keras" and path.is_file()
    found = proven_file(path, quantize=quantize) if is_file else None
    if found is None and (engine == "litert" or quantized):
        raise ValueError(_missing(path, quantize, is_file=is_file))
    if engine == "auto" and not quantized and found is not None and (gpu_in_sight() or not takes_any_size(found)):
        return None
    return found


def takes_any_size(file: Path) -> bool:
    """Returns whether a LiteRT file of this package can be resized at run time."""
    card = read_card(read_file(file))
    return card is not None and card.sizes != "fixed"


def lite_file_beside(keras_file: Path) -> Path:
    """Path of the LiteRT file of a `.keras` file; the file need not exist."""
    return keras_file.with_name(lite_name(keras_file.stem))


def gpu_in_sight() -> bool:
    """Returns whether this process sees an NVIDIA GPU, by its device files: TensorFlow is faster there."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False
    return any(Path("/dev").glob("nvidia[0-9]*"))


def _missing(path: Path, quantize: str, *, is_file: bool) -> str:
    flag = "`--engine litert`" if quantize == "none" else "`--quantized`"
    if not is_file:
        return f"{flag} needs a .keras file with its .tflite file beside it, or a shipped model. Received: '{path}'"
    option = "" if quantize == "none" else f" --quantize {quantize}"
    return (
        f"{flag} needs '{path.with_name(lite_name(path.stem, quantize))}', verified against '{path.name}': create it "
        f"with `tfgan_app export --run {path} --format tflite{option} --name {path.stem} --output {path.parent}`."
    )
