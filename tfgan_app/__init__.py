"""Image GANs on TensorFlow and Keras 3: train on your own pictures, measure, and ship, each with one command.

Importing the package loads no TensorFlow; the modules that need it do.
"""

import os

__version__ = "0.6.0"

# The trainer is a TensorFlow program, so a `~/.keras/keras.json` that names another backend must not reach
# it. Keras reads this once, at its first import.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
