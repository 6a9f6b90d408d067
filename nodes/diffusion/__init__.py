"""The torch side: models, schedulers, and the stages of a diffusion pipeline as typed functions.

Its rooms, each standing on those after it (pyproject.toml holds them to that): `sampling` draws; `text` and `control`
are what it is steered by; `latents` is the space it draws in; `stages` stops Diffusers' own pipelines between their
stages, under the `schedules` that lead through them; `pictures` come in and go out; `memory` keeps models, with
`changes` in place that touch no weight; `weights` reads them; `disk` knows what lies there; `families` is the table of
what is known beforehand.
"""
