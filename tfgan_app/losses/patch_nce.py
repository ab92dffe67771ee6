"""Contrastive loss over patches: each place must be told apart from the others."""

from __future__ import annotations

from keras import ops

TEMPERATURE = 0.07
"""Park et al. 2020, arXiv:2007.15651, section 3.2."""


def patch_nce_loss(queries, keys, *, temperature: float = TEMPERATURE):
    """PatchNCE with internal negatives: cross-entropy of finding each query's own place among those of its image.

    "Contrastive Learning for Unpaired Image-to-Image Translation", Park et al. 2020, arXiv:2007.15651, equations 1 to
    3. No gradient passes through the keys, as in the authors' implementation. Deviation: the mean over places where
    the equation has the sum.

    Args:
        queries: float32 `[batch, patches, dim]` of length 1, of the output.
        keys: float32 of the same shape, of the input at the same places.
        temperature: Divisor of the similarities.

    Returns:
        float32 scalar; `log(patches)` for features without information.
    """
    queries, keys = ops.cast(queries, "float32"), ops.stop_gradient(ops.cast(keys, "float32"))
    logits = ops.matmul(queries, ops.transpose(keys, (0, 2, 1))) / temperature
    positive = ops.sum(queries * keys, axis=-1) / temperature
    return ops.mean(ops.logsumexp(logits, axis=-1) - positive)
