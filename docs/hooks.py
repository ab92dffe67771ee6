"""The notebooks in the built manual: MkDocs itself takes files from `manual/` alone."""

from pathlib import Path

from mkdocs.structure.files import File

DOCS = Path(__file__).parent


def on_files(files, config):
    """Adds the notebooks to the files of the site."""
    for path in sorted((DOCS / "notebooks").glob("*.ipynb")):
        files.append(File.generated(config, f"notebooks/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, **_):
    """Turns links as GitHub needs them into those of the site."""
    return markdown.replace("](../notebooks/", "](notebooks/")
