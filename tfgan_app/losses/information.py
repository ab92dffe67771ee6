"""The mutual-information loss of InfoGAN."""

from __future__ import annotations

from keras import ops


def information_loss(outputs, codes, *, categories: int):
    """The negative lower bound on the mutual information of codes and images, without its constant `H(c)`.

    "InfoGAN", Chen et al. 2016, arXiv:1606.03657, equation 5: `-log Q(c | x)`, where Q is categorical for the
    first code and a Gaussian of variance 1 for each of the others. With a learned variance both networks gain without
    bound by writing the codes into a few pixels; trainings were seen to collapse that way.

    Args:
        outputs: float `[batch, categories + continuous]` of the head: logits and means.
        codes: float32 `[batch, categories + continuous]`: a one-hot code, and numbers in [-1, 1].
        categories: Size of the categorical code; 0 for none.

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
        errors = ops.square(codes[:, categories:] - outputs[:, categories:])
        loss += 0.5 * ops.mean(ops.sum(errors, axis=-1))
    return loss
