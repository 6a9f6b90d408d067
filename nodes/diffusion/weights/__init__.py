"""From files to modules: the one door to the libraries, weights of safetensors only, and where they run."""
