"""A server of exported models with TensorFlow Serving's protocol: REST and gRPC over one core."""

from tfgan_app.serving.limits import Limits
from tfgan_app.serving.server import Server, Settings

__all__ = ["Limits", "Server", "Settings"]
