"""Where pictures come from: pairs and labelled pictures, what is in them, and the tf.data pipelines over them."""
