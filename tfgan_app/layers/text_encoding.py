"""Layers of text encoders: token embeddings, Transformer blocks, and the mean over a text."""

from __future__ import annotations

import keras
from keras import ops

_HIDDEN = -1e4
"""Attention score of padding; within the range of 16-bit floats."""


@keras.saving.register_keras_serializable(package="tfgan_app")
class PromptTokens(keras.layers.Layer):
    """Passes int32 tokens on unchanged; its configuration holds the vocabulary.

    Args:
        vocabulary: Result of `tfgan_app.tokens.Vocabulary.to_config`.
    """

    def __init__(self, vocabulary: dict, **kwargs):
        super().__init__(**{"dtype": "int32", **kwargs})
        self.vocabulary = dict(vocabulary)

    def call(self, tokens):
        return tokens

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "vocabulary": self.vocabulary}


def vocabulary_of(model: keras.Model) -> dict | None:
    """The vocabulary in a model's `PromptTokens` layer; None for a model without one."""
    return next((layer.vocabulary for layer in model.layers if isinstance(layer, PromptTokens)), None)


@keras.saving.register_keras_serializable(package="tfgan_app")
class TokenEmbedding(keras.layers.Layer):
    """Embeds tokens and their positions.

    Args:
        size: Number of token ids.
        dim: Size of the embedding.

    Call arguments:
        tokens: int32 `[batch, length]`.

    Returns:
        float `[batch, length, dim]`.
    """

    def __init__(self, size: int, dim: int, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.dim = dim

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(stddev=0.5)
        self.table = self.add_weight(shape=(self.size, self.dim), initializer=normal, name="table")
        small = keras.initializers.RandomNormal(stddev=0.1)
        self.positions = self.add_weight(shape=(input_shape[1], self.dim), initializer=small, name="positions")

    def call(self, tokens):
        return ops.take(self.table, tokens, axis=0) + self.positions

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.dim)

    def get_config(self):
        return {**super().get_config(), "size": self.size, "dim": self.dim}


@keras.saving.register_keras_serializable(package="tfgan_app")
class TokenMask(keras.layers.Layer):
    """1 for tokens and 0 for padding (id 0): int32 `[batch, length]` to float `[batch, length]`."""

    def call(self, tokens):
        return ops.cast(ops.not_equal(tokens, 0), self.compute_dtype)

    def compute_output_spec(self, tokens):
        return keras.KerasTensor(tokens.shape, dtype=self.compute_dtype)


@keras.saving.register_keras_serializable(package="tfgan_app")
class TokenAttention(keras.layers.Layer):
    """Multi-head self-attention over the tokens of a text, without padding.

    "Attention Is All You Need", Vaswani et al. 2017, arXiv:1706.03762.

    Args:
        heads: Number of heads; it divides the channels.

    Call arguments:
        inputs: pair `(x, mask)`: float `[batch, length, channels]`, float `[batch, length]` of `TokenMask`.

    Returns:
        Tensor like `x`.
    """

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape):
        channels = input_shape[0][-1]
        if channels % self.heads:
            raise ValueError(f"`heads` must divide the {channels} channels. Received: {self.heads}.")
        options = {"initializer": "glorot_uniform"}
        self.to_heads = self.add_weight(shape=(channels, 3 * channels), name="to_heads", **options)
        self.from_heads = self.add_weight(shape=(channels, channels), name="from_heads", **options)

    def call(self, inputs):
        x, mask = inputs
        length, channels = x.shape[1:]
        split = ops.reshape(ops.matmul(x, self.to_heads), (-1, length, 3, self.heads, channels // self.heads))
        query, key, value = (ops.transpose(split[:, :, index], (0, 2, 1, 3)) for index in range(3))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) * (channels // self.heads) ** -0.5
        scores += ops.cast((1 - mask) * _HIDDEN, scores.dtype)[:, None, None, :]
        mixed = ops.transpose(ops.matmul(ops.softmax(scores), value), (0, 2, 1, 3))
        return ops.matmul(ops.reshape(mixed, (-1, length, channels)), self.from_heads)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@keras.saving.register_keras_serializable(package="tfgan_app")
class TokenMean(keras.layers.Layer):
    """Mean over the tokens of a text, without padding; zero for an empty text.

    Call arguments:
        inputs: pair `(x, mask)`: float `[batch, length, channels]`, float `[batch, length]` of `TokenMask`.

    Returns:
        float `[batch, channels]`.
    """

    def call(self, inputs):
        x, mask = inputs
        total = ops.sum(x * ops.cast(mask, x.dtype)[:, :, None], axis=1)
        return total / ops.maximum(ops.sum(ops.cast(mask, x.dtype), axis=1, keepdims=True), 1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], input_shape[0][-1])
