"""Time as it passes and as processors spend it, of work done in turns."""

from __future__ import annotations

import resource
import statistics
import time
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Spent:
    """Seconds: `wall` passed, `cpu` was worked by this process and by those that it started and awaited."""

    wall: float
    cpu: float


def timed(work):
    """What a piece of work takes."""
    before = _now()
    work()
    after = _now()
    return Spent(after.wall - before.wall, after.cpu - before.cpu)


def in_turns(pieces, rounds):
    """The median of each of several pieces of work by name, done one after the other, every second round backwards."""
    taken = {name: [] for name in pieces}
    for number in range(rounds):
        for name, work in list(pieces.items())[:: -1 if number % 2 else 1]:
            taken[name].append(timed(lambda work=work, number=number: work(number)))
    return {name: median(each) for name, each in taken.items()}


def median(taken):
    """The medians of wall and of processor time, each by itself."""
    return Spent(*(statistics.median(getattr(each, what) for each in taken) for what in ("wall", "cpu")))


def _now():
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(time.perf_counter(), time.process_time() + children.ru_utime + children.ru_stime)
