"""Prompts, and the pictures beside them, as a denoiser reads them."""
