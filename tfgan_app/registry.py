"""Registry: all tables of names that a configuration may use, with the module of each entry.

A row is the text `module:attribute`, imported when it is looked up. So this module needs only the standard library, and
the command line lists all names without delay. A new network, loss, degradation or format is one new file and one row
here. Where a table is open, a name with a colon is a user's own object: `--set task.generator=my_module:build`.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class Table(Mapping[str, Any]):
    """Mapping from names to objects that imports an object when it is looked up.

    Args:
        kind: Kind of the objects, for messages: "a generator".
        rows: Name -> `module:attribute`, or a pair of that and keyword arguments that are always passed to the object.
    """

    def __init__(self, kind: str, rows: Mapping[str, str | tuple[str, dict[str, Any]]]):
        self.kind = kind
        self._rows = dict(rows)

    def __getitem__(self, name: str) -> Any:
        """Returns the object of a row, or a user's own object for `module:attribute`.

        Raises:
            KeyError: If there is no such row.
            ValueError: If a user's own object cannot be imported.
        """
        if is_own(name):
            return _import_own(name)
        row = self._rows[name]
        target, options = (row, {}) if isinstance(row, str) else row
        module, _, attribute = target.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        return functools.partial(found, **options) if options else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows


def is_own(name: str) -> bool:
    """Returns whether a name refers to a user's own object: `module:attribute`."""
    module, colon, attribute = name.partition(":")
    return bool(colon) and all(part.isidentifier() for part in [*module.split("."), attribute])


def _import_own(name: str) -> Any:
    """Imports a user's own object; the current folder is searched too."""
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # Importing a user's module may raise anything.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"Cannot import '{name}': {reason}. Its module is searched for in the current folder and on PYTHONPATH."
        ) from error


TASKS = Table(
    "a task",
    {
        "augment": "tfgan_app.tasks.augment.task:AugmentTask",
        "generate": "tfgan_app.tasks.generate.task:GenerateTask",
        "restore": "tfgan_app.tasks.restoration.restore:RestoreTask",
        "translate": "tfgan_app.tasks.translate:TRANSLATE",
        "upscale": "tfgan_app.tasks.restoration.upscale:UpscaleTask",
    },
)
"""Task classes, or a `MethodChoice` among several."""

PRESETS = Table(
    "a task's presets",
    {
        "augment": "tfgan_app.tasks.augment.config:PRESETS",
        "generate": "tfgan_app.tasks.generate.config:PRESETS",
        "restore": "tfgan_app.tasks.restoration.restore_config:PRESETS",
        "translate": "tfgan_app.tasks.translate.presets:PRESETS",
        "upscale": "tfgan_app.tasks.restoration.upscale_config:PRESETS",
    },
)
"""Presets of each task; their modules load only the standard library."""

_NETWORKS = "tfgan_app.networks"

GENERATORS = Table(
    "a generator from images to images",
    {
        "residual_unet": f"{_NETWORKS}.residual_unet:build_residual_unet",
        "unet": f"{_NETWORKS}.unet:build_unet",
        "resnet_6": (f"{_NETWORKS}.resnet:build_resnet", {"blocks": 6}),
        "resnet_9": (f"{_NETWORKS}.resnet:build_resnet", {"blocks": 9}),
    },
)
"""Float `[batch, height, width, input_channels]` in [-1, 1] to float32 `[batch, height, width, output_channels]`,
nominally in [-1, 1], for any height and width of at least 1."""

DISCRIMINATORS = Table(
    "a discriminator of patches",
    {f"patchgan_{px}": (f"{_NETWORKS}.patchgan:build_patchgan", {"receptive_field": px}) for px in (16, 34, 70, 286)},
)
"""A list `[condition, image]` of float images to float32 logits `[batch, rows, columns, 1]`, one per patch (positive:
real)."""

NOISE_GENERATORS = Table(
    "a generator from noise",
    {
        "mlp": f"{_NETWORKS}.mlp_gan:build_mlp_generator",
        "dcgan": f"{_NETWORKS}.dcgan:build_dcgan_generator",
        "resnet": f"{_NETWORKS}.resnet_gan:build_resnet_generator",
        "r3gan": f"{_NETWORKS}.r3gan:build_r3gan_generator",
        "stylegan2": f"{_NETWORKS}.stylegan2:build_stylegan2_generator",
        "biggan": f"{_NETWORKS}.biggan:build_biggan_generator",
    },
)
"""`latents` float32 `[batch, latent_dim]` to float32 `[batch, size_px, size_px, channels]`, nominally in [-1, 1]; with
classes, a list `[latents, labels]`, labels int32 `[batch]`."""

IMAGE_DISCRIMINATORS = Table(
    "a discriminator of whole images",
    {
        "mlp": f"{_NETWORKS}.mlp_gan:build_mlp_discriminator",
        "dcgan": f"{_NETWORKS}.dcgan:build_dcgan_discriminator",
        "resnet": f"{_NETWORKS}.resnet_gan:build_resnet_discriminator",
        "r3gan": f"{_NETWORKS}.r3gan:build_r3gan_discriminator",
        "stylegan2": f"{_NETWORKS}.stylegan2:build_stylegan2_discriminator",
        "biggan": f"{_NETWORKS}.biggan:build_biggan_discriminator",
    },
)
"""Images of one size to float32 logits `[batch, 1]`; with classes, a list `[labels, image]`; with codes (InfoGAN, Chen
et al. 2016, arXiv:1606.03657), to a list `[logits, codes]`, codes float32 `[batch, codes]`."""

UPSCALERS = Table(
    "an upscaler",
    {
        "compact": f"{_NETWORKS}.compact:build_compact",
        "srresnet": f"{_NETWORKS}.srresnet:build_srresnet",
        "rrdb": f"{_NETWORKS}.rrdb:build_rrdb",
    },
)
"""Float `[batch, height, width, channels]` in [-1, 1] to float32 `[batch, scale * height, scale * width, channels]`,
about in [-1, 1], for any height and width of at least 1."""

RESTORERS = Table(
    "a restorer",
    {
        "nafnet": f"{_NETWORKS}.nafnet:build_nafnet",
        "unet": f"{_NETWORKS}.restoration_unet:build_restoration_unet",
    },
)
"""As `UPSCALERS`, at scale 1."""

INPAINTERS = Table("an inpainting network", {"gated": f"{_NETWORKS}.inpainting:build_gated_inpainting"})
"""A list `[image, mask]`, mask float32 `[batch, height, width, 1]`, 1 in holes, to an image."""

CROP_DISCRIMINATORS = Table(
    "a discriminator of crops",
    {
        "unet": f"{_NETWORKS}.unet_discriminator:build_unet_discriminator",
        "vgg": f"{_NETWORKS}.sr_discriminator:build_vgg_discriminator",
    },
)
"""Images of at least 32 x 32 pixels to float32 logits: one per image, `[batch, 1]`, or one per pixel,
`[batch, height, width, 1]`."""

_ADVERSARIAL = "tfgan_app.losses.adversarial"

ADVERSARIAL_LOSSES = Table(
    "an adversarial loss",
    {
        "minimax": f"{_ADVERSARIAL}:MINIMAX",
        "non_saturating": f"{_ADVERSARIAL}:NON_SATURATING",
        "least_squares": f"{_ADVERSARIAL}:LEAST_SQUARES",
        "hinge": f"{_ADVERSARIAL}:HINGE",
        "wasserstein": f"{_ADVERSARIAL}:WASSERSTEIN",
        "relativistic": f"{_ADVERSARIAL}:RELATIVISTIC",
        "relativistic_average": f"{_ADVERSARIAL}:RELATIVISTIC_AVERAGE",
    },
)
"""`tfgan_app.losses.AdversarialLoss` objects."""

RECONSTRUCTION_LOSSES = Table(
    "a reconstruction loss",
    {
        "l1": "tfgan_app.losses.reconstruction:l1_loss",
        "charbonnier": "tfgan_app.losses.reconstruction:charbonnier_loss",
    },
)
"""Functions `(target, output)` of float `[batch, height, width, channels]` to a float32 scalar."""

GRADIENT_PENALTIES = Table(
    "a gradient penalty",
    {
        "r1": "tfgan_app.losses.gradient_penalty:R1",
        "r2": "tfgan_app.losses.gradient_penalty:R2",
        "wgan_gp": "tfgan_app.losses.gradient_penalty:WGAN_GP",
    },
)
"""`tfgan_app.losses.GradientPenalty` objects."""

DEGRADATIONS = Table(
    "a degradation",
    {
        "blur": "tfgan_app.degradations.blur:GaussianBlur",
        "colorize": "tfgan_app.degradations.color:Gray",
        "deblur": "tfgan_app.degradations.blur:MotionDefocusBlur",
        "denoise": "tfgan_app.degradations.noise:Noise",
        "downscale": "tfgan_app.degradations.resampling:Downscale",
        "jpeg": "tfgan_app.degradations.jpeg:Jpeg",
        "real": "tfgan_app.degradations.real_esrgan:RealESRGAN",
    },
)
"""Degradation classes with keyword-only settings; see `tfgan_app.degradations`."""

DISCRIMINATOR_AUGMENTATIONS = Table(
    "an augmentation for discriminators",
    {
        "ada": "tfgan_app.augmentation.adaptive:AdaptiveAugmentation",
        "diffaugment": "tfgan_app.augmentation.diff_augment:DiffAugment",
    },
)
"""Augmentation classes for the images that the discriminator sees."""

KERAS_MODELS = Table(
    "a GAN as a Keras model",
    {
        "CUT": "tfgan_app.models.cut:CUT",
        "CycleGAN": "tfgan_app.models.cyclegan:CycleGAN",
        "GAN": "tfgan_app.models.gan:GAN",
        "Pix2Pix": "tfgan_app.models.pix2pix:Pix2Pix",
        "Restoration": "tfgan_app.models.restoration:Restoration",
        "StyleTransfer": "tfgan_app.models.style_transfer:StyleTransfer",
        "SuperResolution": "tfgan_app.models.super_resolution:SuperResolution",
    },
)
"""The classes of `tfgan_app.models`, by which Keras knows them in saved files too."""

_SAMPLE_FORMATS = "tfgan_app.image_io.sample_formats"

SAMPLE_FORMATS = Table(
    "a format of images as numbers",
    {
        "png": f"{_SAMPLE_FORMATS}:PNG",
        "tif": f"{_SAMPLE_FORMATS}:TIFF",
        "tiff": f"{_SAMPLE_FORMATS}:TIFF",
        "npy": f"{_SAMPLE_FORMATS}:NPY",
    },
)
"""`tfgan_app.image_io.samples.SampleFormat` objects by the suffixes of their files, without rounding to 8 bits."""

EXPORTERS = Table(
    "an export format",
    {
        "saved_model": "tfgan_app.export.formats:SAVED_MODEL",
        "tflite": "tfgan_app.export.formats:TFLITE",
        "web": "tfgan_app.export.formats:WEB",
        "keras": "tfgan_app.export.formats:KERAS",
    },
)
"""`tfgan_app.export.Exporter` objects."""

_ARCHITECTURES = "tfgan_app.importers.architectures"

IMPORTERS = Table(
    "an architecture that is imported",
    {
        "esrgan": f"{_ARCHITECTURES}.rrdb:ARCHITECTURE",
        "srvgg": f"{_ARCHITECTURES}.srvgg:ARCHITECTURE",
        "span": f"{_ARCHITECTURES}.span:ARCHITECTURE",
        "cyclegan": f"{_ARCHITECTURES}.cyclegan:ARCHITECTURE",
        "pix2pix": f"{_ARCHITECTURES}.pix2pix:ARCHITECTURE",
        "srresnet": f"{_ARCHITECTURES}.srresnet:ARCHITECTURE",
        "ffdnet": f"{_ARCHITECTURES}.dncnn:FFDNET",
        "dncnn": f"{_ARCHITECTURES}.dncnn:DNCNN",
        "drunet": f"{_ARCHITECTURES}.drunet:ARCHITECTURE",
        "dcgan": f"{_ARCHITECTURES}.dcgan:ARCHITECTURE",
        "fast_style": f"{_ARCHITECTURES}.fast_style:ARCHITECTURE",
        "nafnet": f"{_ARCHITECTURES}.nafnet:ARCHITECTURE",
    },
)
"""`tfgan_app.importers.Architecture` objects; the first that detects a file is taken."""


@dataclass(frozen=True)
class Metric:
    """A metric of an evaluation.

    Attributes:
        label: Name in reports.
        higher_is_better: Whether higher values are better.
        unit: Unit in reports.
        decimals: Decimal places in reports.
        function: For users' own metrics: `(target, output) -> float` of two uint8 `[height, width, channels]` images.
            The built-in metrics are computed by the evaluations of the tasks.
    """

    label: str
    higher_is_better: bool
    unit: str = ""
    decimals: int = 3
    function: Any = None


METRICS: dict[str, Metric] = {
    "psnr_y": Metric("PSNR of luma", True, "dB", 2),
    "ssim_y": Metric("SSIM of luma", True),
    "psnr": Metric("PSNR", True, "dB", 2),
    "ssim": Metric("SSIM", True),
    "l1": Metric("L1 error", False, decimals=4),
    "mae": Metric("Mean absolute error in data units", False, decimals=4),
    "rmse": Metric("RMSE in data units", False, decimals=4),
    "lpips": Metric("LPIPS", False),
    "fid": Metric("FID", False, decimals=2),
    "kid": Metric("KID", False, decimals=4),
    "precision": Metric("Precision", True),
    "recall": Metric("Recall", True),
    "density": Metric("Density", True),
    "coverage": Metric("Coverage", True),
    "retrieval": Metric("Retrieval precision of captions", True),
    "transfer_distance": Metric("Distance from content and style", False),
    "content_distance": Metric("Distance from the content", False),
    "style_distance": Metric("Distance from the style", False),
}
"""Metrics by name, in the order of reports."""


def metric_name(name: str) -> str:
    """Returns the name of a metric in evaluations: for a user's own metric, its attribute in lower case."""
    return name.partition(":")[2].lower() if is_own(name) else name


def add_own_metrics(names: tuple[str, ...]) -> dict[str, Metric]:
    """Adds a user's own metrics to `METRICS`, each under its attribute's name in lower case.

    Args:
        names: `module:attribute` of `Metric` objects that have a `function`.

    Returns:
        The metrics by name.

    Raises:
        ValueError: If an object is not such a metric, or has the name of a built-in metric.
    """
    found = {}
    for name in names:
        metric = _import_own(name)
        short = metric_name(name)
        if not isinstance(metric, Metric) or not callable(metric.function):
            raise ValueError(
                f"'{name}' must be a tfgan_app.registry.Metric with a function (target, output) -> float. "
                f"Received: {type(metric).__name__}."
            )
        if METRICS.get(short, metric) != metric:
            raise ValueError(f"'{name}' has the name of another metric, {short}: rename it.")
        METRICS[short] = found[short] = metric
    return found
