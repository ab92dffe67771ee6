"""Where images come from: pairs and labeled images, what is in them, and the tf.data pipelines over them."""
