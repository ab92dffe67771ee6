"""The Python interface for notebooks and scripts: load, train, and runs; see `tfgan_app.__getattr__`."""

import sys

from tfgan_app.commands import startup

if "tensorflow" not in sys.modules:
    # Silently, as the command line does.
    startup.load_tensorflow(show_chatter=False)
