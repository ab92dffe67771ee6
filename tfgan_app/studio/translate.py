"""Tab "Translate": your model, a style, or a hole to fill, on an image or on a drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from tfgan_app.studio import library
from tfgan_app.studio.context import Studio, one_message
from tfgan_app.studio.previews import kind_of, predict_one
from tfgan_app.studio.requests import PredictRequest
from tfgan_app.studio.viewer import magnified, magnifier, result_links

_CANVAS_PX = 512
_BRUSHES = ["#000000", "#ffffff", "#e6194b", "#3cb44b", "#4363d8", "#ffe119"]


def build(studio: Studio) -> None:
    """Adds the tab's content to the page."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            model = gr.Dropdown(
                library.choices(studio.places, library.TRANSLATING),
                label="Model",
                info="A run, a .keras file or an export. A path may be typed too.",
                allow_custom_value=True,
                elem_id="translator",
            )
            canvas = _canvas()
            gr.Markdown("Drop an image or draw. For a model that fills holes, paint over the hole.")
            size = gr.Number(
                0,
                label="Shorter side for the model, in pixels",
                info="0: as it is. Models do best at the size of their training.",
                minimum=0,
                precision=0,
                elem_id="canvas-size",
            )
            style = gr.Image(
                label="Style image, for style models",
                type="filepath",
                sources=["upload", "clipboard"],
                format="png",
                height=180,
                elem_id="style",
                buttons=[],
            )
            strength = gr.Slider(0.0, 1.0, value=1.0, step=0.05, label="Strength of the style", elem_id="strength")
            button = gr.Button("Translate", variant="primary", elem_id="translate")
        with gr.Column(scale=3, min_width=300):
            result = gr.Image(
                label="Result",
                type="filepath",
                interactive=False,
                format="png",
                elem_id="translated",
                buttons=["fullscreen"],
            )
            detail = magnifier("translated-detail")
            links = gr.HTML("", elem_id="translate-links")
    fields, shown = [model, canvas, size, style, strength], [result, detail, links]
    run = one_message(lambda *values: translate(studio, *values))
    options: dict[str, Any] = {"concurrency_id": "model", "api_visibility": "private"}
    button.click(run, fields, shown, **options)
    strength.release(run, fields, shown, **options)
    refreshed = {"show_progress": "hidden", "api_visibility": "private"}
    model.focus(
        lambda: gr.Dropdown(choices=library.choices(studio.places, library.TRANSLATING)), None, model, **refreshed
    )


def _canvas() -> gr.ImageEditor:
    return gr.ImageEditor(
        label="Image or drawing",
        type="pil",
        sources=["upload", "clipboard"],
        brush=gr.Brush(colors=_BRUSHES, default_size=8),
        canvas_size=(_CANVAS_PX, _CANVAS_PX),
        layers=False,
        transforms=("crop",),
        format="png",
        buttons=[],
        elem_id="canvas",
    )


def translate(
    studio: Studio, name: str, drawn: dict[str, Any] | None, size: int | None, style: str | None, strength: float
) -> tuple[str, str, str]:
    """Runs a model on a drawing or an image.

    Args:
        studio: State of the page.
        name: Name or path of the model.
        drawn: Value of the canvas: `background`, `layers` and `composite`, Pillow images or None.
        size: Shorter side of the model's input in pixels; 0 for that of the drawing.
        style: File of the style image; None without one.
        strength: Strength of the style in [0, 1].

    Returns:
        The result's file, HTML of the magnifier, and HTML with a link to the result.

    Raises:
        ValueError: If a part is missing, or the model cannot be used.
    """
    model = studio.places.model(name)
    folder = studio.new_folder("translate")
    with studio.lock:
        kind = kind_of(model)
        is_style = kind == "style"
        if is_style and style is None:
            raise ValueError("This model needs a style image. Drop one.")
        source, mask = save_drawing(drawn, folder, size=size, with_mask=kind == "inpainting")
        if style is not None:
            studio.places.check_uploads([style])
        request = PredictRequest([model], style=(style or "") if is_style else "", strength=strength, mask=mask)
        target = folder / f"{Path(model).stem}.png"
        written = predict_one(request.arguments(str(source), str(target)))
    return str(written), magnified(studio, [("input", source), ("result", written)]), result_links(studio, [written])


def save_drawing(drawn: dict[str, Any] | None, folder: Path, *, size: int | None, with_mask: bool) -> tuple[Path, str]:
    """Writes the files that a model reads: the drawing on white, or the image and what was painted over it.

    Args:
        drawn: Value of the canvas.
        folder: Folder to write to.
        size: Shorter side in pixels; 0 as it is.
        with_mask: Whether strokes are a mask.

    Returns:
        File of the image, and of the mask; empty without one.

    Raises:
        ValueError: If nothing is drawn, or no hole is painted.
    """
    from PIL import Image

    part = "background" if with_mask else "composite"
    image = (drawn or {}).get(part)
    if image is None or (image.mode == "RGBA" and image.getextrema()[3][1] == 0):
        raise ValueError("Drop an image first." if with_mask else "Drop an image, or draw something first.")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    source = folder / "input.png"
    _resized(white.convert("RGB"), size).save(source)
    if not with_mask:
        return source, ""
    mask = Image.new("L", image.size, 0)
    for layer in drawn["layers"]:
        strokes = layer.convert("RGBA").getchannel("A").point(lambda alpha: 255 if alpha else 0)
        mask.paste(255, mask=strokes)
    if not mask.getbbox():
        raise ValueError("Paint over the hole that is to be filled.")
    target = folder / "mask.png"
    _resized(mask, size, smooth=False).save(target)
    return source, str(target)


def _resized(image: Any, size: int | None, *, smooth: bool = True) -> Any:
    from PIL import Image

    if not size:
        return image
    scale = size / min(image.size)
    shape = tuple(max(round(side * scale), 1) for side in image.size)
    return image.resize(shape, Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)
