"""The torch side: models, schedulers, and the stages of a diffusion pipeline as typed functions."""
