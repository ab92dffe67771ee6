"""Trains the tiny game in a process of its own and writes its weights.

python distributed_worker.py STRATEGY OUTPUT.npz
"""

import sys

import numpy as np
import tensorflow as tf


def main():
    """Trains four steps of a global batch of 4."""
    name, output = sys.argv[1:]
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from tiny_game import build_batches, build_tiny_trainer

    from tfgan_app.training.checkpoints import state_variables
    from tfgan_app.training.devices import build_strategy

    strategy = build_strategy(name)

    def augment(batch, draws):
        shift = 0.1 * draws[:, 0][:, None, None, None]
        return {"input": batch["input"] + shift, "target": batch["target"] + shift}

    with strategy.scope():
        trainer = build_tiny_trainer(augment=augment, draws_per_example=1, clip_norm=0.1)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    trainer.fit(build_batches().with_options(options), epochs=1, steps_per_epoch=4, shuffle=False, verbose=0)
    print(strategy.num_replicas_in_sync, "replicas")
    np.savez(output, **{key: np.asarray(variable.value) for key, variable in state_variables(trainer).items()})


if __name__ == "__main__":
    main()
