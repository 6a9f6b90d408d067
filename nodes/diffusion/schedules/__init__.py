"""Schedulers, samplers and noise levels, and the steps that a run takes of them."""
