"""The adversarial losses that a configuration may name: the rows of `tfgan_app.losses.ADVERSARIAL_LOSSES`."""

from __future__ import annotations

from typing import Literal

AdversarialLossName = Literal[
    "minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic", "relativistic_average"
]
