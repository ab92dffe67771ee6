"""How many modes of a distribution a generator's samples cover, and how evenly."""

from __future__ import annotations

import numpy as np


def coverage(assignments: np.ndarray, modes: int) -> tuple[int, float]:
    """Counts the modes that have samples, and compares their frequencies with equal ones.

    Args:
        assignments: int `[count]`, the mode of each sample; negative for none.
        modes: number of modes, all equally likely in truth.

    Returns:
        Modes with at least one sample, and the Kullback-Leibler divergence KL(samples || uniform) in nats, as in
        Lin et al. 2018, arXiv:1712.04086, and Metz et al. 2017, arXiv:1611.02163.
    """
    counts = np.bincount(assignments[assignments >= 0], minlength=modes).astype(np.float64)
    if not counts.sum():
        return 0, float("inf")
    shares = counts / counts.sum()
    present = shares > 0
    return int(present.sum()), float((shares[present] * np.log(shares[present] * modes)).sum())


LOSS_SETTINGS = {
    "minimax": ("minimax", {}),
    "non-saturating": ("non_saturating", {}),
    "least squares": ("least_squares", {}),
    "hinge": ("hinge", {}),
    "non-saturating + R1": ("non_saturating", {"r1": 1.0}),
    "non-saturating + R1 + R2": ("non_saturating", {"r1": 1.0, "r2": 1.0}),
    "hinge + R1 + R2": ("hinge", {"r1": 1.0, "r2": 1.0}),
    "Wasserstein + WGAN-GP": ("wasserstein", {"wgan_gp": 10.0}),
    "relativistic": ("relativistic", {}),
    "relativistic + R1": ("relativistic", {"r1": 1.0}),
    "relativistic + R1 + R2": ("relativistic", {"r1": 1.0, "r2": 1.0}),
}
"""Row of the tables -> adversarial loss, and the weight of each gradient penalty."""

DISCRIMINATOR_STEPS = {"Wasserstein + WGAN-GP": 5}
"""Rows whose paper updates the discriminator more than once for each update of the generator."""
