"""Generators and discriminators: plain functional Keras models, one architecture a file.

`GENERATORS` and `DISCRIMINATORS` work on an image. Every generator maps float
`[batch, height, width, input_channels]` in [-1, 1] to float32 `[batch, height, width, output_channels]`
(nominally in [-1, 1]) for any height and width of at least 1. Every discriminator maps a list
`[condition, image]` of such tensors to float32 logits `[batch, rows, columns, 1]`, one for each patch
(positive: real).

`NOISE_GENERATORS` and `IMAGE_DISCRIMINATORS` work at one size. Every generator maps `latents` float32
`[batch, latent_dim]` to float32 `[batch, size_px, size_px, channels]` (nominally in [-1, 1]); with classes, a
list `[latents, labels]`, labels int32 `[batch]`. Every discriminator maps such an image to float32 logits
`[batch, 1]`; with classes, a list `[labels, image]`; with codes (InfoGAN, Chen et al. 2016,
arXiv:1606.03657), to a list `[logits, codes]`, codes float32 `[batch, codes]`.

`UPSCALERS` map float `[batch, height, width, channels]` in [-1, 1] to float32
`[batch, scale * height, scale * width, channels]`, about in [-1, 1], for any height and width of at least 1.
`RESTORERS` do so at scale 1; `INPAINTERS` map a list `[image, mask]`, mask float32 `[batch, height, width, 1]`, 1 in
holes, to such a picture. `PICTURE_DISCRIMINATORS` map a picture of any size from 32 on to float32 logits: one for the
picture, `[batch, 1]`, or one for each pixel, `[batch, height, width, 1]`.
"""

from functools import partial

from tfgan_app.networks.compact import build_compact
from tfgan_app.networks.dcgan import build_dcgan_discriminator, build_dcgan_generator
from tfgan_app.networks.inpainting import build_gated_inpainting
from tfgan_app.networks.mlp_gan import build_mlp_discriminator, build_mlp_generator
from tfgan_app.networks.nafnet import build_nafnet
from tfgan_app.networks.patchgan import RECEPTIVE_FIELDS, build_patchgan
from tfgan_app.networks.r3gan import build_r3gan_discriminator, build_r3gan_generator
from tfgan_app.networks.residual_unet import build_residual_unet
from tfgan_app.networks.resnet import build_resnet
from tfgan_app.networks.resnet_gan import build_resnet_discriminator, build_resnet_generator
from tfgan_app.networks.restoration_unet import build_restoration_unet
from tfgan_app.networks.rrdb import build_rrdb
from tfgan_app.networks.sr_discriminator import build_vgg_discriminator
from tfgan_app.networks.srresnet import build_srresnet
from tfgan_app.networks.unet import build_unet
from tfgan_app.networks.unet_discriminator import build_unet_discriminator

GENERATORS = {
    "residual_unet": build_residual_unet,
    "unet": build_unet,
    "resnet_6": partial(build_resnet, blocks=6),
    "resnet_9": partial(build_resnet, blocks=9),
}

DISCRIMINATORS = {f"patchgan_{field}": partial(build_patchgan, receptive_field=field) for field in RECEPTIVE_FIELDS}

NOISE_GENERATORS = {
    "mlp": build_mlp_generator,
    "dcgan": build_dcgan_generator,
    "resnet": build_resnet_generator,
    "r3gan": build_r3gan_generator,
}

IMAGE_DISCRIMINATORS = {
    "mlp": build_mlp_discriminator,
    "dcgan": build_dcgan_discriminator,
    "resnet": build_resnet_discriminator,
    "r3gan": build_r3gan_discriminator,
}

UPSCALERS = {"compact": build_compact, "srresnet": build_srresnet, "rrdb": build_rrdb}

RESTORERS = {"nafnet": build_nafnet, "unet": build_restoration_unet}

INPAINTERS = {"gated": build_gated_inpainting}

PICTURE_DISCRIMINATORS = {"unet": build_unet_discriminator, "vgg": build_vgg_discriminator}
