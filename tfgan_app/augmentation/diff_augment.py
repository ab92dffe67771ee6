"""DiffAugment: differentiable augmentation of every image that a discriminator sees."""

from __future__ import annotations

import tensorflow as tf

DRAWS = (
    "color_gate",
    "brightness",
    "saturation",
    "contrast",
    "translation_gate",
    "shift_down",
    "shift_right",
    "cutout_gate",
    "cutout_row",
    "cutout_column",
)
"""Purpose of each uniform number of an example; a gate below the probability applies its policy."""


class DiffAugment:
    """Changes the color, shifts and cuts a box out of images, differentiably.

    DiffAugment (Zhao et al. 2020, arXiv:2006.10738): the discriminator sees only augmented images, real and
    generated alike, and the generator learns through the augmentation. Three policies, in this order:

    - color: brightness plus uniform [-0.5, 0.5), then saturation (distance from the pixel's mean over its
      channels) times uniform [0, 2), then contrast (distance from the image's mean) times uniform [0.5, 1.5).
      Saturation does nothing to images of one channel.
    - translation: by whole pixels, uniform up to a fraction of height and width, each way.
    - cutout: a box of a fraction of height and width, its center uniform over the image, clipped at the border.

    New pixels at the border and the box are 0, as in the paper. The images are in [-1, 1], so that is mid-gray:
    nearest to every color. The generator gains nothing by imitating it, since real images have it too.
    As in the paper nothing is clipped: color may leave [-1, 1].

    A pure function of images and draws; the caller makes the draws from (seed, step).

    Deviations: the paper applies every policy to every image, which is `probability` 1. Below 1 each image gets
    each policy with that probability, independently, so that its strength can adapt as that of ADA does.

    Args:
        color: Change brightness, saturation and contrast.
        translation: Largest shift as a fraction of height and width, in [0, 1); 0 is off.
        cutout: Size of the box as a fraction of height and width, in [0, 1); 0 is off.

    Raises:
        ValueError: For a fraction out of its range, or when every policy is off.
    """

    draws_per_example = len(DRAWS)
    """Number of uniform draws per example."""

    def __init__(self, *, color: bool = True, translation: float = 0.125, cutout: float = 0.5):
        for name, fraction in (("translation", translation), ("cutout", cutout)):
            if not 0.0 <= fraction < 1.0:
                raise ValueError(f"`{name}` must be at least 0 and below 1. Received: {fraction}.")
        if not (color or translation or cutout):
            raise ValueError(
                "One of `color`, `translation` and `cutout` must be on. Received: all off. "
                "To train without augmentation, leave DiffAugment out."
            )
        self.color = color
        self.translation = translation
        self.cutout = cutout

    def __call__(self, images: tf.Tensor, draws: tf.Tensor, probability: float | tf.Tensor = 1.0) -> tf.Tensor:
        """Augments a batch, each image by its own draws.

        Args:
            images: floating `[batch, height, width, channels]` in [-1, 1]; height, width and channels are static.
            draws: float32 `[batch, draws_per_example]`, uniform in [0, 1).
            probability: Scalar in [0, 1], of each policy of an image; at 0 images come out bit by bit as they are.

        Returns:
            Images of the shape and dtype of `images`, computed in float32; color may leave [-1, 1].
        """
        images = tf.convert_to_tensor(images)
        probability = tf.cast(probability, tf.float32)
        u = dict(zip(DRAWS, tf.unstack(tf.cast(draws, tf.float32), len(DRAWS), axis=1), strict=True))
        augmented = tf.cast(images, tf.float32)
        if self.color:
            augmented = _change_color(augmented, u, u["color_gate"] < probability)
        if self.translation:
            augmented = self._translate(augmented, u, u["translation_gate"] < probability)
        if self.cutout:
            augmented = self._cut_out(augmented, u, u["cutout_gate"] < probability)
        return tf.cast(augmented, images.dtype)

    def _translate(self, images, u, applied):
        shifts = []
        for size, draw in ((images.shape[1], u["shift_down"]), (images.shape[2], u["shift_right"])):
            most = int(size * self.translation + 0.5)
            shift = tf.cast(tf.floor(draw * (2 * most + 1)), tf.int32) - most
            shifts.append(tf.where(applied, shift, 0)[:, None])
        return _shift(images, *shifts)

    def _cut_out(self, images, u, applied):
        rows = self._box(images.shape[1], u["cutout_row"])
        columns = self._box(images.shape[2], u["cutout_column"])
        box = rows[:, :, None] & columns[:, None, :] & applied[:, None, None]
        return images * tf.cast(~box, tf.float32)[..., None]

    def _box(self, size, draw):
        """Whether each position `[batch, size]` lies in the box."""
        length = int(size * self.cutout + 0.5)
        # An even box has its center between two pixels: one more possible place, so that both borders are alike.
        center = tf.cast(tf.floor(draw * (size + 1 - length % 2)), tf.int32)[:, None]
        offset = tf.range(size) - (center - length // 2)
        return (offset >= 0) & (offset < length)


def _shift(images, down, right):
    """Moves images by whole pixels, int32 `[batch, 1]`; new pixels at the border are 0."""

    # The transpose of a shift is the opposite shift. TensorFlow's own gradient of the gather would add up pixel by
    # pixel without any overlap, which takes several times as long.
    @tf.custom_gradient
    def shift(images):
        return _gather_shifted(images, down, right), lambda upstream: _shift(upstream, -down, -right)

    return shift(images)


def _gather_shifted(images, down, right):
    height, width, channels = images.shape[1:]
    rows = tf.range(height) - down
    columns = tf.range(width) - right
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    index = tf.clip_by_value(rows, 0, height - 1)[:, :, None] * width
    index += tf.clip_by_value(columns, 0, width - 1)[:, None, :]
    moved = tf.gather(tf.reshape(images, (-1, height * width, channels)), index, axis=1, batch_dims=1)
    return moved * tf.cast(inside, tf.float32)[..., None]


def _change_color(images, u, applied):
    """Brightness, saturation and contrast as one linear function of pixel, gray value and image mean.

    With an image's brightness b, saturation s and contrast c this is c (s (x + b) + (1 - s) (gray + b)) +
    (1 - c) (mean + b). Written with weights that are exactly 1 and 0 where nothing is applied, it then is the identity.
    """
    brightness, saturation, contrast = (
        tf.where(applied, value, neutral)[:, None, None]
        for value, neutral in ((u["brightness"] - 0.5, 0.0), (u["saturation"] * 2.0, 1.0), (u["contrast"] + 0.5, 1.0))
    )
    shared = (1.0 - contrast) * tf.reduce_mean(images, axis=(1, 2, 3))[:, None, None] + brightness
    # Channel by channel: sums over an axis of 3, and their gradients, are several times as slow.
    channels = tf.unstack(images, axis=-1)
    if len(channels) == 1:
        return contrast[..., None] * images + shared[..., None]
    shared += contrast * (1.0 - saturation) * (tf.add_n(channels) / len(channels))
    return tf.stack([contrast * saturation * channel + shared for channel in channels], axis=-1)
