"""What ties values to a family of models."""

from __future__ import annotations

from typing import TypeVar

from engine.types import Kind

K = TypeVar("K", bound=Kind)
"""The family a value belongs to. Two ports of one node that share K must get values of the same kind."""

J = TypeVar("J", bound=Kind)
"""Another family, for a node that leads from one to the other."""
