"""What Prometheus reads."""

import time

from web.server.metrics import Metrics
from web.server.record import Run


def run(**more):
    return Run(**{"id": "1", "number": 1, "name": "fox", "state": "running", "place": 0, "document": "", **more})


def value(metrics, name, states=None):
    lines = metrics.text(states or {}).decode().splitlines()
    (line,) = [line for line in lines if line.startswith(name + " ")]
    return float(line.rpartition(" ")[2])


def test_runs_are_counted_by_how_they_ended():
    metrics, now = Metrics(), time.time()
    for state in ("done", "done", "failed"):
        metrics.ended(run(created=now - 5, started=now - 2), state)
    assert value(metrics, 'patchbay_runs_total{state="done"}') == 2
    assert value(metrics, 'patchbay_runs_total{state="failed"}') == 1
    assert 9 <= value(metrics, "patchbay_run_waited_seconds_sum") <= 9.1
    assert 6 <= value(metrics, "patchbay_run_seconds_sum") < 7


def test_a_clock_that_was_set_back_costs_nothing():
    metrics, later = Metrics(), time.time() + 1000
    metrics.ended(run(created=later, started=later - 1), "done")
    assert value(metrics, "patchbay_run_waited_seconds_sum") == 0
    assert value(metrics, "patchbay_run_seconds_sum") == 0


def test_the_queue_is_told_as_it_is_now():
    metrics = Metrics()
    assert value(metrics, 'patchbay_queue_runs{state="queued"}', {"queued": 3}) == 3
    assert value(metrics, 'patchbay_queue_runs{state="queued"}', {"queued": 1, "done": 2}) == 1


def test_a_state_that_is_empty_again_is_told_as_zero():
    metrics = Metrics()
    metrics.text({"queued": 3})
    assert value(metrics, 'patchbay_queue_runs{state="queued"}', {"done": 3}) == 0


def test_two_servers_in_one_process_count_apart():
    first, second = Metrics(), Metrics()
    first.worker_deaths.inc()
    assert value(first, "patchbay_worker_deaths_total") == 1
    assert value(second, "patchbay_worker_deaths_total") == 0
