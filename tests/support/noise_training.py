"""A GAN from noise, small enough to be checked by hand."""

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.layers import spectral
from tfgan_app.losses import ADVERSARIAL_LOSSES, GRADIENT_PENALTIES
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.optimizers import build_optimizer
from tfgan_app.training.task import GeneratorOutputs, Networks, Objective

SIZE, LATENTS = 8, 4


def build_noise_networks(codes=0, *, spectral_norm=False) -> Networks:
    """A dense generator and a discriminator that is smooth, so that its gradients have gradients."""
    wrap = spectral(spectral_norm)
    latents, image = keras.Input((LATENTS,)), keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Dense(SIZE * SIZE, activation="tanh", dtype="float32")(latents)
    x = keras.layers.Reshape((SIZE, SIZE, 1))(x)
    y = wrap(keras.layers.Conv2D(6, 4, 2, activation="softplus"))(image)
    y = keras.layers.Flatten()(y)
    outputs = keras.layers.Dense(1, dtype="float32")(y)
    if codes:
        outputs = [outputs, keras.layers.Dense(codes, dtype="float32")(y)]
    return Networks({"generator": keras.Model(latents, x)}, {"discriminator": keras.Model(image, outputs)})


def forward(networks, batch, training):
    fake = networks.generators["generator"](batch["latents"], training=training)
    return GeneratorOutputs({"discriminator": (batch["image"], fake, None)}, codes=batch["latents"][:, :1])


def build_noise_trainer(
    *,
    loss="non_saturating",
    penalties=(),
    every=1,
    precision="float32",
    code_loss=None,
    codes=0,
    spectral_norm=False,
    optimizer=None,
    **options,
):
    """A trainer with each penalty of `penalties`, a dictionary name -> weight."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    networks = build_noise_networks(codes, spectral_norm=spectral_norm)
    keras.config.set_dtype_policy("float32")
    objective = Objective(
        ADVERSARIAL_LOSSES[loss],
        penalties=tuple((GRADIENT_PENALTIES[name], weight) for name, weight in dict(penalties).items()),
        penalty_every_steps=every,
        code_loss=code_loss,
    )
    options.setdefault("global_batch_size", 4)
    trainer = AdversarialTrainer(
        networks, build_noise_networks(codes), objective=objective, forward=forward, ema_decay=0.0, **options
    )
    settings = {"learning_rate": 1e-3, "schedule_steps": 100, "scale_loss": precision == "mixed_float16"}
    optimizers = [build_optimizer(**(settings | (optimizer or {}))) for _ in range(2)]
    trainer.compile(generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1], jit_compile=False)
    return trainer


def build_noise_batches(steps=4, batch_size=4, seed=0):
    rng = np.random.default_rng(seed)
    count = steps * batch_size
    return tf.data.Dataset.from_tensor_slices(
        {
            "image": rng.uniform(-1, 1, (count, SIZE, SIZE, 1)).astype(np.float32),
            "latents": rng.standard_normal((count, LATENTS)).astype(np.float32),
            "position": np.arange(count),
        }
    ).batch(batch_size)
