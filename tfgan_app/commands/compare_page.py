"""Comparison of models as one self-contained HTML page or one image sheet."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

import tfgan_app
from tfgan_app.files import printable
from tfgan_app.image_io.grid import make_grid
from tfgan_app.image_io.loading import encode_png
from tfgan_app.pages import THEME

if TYPE_CHECKING:
    from tfgan_app.commands.compare import ComparedImage, ComparedModel, Comparison

_BICUBIC = "bicubic"

_STYLE = """
main { max-width: none; padding: 28px 24px 48px; }
header { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: center; margin-bottom: 18px; }
table { border-collapse: collapse; font-size: .9rem; margin-bottom: 12px; }
th, td { text-align: left; padding: 4px 18px 4px 0; border-bottom: 1px solid var(--line); }
th:not(:first-child) { text-align: right; }
td.number { font-variant-numeric: tabular-nums; text-align: right; }
h2 { margin: 32px 0 10px; }
.overview { display: block; margin-bottom: 14px; border-radius: 6px; }
.crops { display: flex; gap: 14px; overflow-x: auto; padding-bottom: 12px; }
figure { margin: 0; flex: 0 0 auto; }
figcaption { font-size: .86rem; margin-bottom: 4px; }
figure img { display: block; image-rendering: pixelated; background: #fff; }
nav button { font: inherit; font-size: .86rem; padding: 6px 12px; border: 1px solid var(--line); border-radius: 8px;
  background: var(--card); color: inherit; cursor: pointer; }
nav button[aria-pressed="true"] { background: var(--soft); border-color: var(--accent); }
"""

_SCRIPT = """
const images = document.querySelectorAll('figure img');
const buttons = document.querySelectorAll('nav button');
buttons.forEach(button => button.addEventListener('click', () => {
  buttons.forEach(other => other.setAttribute('aria-pressed', other === button));
  images.forEach(image => { image.style.width = image.getAttribute('width') * button.value + 'px';
    image.style.height = 'auto'; });
}));
"""


def comparison_page(comparison: Comparison) -> str:
    """Returns the whole HTML document with all images embedded."""
    names = [_BICUBIC, *(model.name for model in comparison.models)]
    sections = []
    for image in comparison.images:
        overview = f'<img class="overview" alt="positions of the crops" src="{_overview(image)}">'
        rows = [
            '<div class="crops">'
            + "".join(map(_figure, names, [crop.bicubic, *crop.results], [str(crop.crop)] * len(names)))
            + "</div>"
            for crop in image.crops
        ]
        sections.append(
            f"<section>\n<h2>{escape(printable(image.name))}</h2>\n{overview}\n" + "\n".join(rows) + "\n</section>"
        )
    zoom = "".join(
        f'<button value="{factor}" aria-pressed="{"true" if factor == 1 else "false"}">{factor * 100} %</button>'
        for factor in (1, 2, 4)
    )
    record = json.dumps(_record(comparison)).replace("<", "\\u003c")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Comparison of models</title>\n<style>{THEME}{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>Comparison of models</h1><nav>{zoom}</nav></header>\n{_table(comparison)}\n"
        f'<p class="muted small">{escape(_explanation(comparison))}</p>\n'
        + "\n".join(sections)
        + f'\n</main>\n<script type="application/json" id="comparison">{record}</script>\n<script>{_SCRIPT}</script>\n'
        "</body>\n</html>\n"
    )


def comparison_sheet(comparison: Comparison) -> np.ndarray:
    """Returns all crops in rows, with a column for each model: uint8 [height, width, 3]."""
    rows = [[crop.bicubic, *crop.results] for image in comparison.images for crop in image.crops]
    headers = [_BICUBIC, *(f"{printable(model.name)}  {', '.join(_facts(model))}" for model in comparison.models)]
    return make_grid(rows, padding_px=6, headers=headers)


def _figure(name: str, pixels: np.ndarray, crop: str) -> str:
    data = base64.b64encode(encode_png(pixels)).decode()
    height, width = pixels.shape[:2]
    caption = escape(printable(name))
    return (
        f'<figure><figcaption>{caption} <span class="muted">{crop}</span></figcaption>'
        f'<img alt="{caption}" width="{width}" height="{height}" src="data:image/png;base64,{data}"></figure>'
    )


def _overview(compared: ComparedImage) -> str:
    image = Image.fromarray(compared.overview)
    draw, share = ImageDraw.Draw(image), image.width / compared.size[1]
    for each in compared.crops:
        crop = each.crop
        box = [round(share * at) for at in (crop.x, crop.y, crop.x + crop.size - 1, crop.y + crop.size - 1)]
        draw.rectangle(box, outline=(255, 60, 60), width=2)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _table(comparison: Comparison) -> str:
    rows = []
    for model in comparison.models:
        cells = "".join(f'<td class="number">{escape(fact)}</td>' for fact in _facts(model))
        per_megapixel = f"{model.seconds / model.megapixels:.2f} s"
        rows.append(
            f'<tr><td>{escape(printable(model.name))}</td><td class="number">{model.predictor.scale}</td>{cells}'
            f'<td class="number">{per_megapixel}</td></tr>'
        )
    heads = ("model", "scale", "size", "time", "per megapixel of output")
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _facts(model: ComparedModel) -> tuple[str, str]:
    return f"{model.file_bytes / 1e6:.1f} MB", f"{model.seconds:.2f} s"


def _explanation(comparison: Comparison) -> str:
    text = (
        f"All crops are shown at {comparison.scale:g} times their input size; their position is x, y and side in "
        "input pixels. Time is for all crops, including the receptive field around them."
    )
    others = [model.name for model in comparison.models if model.predictor.scale != comparison.scale]
    return f"{text} Resized bicubically to that size: {', '.join(map(printable, others))}." if others else text


def _record(comparison: Comparison) -> dict:
    models = [
        {
            "name": model.name,
            "path": model.path,
            "scale": model.predictor.scale,
            "bytes": model.file_bytes,
            "seconds": round(model.seconds, 3),
            "megapixels": round(model.megapixels, 3),
        }
        for model in comparison.models
    ]
    images = [
        {"name": image.name, "size": list(image.size[::-1]), "crops": [str(crop.crop) for crop in image.crops]}
        for image in comparison.images
    ]
    return {"tfgan_app": tfgan_app.__version__, "scale": comparison.scale, "models": models, "images": images}
