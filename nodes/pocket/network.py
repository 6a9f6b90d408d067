"""The type of what Diffusers and Transformers make."""

from typing import Any

Network = Any
"""A module or a scheduler of Diffusers or Transformers, whose classes declare too little for a type checker."""
