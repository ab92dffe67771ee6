"""Loss functions: scalars of tensors, on any Keras backend, computed in float32."""

from tfgan_app.losses.adversarial import AdversarialLoss
from tfgan_app.losses.gradient_penalty import GradientPenalty
from tfgan_app.losses.information import information_loss
from tfgan_app.losses.patch_nce import patch_nce_loss
from tfgan_app.losses.perceptual import PIX2PIXHD_LEVELS, REAL_ESRGAN_LEVELS, build_perceptual_loss
from tfgan_app.losses.style import (
    StyleLosses,
    build_style_losses,
    content_distance,
    structure_distance,
    style_distance,
)
from tfgan_app.losses.sub_pixel import sub_pixel_bias_loss
from tfgan_app.registry import ADVERSARIAL_LOSSES, GRADIENT_PENALTIES, RECONSTRUCTION_LOSSES

__all__ = [
    "ADVERSARIAL_LOSSES",
    "GRADIENT_PENALTIES",
    "PIX2PIXHD_LEVELS",
    "REAL_ESRGAN_LEVELS",
    "RECONSTRUCTION_LOSSES",
    "AdversarialLoss",
    "GradientPenalty",
    "StyleLosses",
    "build_perceptual_loss",
    "build_style_losses",
    "content_distance",
    "information_loss",
    "patch_nce_loss",
    "structure_distance",
    "style_distance",
    "sub_pixel_bias_loss",
]
