"""Everything Patchbay refuses, as one tree.

    Exception
    └── PatchbayError          one problem: code, place, reason, fix
        ├── GraphError         before a run: every problem of a graph at once
        ├── NodeError          during a run: one node failed; wraps the cause
        ├── StoreError         a file could not be read or written whole
        └── ServerError        the server refuses a request, or cannot do what it was asked
    BaseException
    └── Cancelled              the user stopped the run; never swallowed by `except Exception`

A code is stable: programs may branch on it, sentences may be reworded.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


COMPARED = 1_000
"""How many names a misspelt one is compared with; more would take seconds."""

FEW = 10
"""How many names a sentence can hold."""


class Code(StrEnum):
    """What went wrong, for programs. docs/errors.md says each in a sentence."""

    BROKEN_JSON = "broken_json"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KEY = "unknown_key"
    BAD_DOCUMENT = "bad_document"
    TOO_LARGE = "too_large"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_NODE = "unknown_node"
    UNKNOWN_PORT = "unknown_port"
    UNKNOWN_INPUT = "unknown_input"
    MISSING_INPUT = "missing_input"
    TYPE_MISMATCH = "type_mismatch"
    KIND_MISMATCH = "kind_mismatch"
    CYCLE = "cycle"
    BAD_VALUE = "bad_value"
    CANNOT_BYPASS = "cannot_bypass"
    NOTHING_TO_RUN = "nothing_to_run"
    SAME_FILE = "same_file"
    BAD_DECLARATION = "bad_declaration"
    BROKEN_NODE_FILE = "broken_node_file"
    FILE_NOT_FOUND = "file_not_found"
    OUTSIDE_ROOTS = "outside_roots"
    BAD_PICTURE = "bad_picture"
    BAD_MODEL = "bad_model"
    PICKLED_MODEL = "pickled_model"
    UNSUPPORTED_CLASS = "unsupported_class"
    NODE_FAILED = "node_failed"
    OUT_OF_MEMORY = "out_of_memory"
    MISSING_PACKAGE = "missing_package"
    NOT_WRITTEN = "not_written"
    DAMAGED = "damaged"
    IN_USE = "in_use"
    WORKER_DIED = "worker_died"
    UNAUTHORIZED = "unauthorized"
    WRONG_HOST = "wrong_host"
    WRONG_ORIGIN = "wrong_origin"
    WRONG_MEDIA_TYPE = "wrong_media_type"
    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    CHANGED_MEANWHILE = "changed_meanwhile"
    VERSION_NEEDED = "version_needed"
    TOO_SLOW = "too_slow"
    NO_SERVER = "no_server"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what and why, and how to mend it."""

    code: Code
    at: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.at}: " if self.at else ""
        return f"{place}{self.what} {self.fix}".rstrip()

    def moved(self, prefix: str) -> Problem:
        """The same problem seen from an outer graph: its place gains a prefix."""
        return Problem(self.code, f"{prefix}{self.at}" if self.at else prefix.rstrip("/"), self.what, self.fix)


class PatchbayError(Exception):
    """A refusal with a code, a place (`node.port` or a JSON path), a reason and a fix."""

    def __init__(self, code: Code, at: str, what: str, fix: str = "") -> None:
        self.problem = Problem(code, at, what, fix)
        super().__init__(str(self.problem))

    @property
    def code(self) -> Code:
        """The stable code."""
        return self.problem.code

    @property
    def at(self) -> str:
        """The place: `node.port`, a JSON path or a file."""
        return self.problem.at

    @property
    def what(self) -> str:
        """What is wrong and why."""
        return self.problem.what

    @property
    def fix(self) -> str:
        """What to do about it; may be empty."""
        return self.problem.fix

    def fields(self) -> dict[str, object]:
        """The error as plain data, for JSON."""
        return asdict(self.problem)


class GraphError(PatchbayError):
    """A graph that cannot run. Carries every problem, in document order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, first.at, first.what, first.fix)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def fields(self) -> dict[str, object]:
        """The first problem's fields, and all of them under `problems`."""
        return {**super().fields(), "problems": [asdict(problem) for problem in self.problems]}


class NodeError(PatchbayError):
    """A node that failed while it ran. `inputs` describes what it was given, `__cause__` is the error itself."""

    def __init__(self, code: Code, at: str, what: str, fix: str = "", inputs: Iterable[tuple[str, str]] = ()) -> None:
        self.inputs = tuple(inputs)
        super().__init__(code, at, what, fix)

    def __str__(self) -> str:
        lines = [str(self.problem), *(f"    {name} = {text}" for name, text in self.inputs)]
        return "\n".join(lines)

    def fields(self) -> dict[str, object]:
        """The problem's fields and the described inputs."""
        return {**super().fields(), "inputs": dict(self.inputs)}


class StoreError(PatchbayError):
    """A file that could not be read or written whole."""


class ServerError(PatchbayError):
    """A request that the server refuses, or something that it cannot do. The code says which."""


class Cancelled(BaseException):
    """The run was stopped on request. Derives from BaseException so that a node's `except Exception` lets it pass."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean "x"?` for the closest known name, or an empty string."""
    close = get_close_matches(name, list(islice(known, COMPARED)), n=1)
    return f'Did you mean "{close[0]}"?' if close else ""


def choose(name: str, known: Collection[str]) -> str:
    """`Did you mean "x"?`, or the first few names that there are."""
    shown = ", ".join(islice(known, FEW)) or "none"
    return nearest(name, known) or f"It has: {shown}{', ...' if len(known) > FEW else '.'}"
