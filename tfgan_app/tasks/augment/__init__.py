"""Synthetic training images for classifiers, and whether they help."""
