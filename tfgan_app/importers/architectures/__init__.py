"""The architectures that can be imported, a file each; their rows are `tfgan_app.registry.IMPORTERS`."""
