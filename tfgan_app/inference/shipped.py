"""Lookup of shipped models by name; `tfgan_app.shipped` works without TensorFlow."""

from tfgan_app.shipped import ShippedModel, is_shipped, located, shipped_model_path, shipped_models, shipped_names

__all__ = ["ShippedModel", "is_shipped", "located", "shipped_model_path", "shipped_models", "shipped_names"]
