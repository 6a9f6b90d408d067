"""Diffusers' own pipeline classes, stopped between their stages or run whole."""
