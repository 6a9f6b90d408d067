"""A value in one line, for an error that a person can act on."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

LIMIT = 100


def describe(value: object) -> str:
    """One line: a tensor as shape, dtype, device, min, max and mean; a value class by its fields; text shortened."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return _tensor(value)
    if isinstance(value, (list, tuple)):
        shown = ", ".join(describe(item) for item in value[:3])
        return f"[{shown}{', ...' if len(value) > 3 else ''}] ({len(value)} items)"  # noqa: PLR2004  # three show enough
    if is_dataclass(value) and not isinstance(value, type):
        parts = ", ".join(f"{item.name}={describe(getattr(value, item.name))}" for item in fields(value) if item.repr)
        return _short(f"{type(value).__name__}({parts})", 4 * LIMIT)
    try:
        return _short(repr(value), LIMIT)
    except Exception:  # noqa: BLE001  # someone else's repr; the error that is being told matters more
        return type(value).__name__


def _tensor(value: object) -> str:
    name = type(value).__name__
    facts = [f"shape={tuple(getattr(value, 'shape', ()))}", str(getattr(value, "dtype", "")).removeprefix("torch.")]
    device = getattr(value, "device", None)
    if device is not None:
        facts.append(str(device))
    try:
        numbers = value.float() if hasattr(value, "float") else value
        facts += [f"{key}={float(getattr(numbers, key)()):.4g}" for key in ("min", "max", "mean")]
    except (RuntimeError, ValueError, TypeError, AttributeError):  # empty, on the meta device, or not numbers
        facts.append("no statistics")
    return f"{name}({', '.join(facts)})"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
