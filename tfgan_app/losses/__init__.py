"""Loss functions: scalars of tensors, on any Keras backend, computed in float32."""

from tfgan_app.losses.adversarial import ADVERSARIAL_LOSSES, AdversarialLoss
from tfgan_app.losses.perceptual import build_perceptual_loss
from tfgan_app.losses.reconstruction import RECONSTRUCTION_LOSSES

__all__ = ["ADVERSARIAL_LOSSES", "RECONSTRUCTION_LOSSES", "AdversarialLoss", "build_perceptual_loss"]
