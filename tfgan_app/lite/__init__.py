"""LiteRT (TFLite) files: their metadata, and running them."""

from tfgan_app.lite.files import Card, check_alive, read_card, with_card, with_output_levels
from tfgan_app.lite.model import LiteModel
from tfgan_app.lite.operators import Delegation, delegations, operator_names

__all__ = [
    "Card",
    "Delegation",
    "LiteModel",
    "check_alive",
    "delegations",
    "operator_names",
    "read_card",
    "with_card",
    "with_output_levels",
]
