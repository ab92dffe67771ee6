"""Synthetic training pictures for classifiers, and whether they help."""
