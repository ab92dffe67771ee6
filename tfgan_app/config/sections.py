"""Configuration sections that all tasks share; `tfgan_app.config` combines them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tfgan_app.config.typed_fields import bounded, choice, path_setting, setting
from tfgan_app.registry import METRICS

Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
Strategy = Literal["auto", "none", "mirrored", "multi_worker"]
Background = Literal["white", "gray", "black"]

BACKGROUND_RGB = {"white": (255, 255, 255), "gray": (128, 128, 128), "black": (0, 0, 0)}


@dataclass(frozen=True)
class DataConfig:
    """Data source and image sizes.

    Attributes:
        source: Folder, `keras:NAME` or `tfds:NAME`; None is the task's bundled sample.
        image_size: Side in pixels of the square images that the networks train on.
        load_scale: Images are loaded at `image_size * load_scale`, which leaves room for random crops.
        resize: `short_side` keeps the aspect ratio and crops a square, `squash` resizes the whole image to a square,
            `none` crops at native resolution.
        background: Background color of transparent images.
        input_range: Values of black and white in files of more than 8 bits, as in 0,4095; none decides by file.
        channels: Channels of images that are read as numbers, without rounding to 8 bits: PNG and TIFF of any depth,
            and `.npy`; for `upscale` and `restore`. None reads 8-bit RGB.
        value_range: Data values that become 0 and 1 with `channels`: LOW,HIGH, or percentiles of the training images,
            as in 0.5%,99.5%. None takes the whole range of 8- and 16-bit integers, else least and largest value.
        val_fraction: Share held out for validation if the data has no validation split.
        max_val_images: Maximum number of held-out images for validation during training.
        cache_budget_mb: Decoded images are cached in memory up to this size; larger sets are decoded per step.
    """

    source: str | None = path_setting(on_resume="may_change")
    image_size: int = bounded(64, minimum=16, maximum=4096)
    load_scale: float = bounded(1.125, minimum=1.0, maximum=4.0)
    resize: Literal["short_side", "squash", "none"] = "short_side"
    background: Background = "white"
    input_range: tuple[float, float] | None = None
    channels: int | None = bounded(None, minimum=1, maximum=64)
    value_range: str | None = None
    val_fraction: float = bounded(0.1, minimum=0.0, maximum=1.0)
    max_val_images: int = bounded(256, minimum=1)
    cache_budget_mb: int = bounded(1024, minimum=0, on_resume="may_change")

    def __post_init__(self) -> None:
        # A list from JSON has not been checked yet.
        if isinstance(self.input_range, tuple) and not self.input_range[0] < self.input_range[1]:
            received = ",".join(f"{value:g}" for value in self.input_range)
            raise ValueError(f"`data.input_range` must be LOW,HIGH with LOW below HIGH. Received: {received}.")
        if self.value_range is not None and self.channels is None:
            raise ValueError(
                "`data.value_range` is for images read as numbers: set `data.channels` too. For 8-bit RGB of deep "
                f"files there is `data.input_range`. Received: {self.value_range}."
            )
        if self.input_range is not None and self.channels is not None:
            raise ValueError("`data.input_range` is for 8-bit RGB; with `data.channels` use `data.value_range`.")

    @property
    def reading(self) -> dict[str, Any]:
        """Keyword arguments of image readers for conversion to 8-bit RGB: `background` and `input_range`."""
        return {"background": self.background_rgb, "input_range": self.input_range}

    @property
    def background_rgb(self) -> tuple[int, int, int]:
        """The background as (red, green, blue) in 0..255."""
        return BACKGROUND_RGB[self.background]


@dataclass(frozen=True)
class TrainingConfig:
    """Length, batch size, precision, reproducibility and intervals of a training.

    Attributes:
        steps: Number of training steps of the whole run, including resumed parts.
        batch_size: Images per step over all replicas.
        seed: Seed of the run; everything random is a function of it and the step.
        precision: Compute dtype policy; `auto` picks the fastest one for the hardware.
        strategy: Distribution over devices and hosts; `auto` uses all local GPUs.
        discriminator_steps: Discriminator updates per generator update, each on a separate batch.
        accumulate_steps: Number of steps over which gradients are summed before an update.
        ema_decay: Decay of the averaged generator that is validated and exported.
        deterministic: Whether TensorFlow uses deterministic kernels (slower on GPUs).
        log_every_steps: Steps between rows of metrics.csv and TensorBoard scalars.
        sample_every_steps: Steps between image grids.
        validate_every_steps: Steps between validations on held-out images.
        checkpoint_every_steps: Steps between checkpoints.
        keep_checkpoints: Number of latest checkpoints to keep.
        best_metric: Validation metric that selects the best checkpoint; an item of `task.metrics`.
    """

    steps: int = bounded(2000, minimum=1, on_resume="may_change")
    batch_size: int = bounded(16, minimum=1)
    seed: int = bounded(0, minimum=0, maximum=2**31 - 1)
    precision: Precision = "auto"
    strategy: Strategy = "auto"
    discriminator_steps: int = bounded(1, minimum=1, maximum=100)
    accumulate_steps: int = bounded(1, minimum=1)
    ema_decay: float = bounded(0.999, minimum=0.0, below=1.0)
    deterministic: bool = False
    log_every_steps: int = bounded(50, minimum=1, on_resume="may_change")
    sample_every_steps: int = bounded(250, minimum=1, on_resume="may_change")
    validate_every_steps: int = bounded(250, minimum=1, on_resume="may_change")
    checkpoint_every_steps: int = bounded(250, minimum=1, on_resume="may_change")
    keep_checkpoints: int = bounded(3, minimum=1, on_resume="may_change")
    best_metric: str = choice(METRICS, default="ssim", on_resume="may_change")

    @property
    def images_per_step(self) -> int:
        """Training images that one step consumes."""
        return self.batch_size * self.discriminator_steps


@dataclass(frozen=True)
class OptimizerConfig:
    """Adam for both networks, with separate learning rates (TTUR, Heusel et al. 2017, arXiv:1706.08500).

    Attributes:
        generator_learning_rate: Peak learning rate of the generator.
        discriminator_learning_rate: Peak learning rate of the discriminator.
        muon_learning_rate: Peak learning rate of Muon (Jordan et al. 2024) for the generator's square kernels; None
            uses Adam for all weights.
        beta_1: Decay of Adam's first moment.
        beta_2: Decay of Adam's second moment.
        clip_norm: Limit of the global gradient norm of each network at each step; None does not clip.
        normalize_gradients: Whether to scale the gradients of each network to a global norm of 1 at each step.
        schedule: Shape of the learning rate after the warm-up.
        schedule_steps: Length of the schedule in steps; none means `training.steps` at the start of the run.
        schedule_start: First step of the schedule; `--resume` with other rates sets it.
        warmup_steps: Steps over which the rate rises from zero to its peak; at most a tenth of `schedule_steps`.
    """

    generator_learning_rate: float = bounded(2e-4, above=0.0, on_resume="new_phase")
    discriminator_learning_rate: float = bounded(2e-4, above=0.0, on_resume="new_phase")
    muon_learning_rate: float | None = bounded(None, above=0.0, on_resume="new_phase")
    beta_1: float = bounded(0.5, minimum=0.0, below=1.0)
    beta_2: float = bounded(0.999, minimum=0.0, below=1.0)
    clip_norm: float | None = bounded(None, above=0.0)
    normalize_gradients: bool = False
    schedule: Literal["constant", "linear", "cosine"] = setting("constant", on_resume="new_phase")
    schedule_steps: int | None = bounded(None, minimum=1, on_resume="new_phase")
    schedule_start: int = bounded(0, minimum=0, on_resume="new_phase")
    warmup_steps: int = bounded(0, minimum=0, on_resume="new_phase")
