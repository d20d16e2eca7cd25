"""Sequence GANs."""
