"""Metrics of pictures against references."""

from tfgan_app.metrics.lpips import build_lpips
from tfgan_app.metrics.pixel import PIXEL_METRICS, output_variation, paired_metrics

__all__ = ["PIXEL_METRICS", "build_lpips", "output_variation", "paired_metrics"]
