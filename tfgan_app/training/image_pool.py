"""Images that were generated earlier, for discriminators to see again."""

from __future__ import annotations

import tensorflow as tf

from tfgan_app.training.stateless_random import StatelessRandom


class ImagePool:
    """Keeps generated images and hands out, half of the time, one of them in the place of a new one.

    "Learning from Simulated and Unsupervised Images through Adversarial Training", Shrivastava et al. 2017,
    arXiv:1612.07828, section 2.3, as CycleGAN uses it (Zhu et al. 2017, arXiv:1703.10593, section 4): until it is
    full, each image is kept and returned; then each is, with probability 1/2, exchanged for a random kept one.
    Images of a batch are taken one after the other, in the order of the global batch, so that several replicas keep
    the same pool as one device does. The pool is variables and its draws are functions of (seed, step): it is resumed
    with the rest of a training.

    Args:
        size: Images that it keeps.
        image_shape: Height, width and channels of each.
        draws: Random numbers of the step.
        stream: Tells its draws from others.
        add_weight: Makes variables, as `keras.Model.add_weight`.
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
        """Puts new images in and takes as many out.

        Args:
            images: float32 `[batch, height, width, channels]`, this replica's.
            positions: int64 `[batch]`, of the examples.

        Returns:
            The same shape: each image itself, or one that was put in before it.
        """
        draws = self._draws.uniform(positions, 2, stream=self._stream)
        places, (images, draws) = self._global_batch(positions, tf.stop_gradient(images), draws)
        count, batch = tf.convert_to_tensor(self._count), tf.shape(images, out_type=tf.int64)[0]
        order = tf.range(batch)
        fills = count + order < self._size
        slots = tf.where(fills, count + order, tf.cast(draws[:, 1] * self._size, tf.int64))
        takes = ~fills & (draws[:, 0] < 0.5)
        writes = fills | takes
        # Of a slot that earlier images of the batch were put into, the last of them is taken.
        earlier = writes[None] & (slots[None] == slots[:, None]) & (order[None] < order[:, None])
        taken = tf.where(takes, self._latest(earlier, order, slots), self._size + order)
        pool, own = tf.convert_to_tensor(self._images), tf.gather(taken, places)
        is_new = (own >= self._size)[:, None, None, None]
        new = tf.gather(images, tf.maximum(own - self._size, 0))
        handed_out = tf.where(is_new, new, tf.gather(pool, tf.minimum(own, self._size - 1)))
        # Of several images for one slot, the last stays.
        later = writes[None] & (slots[None] == slots[:, None]) & (order[None] > order[:, None])
        stays = tf.where(writes & ~tf.reduce_any(later, axis=1))[:, 0]
        changed = tf.gather(slots, stays)[:, None]
        self._images.assign(tf.tensor_scatter_nd_update(pool, changed, tf.gather(images, stays)))
        self._count.assign(tf.minimum(count + batch, self._size))
        return handed_out

    def _latest(self, written: tf.Tensor, order: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
        """Place in pool and batch of the last image written `[rows, batch]`, or else in the pool `[rows]`."""
        last = tf.reduce_max(tf.where(written, order[None], -1), axis=1)
        return tf.where(last >= 0, self._size + last, otherwise)

    def _global_batch(self, positions: tf.Tensor, *values: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """This replica's places in the global batch `[batch]`, and that batch's values."""
        context = tf.distribute.get_replica_context()
        count = tf.shape(positions, out_type=tf.int64)[0] * context.num_replicas_in_sync
        places = self._draws.places(positions, count)
        gathered = []
        for value in values:
            shape = tf.concat([count[None], tf.shape(value, out_type=tf.int64)[1:]], axis=0)
            # A shape that is computed says nothing of itself, and networks want to know the channels.
            spread = tf.ensure_shape(tf.scatter_nd(places[:, None], value, shape), [None, *value.shape[1:]])
            gathered.append(context.all_reduce("SUM", spread) if context.num_replicas_in_sync > 1 else spread)
        return places, gathered
