"""Python API for notebooks and scripts: `load`, `train` and `Run`; see `tfgan_app.__getattr__`."""
