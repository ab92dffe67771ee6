"""Sample sets; installed as `tfgan_app.bundled_data`."""
