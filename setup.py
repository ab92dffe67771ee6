"""Packages of tfgan_app; everything else is in setup.cfg."""

import json
from pathlib import Path

from setuptools import find_packages, setup

# Names of files, not patterns: exports of the developer's own lie in the same folder.
models = json.loads((Path(__file__).parent / "exported_models" / "shipped.json").read_text(encoding="utf-8"))
model_files = [file for model in models.values() for file in model["files"]]
model_cards = [f"{name}/MODEL_CARD.md" for name in models] + [
    f"{file}.md" for file in model_files if file.endswith(".tflite")
]

# The sample sets live in the repository's `data/`, the trained models in its `exported_models/`, where people look for
# them; both install as packages.
setup(
    packages=[
        *find_packages(include=["tfgan_app", "tfgan_app.*"]),
        "tfgan_app.bundled_data",
        "tfgan_app.shipped_models",
    ],
    package_dir={"tfgan_app.bundled_data": "data", "tfgan_app.shipped_models": "exported_models"},
    package_data={
        "tfgan_app": ["py.typed"],
        "tfgan_app.bundled_data": ["**/*.png", "**/*.jpg", "**/*.csv", "**/*.md", "**/LICENSE*"],
        "tfgan_app.shipped_models": [
            "README.md",
            "ON_A_PHONE.md",
            "TRAINING_IMAGES.csv",
            "manifest.json",
            "shipped.json",
            *[f"recipes/{name}.json" for name in models],
            *model_cards,
            *model_files,
        ],
        # The page of `export --format web`; its runtime comes from npm when it is needed.
        "tfgan_app.export": ["web_page/*.*", "web_page/LICENSE"],
        "tfgan_app.pages": ["*.css"],
        "tfgan_app.serving.page": ["*.html", "*.css", "*.js", "*.svg"],
    },
)
