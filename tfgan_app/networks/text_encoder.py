"""Text conditions: a small Transformer encoder, and generators and discriminators that take its vectors."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_app.layers import OneHot, TokenAttention, TokenEmbedding, TokenMask, TokenMean

HEADS = 4


def build_text_encoder(
    *, vocabulary_size: int, length: int, dim: int = 64, blocks: int = 2, name: str = "text_encoder"
) -> keras.Model:
    """Builds a Transformer encoder whose mean over the tokens stands for the text.

    "Attention Is All You Need", Vaswani et al. 2017, arXiv:1706.03762, with normalization before each part (Xiong
    et al. 2020, arXiv:2002.04745), GELU, and learned positions.

    Args:
        vocabulary_size: Number of token ids.
        length: Tokens of a text; 0 is padding.
        dim: Channels, and size of the result.
        blocks: Blocks of attention and a dense part.
        name: Name of the model.

    Returns:
        The encoder of `tokens` int32 `[batch, length]` to float `[batch, dim]`, about of unit variance.
    """
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    mask = TokenMask(name="mask")(tokens)
    x = TokenEmbedding(vocabulary_size, dim, name="embedding")(tokens)
    for _ in range(blocks):
        x = layers.Add()([x, TokenAttention(HEADS)([layers.LayerNormalization(epsilon=1e-5)(x), mask])])
        y = layers.Dense(2 * dim, activation="gelu")(layers.LayerNormalization(epsilon=1e-5)(x))
        x = layers.Add()([x, layers.Dense(dim)(y)])
    x = TokenMean(name="mean")([x, mask])
    return keras.Model(tokens, layers.LayerNormalization(epsilon=1e-5, name="text")(x), name=name)


def with_vectors(model: keras.Model) -> keras.Model:
    """Returns a class-conditional network that takes vectors in place of one-hot labels, and shares its layers.

    Each linear map of a class then is one of the vector: the projection of Miyato & Koyama 2018 (arXiv:1802.05637) is
    the inner product with the vector, and conditional normalization has a gain and bias for each of its numbers.

    Args:
        model: `[latents, labels]` or `[labels, image]` to outputs, built for as many classes as the vectors have
            numbers.

    Returns:
        The network with vectors float `[batch, classes]` for the labels, the other inputs and outputs as they are.

    Raises:
        ValueError: If the labels do not pass through one `OneHot` layer alone.
    """
    one_hot = [layer for layer in model.layers if isinstance(layer, OneHot)]
    if len(one_hot) != 1:
        raise ValueError(
            f"A network that is to take text must pass its labels through one `OneHot` layer. '{model.name}' has "
            f"{len(one_hot)}: set another `task.architecture`."
        )
    vectors = one_hot[0].output
    inputs = [vectors if tensor.name.startswith("labels") else tensor for tensor in model.inputs]
    return keras.Model(inputs, model.outputs if len(model.outputs) > 1 else model.outputs[0], name=f"{model.name}_body")


def text_generator(body: keras.Model, encoder: keras.Model, *, latent_dim: int) -> keras.Model:
    """Builds the generator of `[latents, tokens]` from one of vectors and an encoder.

    The text's vector is the condition, and is also appended to the latents.

    Args:
        body: Result of `with_vectors` on a generator of `latent_dim` plus the encoder's size latents.
        encoder: Result of `build_text_encoder`.
        latent_dim: Size of the latents without the text.
    """
    latents = keras.Input((latent_dim,), name="latents")
    tokens = keras.Input(encoder.input_shape[1:], dtype="int32", name="tokens")
    text = encoder(tokens)
    joined = layers.Concatenate(name="latents_and_text")([latents, text])
    return keras.Model([latents, tokens], body([joined, text]), name="generator")


def text_discriminator(body: keras.Model, encoder: keras.Model) -> keras.Model:
    """Builds the discriminator of `[tokens, image]` from one of `[vectors, image]` and an encoder of its own."""
    tokens = keras.Input(encoder.input_shape[1:], dtype="int32", name="tokens")
    image = keras.Input(body.inputs[1].shape[1:], name="image")
    return keras.Model([tokens, image], body([encoder(tokens), image]), name="discriminator")
