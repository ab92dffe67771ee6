"""Trains a small GAN in a separate process and writes its weights.

python distributed_worker.py TRAINING STRATEGY OUTPUT.npz
"""

import sys

import numpy as np
import tensorflow as tf


def build_pairs():
    """Paired images, augmented, with clipping."""
    from tiny_training import build_batches, build_tiny_trainer

    def augment(batch, draws):
        shift = 0.1 * draws[:, 0][:, None, None, None]
        return {"input": batch["input"] + shift, "target": batch["target"] + shift}

    return build_tiny_trainer(augment=augment, draws_per_example=1, clip_norm=0.1), build_batches()


def build_noise():
    """Lazy penalties, several discriminator steps, ADA, instance noise, spectral normalization, a pool of images."""
    from noise_training import build_noise_batches, build_noise_trainer

    from tfgan_app.training.task import DiscriminatorInputs

    class Shift:
        draws_per_example = 1

        def __call__(self, images, draws, probability):
            return images + probability * draws[:, :, None, None]

    adapting = {"augmentation": Shift(), "probability": 0.5, "target": 0.6, "ramp_images": 100}
    discriminator_inputs = DiscriminatorInputs(**adapting, noise_sigma=0.1, pool_size=6, pool_image=(8, 8, 1))
    trainer = build_noise_trainer(
        discriminator_inputs=discriminator_inputs,
        penalties={"r1": 1.0, "wgan_gp": 1.0},
        every=2,
        discriminator_steps=2,
        normalize_gradients=True,
        spectral_norm=True,
    )
    return trainer, build_noise_batches(batch_size=8)


def main():
    """Trains four steps of a global batch of 4."""
    training, name, output = sys.argv[1:]
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from tfgan_app.training.checkpoints import state_variables
    from tfgan_app.training.devices import build_strategy

    strategy = build_strategy(name)
    with strategy.scope():
        trainer, batches = {"pairs": build_pairs, "noise": build_noise}[training]()
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    trainer.fit(batches.with_options(options), epochs=1, steps_per_epoch=4, shuffle=False, verbose=0)
    print(strategy.num_replicas_in_sync, "replicas")
    np.savez(output, **{key: np.asarray(variable.value) for key, variable in state_variables(trainer).items()})


if __name__ == "__main__":
    main()
