"""A GAN small enough to be checked by hand."""

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.losses import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES
from tfgan_app.training.adversarial_trainer import AdversarialTrainer
from tfgan_app.training.optimizers import build_optimizer
from tfgan_app.training.task import GeneratorOutputs, Networks, Objective


def build_tiny_networks() -> Networks:
    """One convolution with a bias each, beside a hidden one in the generator."""
    image, condition, candidate = (keras.Input((None, None, 3)) for _ in range(3))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    x = keras.layers.Conv2D(3, 3, padding="same", dtype="float32")(x)
    y = keras.layers.Concatenate()([condition, candidate])
    y = keras.layers.LeakyReLU(0.2)(keras.layers.Conv2D(8, 4, 2)(y))
    y = keras.layers.Conv2D(1, 3, dtype="float32")(y)
    return Networks({"generator": keras.Model(image, x)}, {"discriminator": keras.Model([condition, candidate], y)})


def forward(networks, batch, training):
    output = networks.generators["generator"](batch["input"], training=training)
    l1 = RECONSTRUCTION_LOSSES["l1"](batch["target"], output)
    return GeneratorOutputs({"discriminator": (batch["target"], output, batch["input"])}, {"l1": l1})


def build_tiny_trainer(*, precision="float32", seed=0, batch_size=4, optimizer=None, **options):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    networks = build_tiny_networks()
    keras.config.set_dtype_policy("float32")
    objective = Objective(
        ADVERSARIAL_LOSSES["non_saturating"], auxiliary_weights={"l1": 10.0}, real_label=options.pop("real_label", 1.0)
    )
    trainer = AdversarialTrainer(
        networks,
        build_tiny_networks(),
        objective=objective,
        forward=forward,
        seed=seed,
        global_batch_size=batch_size,
        **options,
    )
    settings = {"learning_rate": 1e-3, "schedule_steps": 100, "scale_loss": precision == "mixed_float16"}
    optimizers = [build_optimizer(**(settings | (optimizer or {}))) for _ in range(2)]
    trainer.compile(generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1], jit_compile=False)
    return trainer


def build_batches(steps=4, batch_size=4, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (2, steps * batch_size, 16, 16, 3)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(
        {"input": images[0], "target": images[1], "position": np.arange(steps * batch_size)}
    ).batch(batch_size)
