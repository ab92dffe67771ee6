"""Metrics of images against references: paired, or between sets."""

from tfgan_app.metrics.bootstrap import CONFIDENCE, RESAMPLES, Difference, means_with_intervals, paired_difference
from tfgan_app.metrics.classifier_features import train_classifier_features
from tfgan_app.metrics.color import ciede2000, color_shift, srgb_to_lab
from tfgan_app.metrics.comparison import ComparedMetric, check_comparable, compare, comparison_lines
from tfgan_app.metrics.features import FeatureNetwork, build_inception_features, build_vgg16_feature_network
from tfgan_app.metrics.fidelity import (
    fidelity_protocol,
    luma,
    measure_fidelity,
    measure_numbers,
    psnr_rgb,
    psnr_y,
    ssim_rgb,
    ssim_y,
)
from tfgan_app.metrics.frechet import FrechetMoments, frechet_distance
from tfgan_app.metrics.generation import generation_metrics, generation_protocol
from tfgan_app.metrics.kernel import kernel_inception_distance
from tfgan_app.metrics.linear_probe import linear_probe
from tfgan_app.metrics.lpips import build_lpips
from tfgan_app.metrics.manifold import density_coverage, precision_recall
from tfgan_app.metrics.pixel import PIXEL_METRICS, output_variation, paired_metrics
from tfgan_app.metrics.random_features import build_random_features
from tfgan_app.metrics.retrieval import TextRetrieval
from tfgan_app.metrics.small_classifier import SmallClassifier, plan_batches

__all__ = [
    "CONFIDENCE",
    "PIXEL_METRICS",
    "RESAMPLES",
    "ComparedMetric",
    "Difference",
    "FeatureNetwork",
    "FrechetMoments",
    "SmallClassifier",
    "TextRetrieval",
    "build_inception_features",
    "build_lpips",
    "build_random_features",
    "build_vgg16_feature_network",
    "check_comparable",
    "ciede2000",
    "color_shift",
    "compare",
    "comparison_lines",
    "density_coverage",
    "fidelity_protocol",
    "frechet_distance",
    "generation_metrics",
    "generation_protocol",
    "kernel_inception_distance",
    "linear_probe",
    "luma",
    "means_with_intervals",
    "measure_fidelity",
    "measure_numbers",
    "output_variation",
    "paired_difference",
    "paired_metrics",
    "plan_batches",
    "precision_recall",
    "psnr_rgb",
    "psnr_y",
    "srgb_to_lab",
    "ssim_rgb",
    "ssim_y",
    "train_classifier_features",
]
