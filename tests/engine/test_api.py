"""What other programs may rely on. `PATCHBAY_SNAPSHOTS=write pytest tests/engine/test_api.py` accepts a change."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from enum import Enum
from pathlib import Path

import engine

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).parent / "snapshots" / "api.txt"

TYPED = """
from engine import node

@node("Sample")
def sample(text: str, steps: int = 20) -> float:
    return 0.0

good: float = sample("a fox", steps=3)
sample(3, "a fox")
bad: str = sample("a fox")
"""


def lines():
    for name in engine.__all__:
        thing = getattr(engine, name)
        yield f"{name}{signature(thing)}"
        if isinstance(thing, type):
            yield from (f"    {name}.{line}" for line in members(thing))


def members(cls):
    if issubclass(cls, Enum):
        yield from (f"{member.name} = {member.value!r}" for member in cls)
        return
    for name, member in vars(cls).items():
        plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if not name.startswith("_") or name == "__call__":
            yield f"{name}{signature(plain)}" if callable(plain) else name


def signature(thing):
    if isinstance(thing, type) and ("__init__" not in vars(thing) or issubclass(thing, Enum) or is_protocol(thing)):
        return ""
    try:
        return re.sub(r" at 0x\w+", "", str(inspect.signature(thing)))
    except (TypeError, ValueError):
        return ""


def is_protocol(cls):
    return getattr(cls, "_is_protocol", False)


def test_the_public_names_and_signatures_are_as_they_were():
    found = "\n".join(lines()) + "\n"
    if os.environ.get("PATCHBAY_SNAPSHOTS") == "write":
        SNAPSHOT.write_text(found)
    assert found == SNAPSHOT.read_text()


def test_a_swapped_argument_of_a_node_is_a_type_error(tmp_path):
    (tmp_path / "typed.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [*command, "--config-file", os.devnull, str(tmp_path / "typed.py")],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "MYPYPATH": str(ROOT)},
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if "typed.py" in line]
    assert [re.sub(r".*typed\.py:(\d+): error: ", r"\1 ", line) for line in errors] == [
        '9 Argument 1 to "__call__" of "NodeType" has incompatible type "int"; expected "str"  [arg-type]',
        '9 Argument 2 to "__call__" of "NodeType" has incompatible type "str"; expected "int"  [arg-type]',
        '10 Incompatible types in assignment (expression has type "float", variable has type "str")  [assignment]',
    ]
