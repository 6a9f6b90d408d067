"""The families of models that Diffusers has pipelines for, as a table, and what was measured of each."""
