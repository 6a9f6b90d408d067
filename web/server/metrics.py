"""What `/metrics` tells Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from web.server.record import ENDED, LIVE

if TYPE_CHECKING:
    from web.server.record import Run


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._runs = Counter("patchbay_runs", "Runs that ended.", ["state"], registry=self._registry)
        self._waited = Histogram(
            "patchbay_run_waited_seconds", "From submission to the start of the last attempt.", registry=self._registry
        )
        self._took = Histogram(
            "patchbay_run_seconds", "From the start of the last attempt to its end.", registry=self._registry
        )
        self._states = Gauge("patchbay_queue_runs", "Runs in each state.", ["state"], registry=self._registry)
        self.worker_deaths = Counter(
            "patchbay_worker_deaths", "Workers that died and were replaced.", registry=self._registry
        )
        self.requests = Counter(
            "patchbay_http_requests", "Requests answered.", ["method", "status"], registry=self._registry
        )

    def ended(self, run: Run, state: str) -> None:
        """A worker has brought a run to its end."""
        started = run.started or run.created
        self._runs.labels(state).inc()
        self._waited.observe(max(0.0, started - run.created))
        self._took.observe(max(0.0, time.time() - started))

    def text(self, states: dict[str, int]) -> bytes:
        """Everything in Prometheus' text format, with the queue's `states` as they are now."""
        for state in (*LIVE, *ENDED):
            self._states.labels(state).set(states.get(state, 0))
        return generate_latest(self._registry)
