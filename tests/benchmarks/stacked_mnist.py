"""StackedMNIST: which losses cover the 1,000 modes of three random digits in the three colors.

python tests/benchmarks/stacked_mnist.py --mnist FOLDER [--minutes 30 | --steps 600] [--losses "relativistic + R1" ...]
    [--reference]

FOLDER holds MNIST's four IDX files (train-images-idx3-ubyte.gz, ...). 25,600 generated images; a classifier of single
digits names the mode. Metz et al. 2017, arXiv:1611.02163; Lin et al. 2018, arXiv:1712.04086. Every row has the same
minutes of training, compilation left out, or the same steps; the learning rates fall to nothing over them.
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from dcgan_reference import sample_reference, train_reference
from mode_coverage import DISCRIMINATOR_STEPS, LOSS_SETTINGS, coverage

from tfgan_app import config as configs
from tfgan_app.commands.building import build_trainer
from tfgan_app.image_io.grid import make_grid
from tfgan_app.image_io.loading import write_image
from tfgan_app.tasks.generate.config import DEFAULT_PRESET, GenerateConfig
from tfgan_app.tasks.generate.sampling import draw_latents, rows_of, sample
from tfgan_app.tasks.generate.task import GenerateTask
from tfgan_app.training.devices import resolve_precision

SAMPLES = 25_600


def main():
    """Prints a row for each loss, and for the reference recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", required=True, type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--steps", type=int, help="of the generator, in place of minutes")
    parser.add_argument("--losses", nargs="*", choices=LOSS_SETTINGS, default=["relativistic + R1 + R2"])
    parser.add_argument("--reference", action="store_true", help="the Keras documentation's DCGAN too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images-per-second", type=float, help="instead of a measurement, to plan the schedule")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--grids", type=Path, help="folder for images")
    args = parser.parse_args()
    digits, labels = (read_idx(args.mnist, f"train-{kind}") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    classifier = train_digit_classifier(digits, labels)
    held_out = [read_idx(args.mnist, f"t10k-{kind}") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    accuracy = float(np.mean(classify(classifier, held_out[0]) == held_out[1]))
    print(f"digit classifier: {accuracy:.2%} of the test digits right")
    real = stack(digits, count=SAMPLES, seed=99)
    report("real images", real, classifier, args, "")
    if args.reference:
        gan, steps = train_reference(
            stack(digits, count=60_000, seed=1), minutes=args.minutes, seed=args.seed, steps=args.steps
        )
        images = sample_reference(gan, SAMPLES, size_px=28, seed=1)
        report("Keras documentation's DCGAN", images, classifier, args, f"{steps} steps of 32")
    for name in args.losses:
        images, said = train(name, digits, args)
        report(name, images, classifier, args, said)


def report(name: str, images: np.ndarray, classifier: keras.Model, args, said: str):
    """Prints one row, and writes its grid."""
    modes = sum(classify(classifier, images[..., channel]) * 10**channel for channel in range(3))
    covered, divergence = coverage(modes, 1000)
    print(f"{name:28} modes {covered:5d}   KL {divergence:.3f}   {said}", flush=True)
    if args.grids:
        write_image(args.grids / f"{name.replace(' ', '_')}.png", make_grid(rows_of(images[:96], 12)))


def train(name: str, digits: np.ndarray, args) -> tuple[np.ndarray, str]:
    """Trains one row with the default recipe but for its loss; returns images and how long it took."""
    loss, penalties = LOSS_SETTINGS[name]
    values = {
        **DEFAULT_PRESET,
        "training.seed": args.seed,
        "training.precision": resolve_precision("auto"),
        "task.colors": "rgb",
        "task.augmentation": "none",
        "task.adversarial_loss": loss,
        "training.discriminator_steps": DISCRIMINATOR_STEPS.get(name, 1),
        **{f"task.{key}_weight": penalties.get(key, 0.0) for key in ("r1", "r2", "wgan_gp")},
    }
    config = configs.resolve_config("generate", GenerateConfig, preset=values, overrides=args.set)
    steps = args.steps
    if steps is None:
        rate = args.images_per_second or measure_rate(config, digits)
        steps = int(rate * 60.0 * args.minutes / config.training.images_per_step)
    config = configs.replace_values(config, {"training.steps": steps, "optimizer.schedule_steps": steps})
    task = GenerateTask(config)
    trainer = build_trainer(task, config, strategy=tf.distribute.get_strategy())
    dataset = build_dataset(digits, config)
    trainer.fit(dataset, steps_per_epoch=3, epochs=1, shuffle=False, verbose=0)
    start = time.perf_counter()
    deadline = [] if args.steps else [Deadline(start + 60.0 * args.minutes)]
    trainer.fit(dataset, steps_per_epoch=steps - 3, epochs=1, shuffle=False, verbose=0, callbacks=deadline)
    seconds = time.perf_counter() - start
    model = task.inference_model(trainer.averaged)
    done = int(trainer.step.numpy())
    return sample(model, draw_latents(model, SAMPLES)), f"{done} of {steps} steps, {seconds / 60:.1f} minutes"


def measure_rate(config, digits: np.ndarray) -> float:
    """Images per second of a few steps."""
    trainer = build_trainer(GenerateTask(config), config, strategy=tf.distribute.get_strategy())
    dataset = build_dataset(digits, config)
    trainer.fit(dataset, steps_per_epoch=3, epochs=1, shuffle=False, verbose=0)
    start, steps = time.perf_counter(), 40
    trainer.fit(dataset, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
    return steps * config.training.images_per_step / (time.perf_counter() - start)


class Deadline(keras.callbacks.Callback):
    """Ends `fit` when the time is up."""

    def __init__(self, end: float):
        super().__init__()
        self._end = end

    def on_train_batch_end(self, batch, logs=None):
        """Looks at the clock."""
        if time.perf_counter() > self._end:
            self.model.stop_training = True


def build_dataset(digits: np.ndarray, config) -> tf.data.Dataset:
    """Endless batches of three random digits stacked as red, green and blue: a function of (seed, step)."""
    memory, count = tf.constant(digits), config.training.images_per_step

    def draw(step):
        key = tf.stack([tf.cast(config.training.seed, tf.int64), step])
        indices = tf.random.stateless_uniform([count, 3], key, 0, len(digits), tf.int64)
        return {
            "image": tf.transpose(tf.gather(memory, indices), [0, 2, 3, 1]),
            "label": tf.fill([count], -1),
            "position": step * count + tf.range(count, dtype=tf.int64),
        }

    return tf.data.Dataset.counter().map(draw).prefetch(4)


def stack(digits: np.ndarray, *, count: int, seed: int) -> np.ndarray:
    """Real images: uint8 `[count, 28, 28, 3]`."""
    indices = np.random.default_rng(seed).integers(0, len(digits), (count, 3))
    return np.stack([digits[indices[:, channel]] for channel in range(3)], axis=-1)


def read_idx(folder: Path, name: str) -> np.ndarray:
    """Reads `name.gz`, an IDX file of bytes."""
    with gzip.open(folder / f"{name}.gz") as file:
        content = file.read()
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(content[3])]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def train_digit_classifier(digits: np.ndarray, labels: np.ndarray) -> keras.Model:
    """A small convolutional classifier of single digits."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            *(
                layer
                for width in (32, 64)
                for layer in (layers.Conv2D(width, 3, padding="same", activation="relu"), layers.MaxPooling2D(2))
            ),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    model.fit(digits[..., None].astype(np.float32), labels, batch_size=128, epochs=3, verbose=0)
    return model


def classify(classifier: keras.Model, digits: np.ndarray) -> np.ndarray:
    """The likeliest digit of uint8 `[count, 28, 28]`."""
    return classifier.predict(digits[..., None].astype(np.float32), batch_size=512, verbose=0).argmax(-1)


if __name__ == "__main__":
    main()
