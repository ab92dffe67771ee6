"""Inputs, sizes, classes and outputs of generators from noise and of their discriminators."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import CenterPad, OneHot

SMALLEST_GRID_PX = 32


def check_size(size_px: int) -> None:
    """Raises ValueError for a size that is not positive."""
    if size_px < 1:
        raise ValueError(f"`size_px` must be a positive integer. Received: size_px={size_px}.")


def grid_px(size_px: int) -> int:
    """The grid on which a network works: the smallest power of two that holds the image, at least 32.

    Args:
        size_px: Height and width of the image.

    Returns:
        Height and width of the grid.

    Raises:
        ValueError: For a size that is not positive.
    """
    check_size(size_px)
    return max(SMALLEST_GRID_PX, 1 << (size_px - 1).bit_length())


def level_widths(size_px: int, width: int, max_width: int) -> list[int]:
    """Returns the channels from the full grid down to 4 x 4 pixels, doubled at every halving up to a bound.

    Args:
        size_px: Height and width of the image.
        width: Channels at full resolution.
        max_width: Bound on the channels.
    """
    halvings = grid_px(size_px).bit_length() - 3
    return [min(width * 2**level, max_width) for level in range(halvings + 1)]


def generator_inputs(latent_dim: int, classes: int) -> list[keras.KerasTensor]:
    """The inputs `[latents]` or, with classes, `[latents, labels]`."""
    latents = keras.Input((latent_dim,), name="latents")
    return [latents, keras.Input((), dtype="int32", name="labels")] if classes else [latents]


def generator_model(inputs: list, images, *, size_px: int, activation: str, name: str) -> keras.Model:
    """Builds the model: crops the center of the grid and applies the last activation in float32."""
    top = (images.shape[1] - size_px) // 2
    bottom = images.shape[1] - size_px - top
    if top or bottom:
        images = layers.Cropping2D(((top, bottom), (top, bottom)), name="crop")(images)
    outputs = layers.Activation(activation, dtype="float32", name="output")(images)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def discriminator_inputs(size_px: int, channels: int, classes: int) -> list[keras.KerasTensor]:
    """The inputs `[image]` or, with classes, `[labels, image]`."""
    check_size(size_px)
    image = keras.Input((size_px, size_px, channels), name="image")
    return [keras.Input((), dtype="int32", name="labels"), image] if classes else [image]


def pad_to_grid(image):
    """Extends an image to the grid on all sides, by mirroring."""
    size_px = image.shape[1]
    grid = grid_px(size_px)
    return image if grid == size_px else CenterPad(grid, name="pad")(image)


def discriminator_model(inputs: list, logits, code_outputs=None, *, name: str) -> keras.Model:
    """Builds the model with heads in float32."""
    outputs = layers.Activation("linear", dtype="float32", name="logits")(logits)
    if code_outputs is not None:
        outputs = [outputs, layers.Activation("linear", dtype="float32", name="codes")(code_outputs)]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def projection_model(inputs: list, features, *, classes: int, codes: int, wrap, name: str) -> keras.Model:
    """Builds a projection discriminator: a linear layer of features, plus their product with a label embedding.

    Miyato & Koyama 2018, arXiv:1802.05637.

    Args:
        inputs: `[image]`, or with classes `[labels, image]`.
        features: Keras tensor `[batch, units]`.
        classes: Number of classes; 0 for none.
        codes: Outputs of the InfoGAN head (Chen et al. 2016, arXiv:1606.03657); 0 for no such head.
        wrap: Function applied to each layer with weights; see `spectral`.
        name: Name of the model.

    Returns:
        The discriminator.
    """
    logits = wrap(layers.Dense(1, name="to_logits"))(features)
    if classes:
        embedded = embed(inputs[0], classes, features.shape[-1], wrap=wrap)
        logits = layers.Add(name="projection")([logits, layers.Dot(axes=1)([features, embedded])])
    code_outputs = wrap(layers.Dense(codes, name="to_codes"))(features) if codes else None
    return discriminator_model(inputs, logits, code_outputs, name=name)


def matching_model(
    inputs: list, features, *, classes: int, codes: int, dim: int, dense, embedding_initializer, wrap, name: str
) -> keras.Model:
    """Builds a discriminator whose logit is the product of a vector of the image and one of the label.

    "Training Generative Adversarial Networks with Limited Data", Karras et al. 2020, arXiv:2006.06676. Without classes
    it is a linear layer.

    Args:
        inputs: `[image]`, or with classes `[labels, image]`.
        features: Keras tensor `[batch, units]`.
        classes: Number of classes; 0 for none.
        codes: Outputs of the InfoGAN head (Chen et al. 2016, arXiv:1606.03657); 0 for no such head.
        dim: Size of the vectors.
        dense: Builds a dense layer: `(units, name=...)`; the image's vector has no bias.
        embedding_initializer: Builds the initializer of the labels' vectors.
        wrap: Function applied to each layer with weights; see `spectral`.
        name: Name of the model.

    Returns:
        The discriminator.
    """
    if classes:
        vectors = wrap(dense(dim, name="to_class", use_bias=False))(features)
        embedded = embed(inputs[0], classes, dim, wrap=wrap, kernel_initializer=embedding_initializer())
        logits = layers.Dot(axes=1, name="match")([vectors, embedded])
    else:
        logits = wrap(dense(1, name="to_logits"))(features)
    code_outputs = wrap(dense(codes, name="to_codes"))(features) if codes else None
    return discriminator_model(inputs, logits, code_outputs, name=name)


def conditioned(features, labels, classes: int, dim: int, **options):
    """Appends the embedding of labels to features.

    "Conditional Generative Adversarial Nets", Mirza & Osindero 2014, arXiv:1411.1784.

    Args:
        features: Keras tensor `[batch, units]`.
        labels: Keras tensor int32 `[batch]`.
        classes: Number of classes.
        dim: Size of the embedding.
        **options: Arguments of `embed`.

    Returns:
        Keras tensor `[batch, units + dim]`.
    """
    return layers.Concatenate(name="conditioned")([features, embed(labels, classes, dim, **options)])


def one_hot_labels(inputs: list, classes: int):
    """The labels among a generator's inputs as unit vectors `[batch, classes]`, or `None` without classes."""
    return OneHot(classes, name="one_hot")(inputs[1]) if classes else None


def embed(labels, classes: int, dim: int, *, wrap=lambda layer: layer, **options):
    """Embeds labels as vectors of `dim` numbers; labels outside of `[0, classes)` embed to zero."""
    dense = layers.Dense(dim, use_bias=False, name="class_embedding", **options)
    return wrap(dense)(OneHot(classes, name="one_hot")(labels))
