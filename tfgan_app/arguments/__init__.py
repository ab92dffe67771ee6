"""Flags of the commands, one module per command; none of them loads TensorFlow."""

from tfgan_app.arguments import (
    augment,
    evaluate,
    export,
    import_,
    inspect,
    models,
    predict,
    prepare,
    serve,
    studio,
    train,
)

COMMANDS = (train, evaluate, predict, export, serve, augment, import_, inspect, models, prepare, studio)
"""Modules in the order of `tfgan_app --help`; `add(commands)` of each adds its command to the parser."""
