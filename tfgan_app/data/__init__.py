"""Where pictures come from: picture pairs on disk, what is in them, and the tf.data pipeline over them."""
