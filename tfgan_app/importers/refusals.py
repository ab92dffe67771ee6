"""Reasons why recognizable but unsupported weights are rejected."""

from __future__ import annotations

import re

from tfgan_app.importers.weights import Weights

_OTHERS = {
    "SwinIR or Swin2SR": r"layers\.0\.residual_group\.blocks\.0\.(attn|norm1)",
    "HAT": r"layers\.0\.residual_group\.(blocks\.0\.conv_block|overlap_attn)",
    "DAT": r"layers\.0\.blocks\.\d+\.attn\.",
    "RLFN": r"block_1\.(c5|esa)\.",
    "RFDN": r"B1\.c1_d\.",
    "RCAN": r"body\.0\.body\.0\.body\.3\.conv_du\.",
    "Restormer": r"encoder_level1\.0\.attn\.",
    "SCUNet": r"m_body\.0\.trans_block\.",
    "GFPGAN": r"stylegan_decoder\.",
    "StyleGAN": r"(mapping|synthesis|style)\.\w+\.?\d*\.(weight|affine)",
    "a diffusion model": r"(model\.)?(diffusion_model|input_blocks|time_embed)\.",
    "Real-CUGAN": r"unet1\.conv1\.conv\.",
    "MoSR, PLKSR or RealPLKSR": r"(gblocks|feats)\.\d+\.(token_mix|lk|channel_mixer|fc1)",
}
"""Architecture -> names of tensors that identify it, at the beginning."""

_CLASSIFIER = r"(fc|classifier(\.\d+)?|linear\d*|head)\.weight"


def why_refused(weights: Weights) -> str | None:
    """Names the unsupported architecture of weights, as far as it can be recognized.

    Args:
        weights: All tensors of the file.

    Returns:
        A clause, or None.
    """
    if is_discriminator(weights):
        return "it is a discriminator, which makes no images: give the generator's file"
    for name, pattern in _OTHERS.items():
        if any(re.match(pattern, tensor) for tensor in weights):
            return f"its architecture is {name}, which is not supported"
    if any(re.fullmatch(_CLASSIFIER, tensor) for tensor in weights):
        return "it seems to be a classifier, which makes no images"
    return None


def is_discriminator(weights: Weights) -> bool:
    """Returns whether the last convolution or linear layer gives one number, and no layer upscales.

    This holds for PatchGAN (`model.0`, ..., one channel of 4 x 4 kernels), for the U-Net and VGG discriminators of
    ESRGAN, and for DCGAN's.
    """
    kernels = [(name, weights.shape(name)) for name in weights if re.search(r"weight(_orig)?$", name)]
    kernels = [(name, shape) for name, shape in kernels if len(shape) in (2, 4)]
    if len(kernels) < 2 or any(len(shape) not in (2, 4) for _, shape in kernels):
        return False
    _, last = kernels[-1]
    if last[0] != 1:
        return False
    strided = [shape for _, shape in kernels if len(shape) == 4 and shape[2:] == (4, 4)]
    return len(last) == 2 or len(strided) >= 2 or any("discriminator" in name.lower() for name, _ in kernels)
