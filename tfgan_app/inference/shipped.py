"""Shipped models by name, for whoever loads them; `tfgan_app.shipped` has them without TensorFlow."""

from tfgan_app.shipped import ShippedModel, is_shipped, located, shipped_model_path, shipped_models, shipped_names

__all__ = ["ShippedModel", "is_shipped", "located", "shipped_model_path", "shipped_models", "shipped_names"]
