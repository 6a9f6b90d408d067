"""Denoising, and what can be done around each prediction."""
