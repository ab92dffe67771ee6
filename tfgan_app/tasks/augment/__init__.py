"""Synthetic training images for classifiers, and a study of their use."""
