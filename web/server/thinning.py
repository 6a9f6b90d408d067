"""Which earlier versions of a graph stay, when an editor saves one every few seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LATELY = timedelta(minutes=10)
"""What is younger stays, up to `MOST_LATELY`."""

MOST_LATELY = 100

TODAY = timedelta(days=1)
"""What is younger stays once for each `LATELY`, what is older once a day."""

MOST = 300
"""Versions of one graph in all."""


def staying(times: Sequence[datetime], now: datetime) -> list[int]:
    """Which of the versions stay, as positions in `times`, which are in UTC and newest first.

    Of several in one stretch of time the newest stays. The newest of all always stays, and thinning what is thinned
    already takes nothing away.
    """
    kept: list[int] = []
    seen: set[tuple[str, int]] = set()
    for place, time in enumerate(times):
        age = now - time
        stretch = (
            ("day", time.toordinal()) if age >= TODAY else ("part", int(time.timestamp() // LATELY.total_seconds()))
        )
        recent = age < LATELY and len(kept) < MOST_LATELY
        if place == 0 or recent or stretch not in seen:
            kept.append(place)
        seen.add(stretch)
    return kept[:MOST]
