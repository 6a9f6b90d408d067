"""Latent space: pictures into it and back, arithmetic, and what it is like."""
