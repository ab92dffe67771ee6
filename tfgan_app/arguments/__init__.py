"""The flags of each command, a module for each; none of them loads TensorFlow."""

from tfgan_app.arguments import augment, evaluate, export, import_, inspect, models, predict, serve, train

COMMANDS = (train, evaluate, predict, export, serve, augment, import_, inspect, models)
"""In the order of `tfgan_app --help`; each adds itself to the parser by `add(commands)`."""
