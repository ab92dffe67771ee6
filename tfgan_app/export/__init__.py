"""Turning a trained model into files that run elsewhere, each checked against the model it came from."""

from tfgan_app.export.exporting import ExportResult, export_model, find_exporter
from tfgan_app.export.formats import Exporter
from tfgan_app.export.parity import LIMITS, PARITY_SEEDS, Parity
from tfgan_app.registry import EXPORTERS

__all__ = ["EXPORTERS", "LIMITS", "PARITY_SEEDS", "ExportResult", "Exporter", "Parity", "export_model", "find_exporter"]
