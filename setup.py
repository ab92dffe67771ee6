"""Packages of tfgan_app; everything else is in setup.cfg."""

from setuptools import find_packages, setup

# The sample sets live in the repository's `data/`, where people look for them, and install as a package.
setup(
    packages=[*find_packages(include=["tfgan_app", "tfgan_app.*"]), "tfgan_app.bundled_data"],
    package_dir={"tfgan_app.bundled_data": "data"},
    package_data={
        "tfgan_app.bundled_data": ["**/*.png", "**/*.jpg", "**/*.csv", "**/*.md", "**/LICENSE*"],
        # The page of `export --format web`; its runtime comes from npm when it is needed.
        "tfgan_app.export": ["web_page/*.*", "web_page/LICENSE"],
        "tfgan_app.pages": ["*.css"],
        "tfgan_app.serving.page": ["*.html", "*.css", "*.js", "*.svg"],
    },
)
