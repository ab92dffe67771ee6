"""The mutual-information loss of InfoGAN."""

from __future__ import annotations

from keras import ops

MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -4.0, 4.0
"""Bounds on what the head may claim to know, so that no likelihood grows without end."""


def information_loss(outputs, codes, *, categories: int):
    """The negative lower bound on the mutual information of codes and pictures, without its constant `H(c)`.

    "InfoGAN", Chen et al. 2016, arXiv:1606.03657, equation 5: `-log Q(c | x)`, where Q is categorical for the
    first code and a Gaussian with learned variance for each of the others.

    Args:
        outputs: float `[batch, categories + 2 * continuous]` of the head: logits, means, log variances.
        codes: float32 `[batch, categories + continuous]`: a one-hot code, and numbers in [-1, 1].
        categories: size of the categorical code; 0 for none.

    Returns:
        float32 scalar, the mean over the batch.
    """
    outputs = ops.cast(outputs, "float32")
    continuous = codes.shape[-1] - categories
    loss = 0.0
    if categories:
        log_likelihood = ops.log_softmax(outputs[:, :categories], axis=-1)
        loss -= ops.mean(ops.sum(codes[:, :categories] * log_likelihood, axis=-1))
    if continuous:
        means = outputs[:, categories : categories + continuous]
        log_variance = ops.clip(outputs[:, categories + continuous :], MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)
        errors = ops.square(codes[:, categories:] - means) * ops.exp(-log_variance)
        loss += 0.5 * ops.mean(ops.sum(errors + log_variance, axis=-1))
    return loss
