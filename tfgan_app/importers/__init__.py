"""Import of trained generators from PyTorch, safetensors and ncnn files into models of this package."""

from tfgan_app.importers.architecture import NORMS, ImportOptions
from tfgan_app.importers.architectures import ARCHITECTURES
from tfgan_app.importers.importing import Imported, import_weights

__all__ = ["ARCHITECTURES", "NORMS", "ImportOptions", "Imported", "import_weights"]
