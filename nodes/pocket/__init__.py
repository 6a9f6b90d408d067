"""The model that comes with Patchbay: small enough to ship, good enough to learn on. `README.md` is its card."""

from pathlib import Path

MODEL = Path(__file__).parent / "model"
"""The model's folder, as `StableDiffusionPipeline.save_pretrained` writes one."""
