"""The trained models that come with the package, installed as `tfgan_app.shipped_models`."""
