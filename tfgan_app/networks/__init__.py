"""Image-to-image generators and discriminators: plain functional Keras models, one architecture a file.

Every generator maps float `[batch, height, width, input_channels]` in [-1, 1] to float32
`[batch, height, width, output_channels]` (nominally in [-1, 1]) for any height and width of at least 1.
Every discriminator maps a list `[condition, image]` of such tensors to float32 logits
`[batch, rows, columns, 1]`, one for each patch (positive: real).
"""

from functools import partial

from tfgan_app.networks.patchgan import RECEPTIVE_FIELDS, build_patchgan
from tfgan_app.networks.residual_unet import build_residual_unet
from tfgan_app.networks.resnet import build_resnet
from tfgan_app.networks.unet import build_unet

GENERATORS = {
    "residual_unet": build_residual_unet,
    "unet": build_unet,
    "resnet_6": partial(build_resnet, blocks=6),
    "resnet_9": partial(build_resnet, blocks=9),
}

DISCRIMINATORS = {f"patchgan_{field}": partial(build_patchgan, receptive_field=field) for field in RECEPTIVE_FIELDS}
