"""Adversarial training: the trainer, its optimizers, checkpoints, precision and distribution."""
