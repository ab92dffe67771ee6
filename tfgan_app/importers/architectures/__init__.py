"""The importable architectures, with a file and a row for each."""

from tfgan_app.importers.architecture import Architecture
from tfgan_app.importers.architectures import (
    cyclegan,
    dcgan,
    dncnn,
    drunet,
    fast_style,
    nafnet,
    pix2pix,
    rrdb,
    span,
    srresnet,
    srvgg,
)

ARCHITECTURES: dict[str, Architecture] = {
    "esrgan": Architecture("ESRGAN, Real-ESRGAN (RRDBNet)", rrdb.detect, rrdb.build, options=("scale",)),
    "srvgg": Architecture("Real-ESRGAN Compact (SRVGGNetCompact)", srvgg.detect, srvgg.build, options=("scale",)),
    "span": Architecture("SPAN", span.detect, span.build, options=("scale",)),
    "cyclegan": Architecture("CycleGAN (ResNet)", cyclegan.detect, cyclegan.build, options=("norm",)),
    "pix2pix": Architecture("pix2pix (U-Net)", pix2pix.detect, pix2pix.build, options=("norm",)),
    "srresnet": Architecture("SRResNet, EDSR", srresnet.detect, srresnet.build, options=("scale",)),
    "ffdnet": Architecture("FFDNet", dncnn.detect_ffdnet, dncnn.build_ffdnet, options=("noise_level",)),
    "dncnn": Architecture("DnCNN, FDnCNN", dncnn.detect, dncnn.build, options=("noise_level",)),
    "drunet": Architecture("DRUNet", drunet.detect, drunet.build, options=("noise_level",)),
    "dcgan": Architecture("DCGAN", dcgan.detect, dcgan.build, options=("norm",)),
    "fast_style": Architecture("fast neural style (Johnson)", fast_style.detect, fast_style.build),
    "nafnet": Architecture("NAFNet", nafnet.detect, nafnet.build),
}
"""Name for `--architecture` -> row; the first that detects a file is used."""
