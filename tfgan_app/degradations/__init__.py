"""Degradations of good images, from which a network learns the way back.

A degradation has `draws_per_example` and maps `images` float32 `[batch, height, width, 3]` in [0, 1] and `draws`
float32 `[batch, draws_per_example]`, uniform in [0, 1), to images of the same shape (`"downscale"` and `"real"`:
smaller by their `scale`). It is a pure function of both, eagerly, in a graph and in tf.data, and each example depends
on its own draws alone, except for draws that a class shares within a batch, as documented there. Noise and ringing may
leave [0, 1]: `Compose` composes degradations and ends with 8 bits.
"""

from tfgan_app.degradations.composition import Compose, Degradation, RandomApply
from tfgan_app.degradations.masks import MASK_DRAWS, MASKS, random_masks
from tfgan_app.degradations.quantization import to_eight_bits
from tfgan_app.degradations.resampling import downscale, resize
from tfgan_app.registry import DEGRADATIONS

__all__ = [
    "DEGRADATIONS",
    "MASKS",
    "MASK_DRAWS",
    "Compose",
    "Degradation",
    "RandomApply",
    "downscale",
    "random_masks",
    "resize",
    "to_eight_bits",
]
