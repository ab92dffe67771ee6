"""Pools of earlier generated images for the discriminators."""

from __future__ import annotations

import tensorflow as tf

from tfgan_app.training.stateless_random import StatelessRandom


class ImagePool:
    """Pool of generated images, which replaces new images by earlier ones half of the time.

    "Learning from Simulated and Unsupervised Images through Adversarial Training", Shrivastava et al. 2017,
    arXiv:1612.07828, section 2.3, as CycleGAN uses it (Zhu et al. 2017, arXiv:1703.10593, section 4): until it is
    full, each image is kept and returned; then each is, with probability 1/2, exchanged for a random kept one.
    Images of a batch are taken one after the other, in the order of the global batch, so that several replicas keep
    the same pool as one device does. The pool consists of variables, and its draws are functions of (seed, step): it is
    resumed with the rest of a training.

    Args:
        size: Number of images in the pool.
        image_shape: Height, width and channels of each.
        draws: Random numbers of the step.
        stream: Stream of its random numbers.
        add_weight: `keras.Model.add_weight`.
        name: Prefix of the variables' names.
    """

    def __init__(
        self, size: int, image_shape: tuple[int, ...], *, draws: StatelessRandom, stream: int, add_weight, name: str
    ):
        options = {"trainable": False, "initializer": "zeros"}
        self._size = size
        self._draws = draws
        self._stream = stream
        self._images = add_weight(name=f"{name}_images", shape=(size, *image_shape), dtype="float32", **options)
        self._count = add_weight(name=f"{name}_count", shape=(), dtype="int64", **options)
        self.variables = [self._images, self._count]

    def exchange(self, images: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        """Puts new images in and takes the same number out.

        Args:
            images: float32 `[batch, height, width, channels]`, this replica's.
            positions: int64 `[batch]`, positions of the examples.

        Returns:
            Images of the same shape: each is the new image or an earlier one.
        """
        draws = self._draws.uniform(positions, 2, stream=self._stream)
        places, (images, draws) = self._global_batch(positions, tf.stop_gradient(images), draws)
        count, batch = tf.convert_to_tensor(self._count), tf.shape(images, out_type=tf.int64)[0]
        order = tf.range(batch)
        fills = count + order < self._size
        slots = tf.where(fills, count + order, tf.cast(draws[:, 1] * self._size, tf.int64))
        takes = ~fills & (draws[:, 0] < 0.5)
        writes = fills | takes
        # If several images of the batch went into a slot, the last one is taken.
        earlier = writes[None] & (slots[None] == slots[:, None]) & (order[None] < order[:, None])
        taken = tf.where(takes, self._latest(earlier, order, slots), self._size + order)
        pool, own = tf.convert_to_tensor(self._images), tf.gather(taken, places)
        is_new = (own >= self._size)[:, None, None, None]
        new = tf.gather(images, tf.maximum(own - self._size, 0))
        handed_out = tf.where(is_new, new, tf.gather(pool, tf.minimum(own, self._size - 1)))
        # Of several images for one slot, the last one stays.
        later = writes[None] & (slots[None] == slots[:, None]) & (order[None] > order[:, None])
        stays = tf.where(writes & ~tf.reduce_any(later, axis=1))[:, 0]
        changed = tf.gather(slots, stays)[:, None]
        self._images.assign(tf.tensor_scatter_nd_update(pool, changed, tf.gather(images, stays)))
        self._count.assign(tf.minimum(count + batch, self._size))
        return handed_out

    def _latest(self, written: tf.Tensor, order: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
        """Index in pool and batch of the last image written `[rows, batch]`, else `otherwise`, in the pool `[rows]`."""
        last = tf.reduce_max(tf.where(written, order[None], -1), axis=1)
        return tf.where(last >= 0, self._size + last, otherwise)

    def _global_batch(self, positions: tf.Tensor, *values: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """This replica's indices in the global batch `[batch]`, and that batch's values."""
        context = tf.distribute.get_replica_context()
        count = tf.shape(positions, out_type=tf.int64)[0] * context.num_replicas_in_sync
        places = self._draws.places(positions, count)
        gathered = []
        for value in values:
            shape = tf.concat([count[None], tf.shape(value, out_type=tf.int64)[1:]], axis=0)
            # The static shape is lost here, and networks need the number of channels.
            spread = tf.ensure_shape(tf.scatter_nd(places[:, None], value, shape), [None, *value.shape[1:]])
            gathered.append(context.all_reduce("SUM", spread) if context.num_replicas_in_sync > 1 else spread)
        return places, gathered
