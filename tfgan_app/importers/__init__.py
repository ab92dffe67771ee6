"""Import of trained generators from PyTorch, safetensors and ncnn files into models of this package."""

from tfgan_app.importers.architecture import NORMS, Architecture, Built, ImportOptions
from tfgan_app.importers.importing import Imported, find_architecture, import_weights
from tfgan_app.importers.weights import Filler, Weights
from tfgan_app.registry import IMPORTERS

__all__ = [
    "IMPORTERS",
    "NORMS",
    "Architecture",
    "Built",
    "Filler",
    "ImportOptions",
    "Imported",
    "Weights",
    "find_architecture",
    "import_weights",
]
