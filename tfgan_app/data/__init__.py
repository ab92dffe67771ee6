"""Data sources of paired, unpaired and labeled images, their inspection, and the tf.data pipelines."""
