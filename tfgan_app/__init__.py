"""Image GANs on TensorFlow and Keras 3: train on your own pictures, measure, and ship, each with one command.

Importing the package loads no TensorFlow; the modules that need it do.
"""

import os

__version__ = "0.7.0"

LOG_LEVEL_IS_OURS = "TF_CPP_MIN_LOG_LEVEL" not in os.environ
"""Whether the user has left it to us how much TensorFlow's native code prints."""

# TensorFlow reads this once, when it is imported. What goes wrong comes as an exception as well; at level 2 the graph
# optimizer would report each pattern that it could not fuse as an error ("remapper failed").
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The trainer is a TensorFlow program, so a `~/.keras/keras.json` that names another backend must not reach
# it. Keras reads this once, at its first import.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
