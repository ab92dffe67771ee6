"""The Python interface for notebooks and scripts: load, train, and runs; see `tfgan_app.__getattr__`."""
