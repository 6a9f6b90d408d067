"""The queue against a model of it: whatever happens in whatever order, the two agree."""

import json
import sqlite3

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from engine import PatchbayError, ServerError, StoreError
from web.server.queue import LOOK_AHEAD, MAX_TRIES, PATIENCE, Order, Queue, open_database
from web.server.record import Artifact, Fault, digest_of


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def order(**more):
    return Order(**{"name": "fox", "document": '{"version": 1}', "inputs": {}, **more})


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(tmp_path, clock):
    connection = open_database(tmp_path / "queue.db")
    yield Queue(connection, clock)
    connection.close()


def add(queue, **more):
    return queue.enqueue(order(**more))[0]


def ids(runs):
    return [run.id for run in runs]


def test_runs_start_in_the_order_in_which_they_came(queue):
    first, second = add(queue), add(queue)
    assert queue.claim()[0].id == first.id
    assert queue.claim()[0].id == second.id
    assert queue.claim() is None


def test_a_higher_priority_goes_first(queue):
    add(queue)
    urgent = add(queue, priority=5)
    assert queue.claim()[0].id == urgent.id


def test_a_claimed_run_comes_with_its_document(queue):
    add(queue, document='{"version": 1, "name": "fox"}')
    assert queue.claim()[1] == '{"version": 1, "name": "fox"}'


def test_one_key_is_one_run(queue):
    first, fresh = queue.enqueue(order(key="a"))
    again, new = queue.enqueue(order(key="a"))
    assert (first.id, fresh, new) == (again.id, True, False)
    assert len(queue.page()) == 1


def test_a_key_of_another_request_is_refused(queue):
    add(queue, key="a")
    with pytest.raises(ServerError, match="another request"):
        add(queue, key="a", document="{}")


def test_a_key_stands_for_what_was_asked_whatever_was_drawn_for_it(queue):
    first = add(queue, key="a", document='{"seed": 1}', asked='{"seed": 0}', drawn={"n.seed": 1})
    again, fresh = queue.enqueue(order(key="a", document='{"seed": 2}', asked='{"seed": 0}', drawn={"n.seed": 2}))
    assert (again, fresh, again.drawn) == (first, False, {"n.seed": 1})
    assert queue.document(again) == '{"seed": 1}'
    plain = add(queue, key="b", document='{"seed": 0}')
    assert queue.enqueue(order(key="b", document='{"seed": 3}', asked='{"seed": 0}'))[0] == plain


def test_a_row_of_before_seeds_were_drawn_can_be_read(queue):
    run = add(queue)
    old = json.loads(run.model_dump_json())
    del old["drawn"]
    text = json.dumps(old)
    queue._db.execute("UPDATE runs SET body = ?, digest = ?", (text, digest_of(text)))
    assert queue.get(run.id) == run


def test_an_old_attempt_cannot_end_a_run(queue):
    run = add(queue)
    old = queue.claim()[0]
    queue.give_back(run.id, old.attempt, node=None, reason="The worker died.")
    new = queue.claim()[0]
    assert queue.finish(run.id, old.attempt, "done", outputs={"n": 1}) is None
    assert queue.get(run.id).state == "running"
    assert queue.finish(run.id, new.attempt, "done", outputs={"n": 2}).outputs == {"n": 2}
    assert queue.finish(run.id, new.attempt, "failed") is None


def test_a_run_that_kills_its_worker_is_given_up_and_names_the_node(queue):
    run = add(queue)
    for _ in range(MAX_TRIES):
        claimed = queue.claim()[0]
        queue.give_back(run.id, claimed.attempt, node="boom", reason="The worker ended by signal SIGABRT.")
    found = queue.get(run.id)
    assert (found.state, found.error.code, found.error.at) == ("failed", "worker_died", "boom")
    assert "SIGABRT" in found.error.what
    assert queue.claim() is None


def test_an_attempt_that_does_not_count_is_not_counted(queue):
    run = add(queue)
    for _ in range(MAX_TRIES * 2):
        claimed = queue.claim()[0]
        queue.give_back(run.id, claimed.attempt, node=None, reason="The server was stopped.", counted=False)
    assert queue.get(run.id).state == "queued"


def test_a_run_that_comes_back_keeps_its_place(queue):
    first, second = add(queue), add(queue)
    claimed = queue.claim()[0]
    third = add(queue)
    queue.give_back(first.id, claimed.attempt, node=None, reason="The worker died.")
    assert ids(queue.waiting()) == [first.id, second.id, third.id]


def test_a_queued_run_is_cancelled_at_once(queue):
    run = add(queue)
    assert queue.cancel(run.id).state == "cancelled"
    assert queue.claim() is None


def test_a_running_run_is_cancelled_when_its_worker_says_so(queue):
    run = add(queue)
    claimed = queue.claim()[0]
    assert queue.cancel(run.id).state == "running"
    assert queue.cancel(run.id).cancelling
    assert queue.finish(run.id, claimed.attempt, "cancelled").state == "cancelled"


def test_a_cancelled_run_whose_worker_dies_stays_cancelled(queue):
    run = add(queue)
    claimed = queue.claim()[0]
    queue.cancel(run.id)
    assert queue.give_back(run.id, claimed.attempt, node=None, reason="Killed.").state == "cancelled"


def test_what_is_over_cannot_be_cancelled(queue):
    run = add(queue)
    claimed = queue.claim()[0]
    queue.finish(run.id, claimed.attempt, "done")
    with pytest.raises(ServerError, match="is done"):
        queue.cancel(run.id)


def test_a_failed_run_can_be_retried_and_a_done_one_cannot(queue):
    run = add(queue)
    claimed = queue.claim()[0]
    queue.finish(run.id, claimed.attempt, "failed", error=Fault(code="node_failed", at="a", what="It broke."))
    again = queue.retry(run.id)
    assert (again.state, again.error, again.tries, again.attempt) == ("queued", None, 0, 1)
    claimed = queue.claim()[0]
    queue.finish(run.id, claimed.attempt, "done")
    with pytest.raises(ServerError, match="Submit it again"):
        queue.retry(run.id)


def test_a_run_can_be_moved_before_another_to_the_front_and_to_the_back(queue):
    a, b, c = add(queue), add(queue), add(queue)
    queue.move(c.id, before=b.id)
    assert ids(queue.waiting()) == [a.id, c.id, b.id]
    queue.move(b.id, to="first")
    assert ids(queue.waiting()) == [b.id, a.id, c.id]
    queue.move(b.id, to="last")
    assert ids(queue.waiting()) == [a.id, c.id, b.id]
    queue.move(b.id, priority=3)
    assert ids(queue.waiting()) == [b.id, a.id, c.id]
    queue.move(a.id, before=b.id)
    assert queue.get(a.id).priority == 3
    assert queue.move(a.id, before=a.id).id == a.id


def test_moving_never_runs_out_of_places(queue):
    first, second = add(queue), add(queue)
    runs = [add(queue) for _ in range(120)]
    for run in runs:
        queue.move(run.id, before=second.id)
    assert ids(queue.waiting()) == [first.id, *ids(runs), second.id]


def test_only_queued_runs_move(queue):
    run, other = add(queue), add(queue)
    queue.claim()
    with pytest.raises(ServerError, match="cannot be moved"):
        queue.move(run.id, to="first")
    with pytest.raises(ServerError, match="cannot be moved"):
        queue.move(other.id, before=run.id)


def test_a_paused_queue_starts_nothing(queue):
    add(queue)
    queue.pause(paused=True)
    queue.pause(paused=True)
    assert queue.claim() is None
    queue.pause(paused=False)
    assert queue.claim() is not None


def test_the_run_of_the_warm_model_goes_first(queue):
    add(queue, affinity="sdxl")
    warm = add(queue, affinity="sd1")
    assert queue.claim("sd1")[0].id == warm.id


def test_a_run_without_a_model_is_not_held_up_for_a_warm_one(queue):
    light = add(queue)
    add(queue, affinity="sd1")
    assert queue.claim("sd1")[0].id == light.id


def test_the_head_is_overtaken_for_a_bounded_time(queue, clock):
    cold = add(queue, affinity="sdxl")
    for _ in range(3):
        add(queue, affinity="sd1")
    assert queue.claim("sd1")[0].id != cold.id
    clock.now += PATIENCE - 1
    assert queue.claim("sd1")[0].id != cold.id
    clock.now += 2
    assert queue.claim("sd1")[0].id == cold.id


def test_a_run_that_was_moved_to_the_front_is_not_overtaken(queue):
    cold, warm = add(queue, affinity="sdxl"), add(queue, affinity="sd1")
    queue.move(cold.id, to="first")
    assert queue.claim("sd1")[0].id == cold.id
    assert queue.claim("sd1")[0].id == warm.id


def test_warmth_does_not_beat_priority_and_looks_only_so_far(queue):
    urgent = add(queue, affinity="sdxl", priority=1)
    add(queue, affinity="sd1")
    assert queue.claim("sd1")[0].id == urgent.id
    queue.claim("sd1")
    cold = [add(queue, affinity="sdxl") for _ in range(LOOK_AHEAD)]
    add(queue, affinity="sd1")
    assert queue.claim("sd1")[0].id == cold[0].id


def test_files_are_found_by_their_digest(queue):
    run = add(queue)
    claimed = queue.claim()[0]
    picture = Artifact(digest="ab" * 32, file="fox-0001.png", media_type="image/png", bytes=3, width=1, height=1)
    queue.finish(run.id, claimed.attempt, "done", files=[picture])
    assert [(found.id, item) for found, item in queue.artifact("ab" * 32)] == [(run.id, picture)]
    assert queue.artifact("cd" * 32) == []


def test_what_happens_is_told_in_order_and_can_be_read_again(queue):
    run = add(queue)
    claimed = queue.claim()[0]
    queue.finish(run.id, claimed.attempt, "done", outputs={"n": 2**70})
    told = [notice.body["event"] for notice in queue.notices]
    assert told == ["run_queued", "run_started", "run_finished"]
    assert queue.history(0, 10) == queue.notices
    assert queue.history(1, 3) == queue.notices[1:2]
    assert queue.last_notice() == 3
    assert queue.notices[-1].body["outputs"] == {"n": 2**70}


def test_after_a_crash_what_ran_is_queued_again(tmp_path):
    path = tmp_path / "queue.db"
    first = Queue(open_database(path))
    run, waiting = add(first), add(first)
    first.claim()
    second = Queue(open_database(path))
    assert ids(second.recover()) == [run.id]
    assert ids(second.waiting()) == [run.id, waiting.id]


def test_unknown_runs_are_named(queue):
    for name in ("7", "x", "", "9" * 40, "²"):
        with pytest.raises(ServerError, match="There is no run"):
            queue.get(name)


def flip(path, table, column):
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {table} SET {column} = replace({column}, 'fox', 'fax')")  # noqa: S608  # names of our own


def test_a_flipped_bit_in_a_row_is_told_and_the_others_go_on(tmp_path):
    path = tmp_path / "queue.db"
    queue = Queue(open_database(path))
    damaged = add(queue)
    flip(path, "runs", "body")
    whole = add(queue, name="owl")
    assert queue.claim()[0].id == whole.id
    found = queue.get(damaged.id)
    assert (found.state, found.error.code) == ("failed", "damaged")


def test_a_flipped_bit_in_a_graph_is_told(tmp_path):
    path = tmp_path / "queue.db"
    queue = Queue(open_database(path))
    damaged = add(queue, document='{"name": "fox"}')
    flip(path, "documents", "text")
    assert queue.claim() is None
    assert queue.get(damaged.id).error.code == "damaged"
    with pytest.raises(StoreError, match="graph of run 1 no longer matches"):
        queue.document(damaged)


def test_a_damaged_notice_is_left_out(tmp_path):
    path = tmp_path / "queue.db"
    queue = Queue(open_database(path))
    add(queue)
    flip(path, "events", "body")
    add(queue, name="owl")
    assert [notice.body["name"] for notice in queue.history(0, 9)] == ["owl"]


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_truncated_database_is_refused_and_left_as_it_is(tmp_path, keep):
    path = tmp_path / "queue.db"
    connection = open_database(path)
    queue = Queue(connection)
    for number in range(50):
        add(queue, document=str(number) * 500)
    connection.close()
    data = path.read_bytes()[: int(path.stat().st_size * keep)]
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged") as caught:
        open_database(path)
    assert caught.value.code == "damaged"
    assert path.read_bytes() == data


def test_what_is_no_database_and_another_format_are_refused(tmp_path):
    path = tmp_path / "queue.db"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreError, match="damaged"):
        open_database(path)
    newer = tmp_path / "newer.db"
    open_database(newer).execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="format 99"):
        open_database(newer)


class Model(RuleBasedStateMachine):
    """The same rules on a list in memory."""

    runs = Bundle("runs")

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        from web.server.queue import TABLES

        self.db.executescript(TABLES)
        self.queue = Queue(self.db, self.clock)
        self.waiting = []  # ids in order, those of one priority together
        self.facts = {}
        self.paused = False

    def insert(self, run_id):
        """Behind everything of its priority, live runs that would come back included."""
        place = max((fact["place"] for fact in self.of_priority(run_id)), default=0.0) + 1
        self.facts[run_id]["place"] = place

    def of_priority(self, run_id):
        mine = self.facts[run_id]
        return [
            fact
            for other, fact in self.facts.items()
            if other != run_id and fact["state"] in ("queued", "running") and fact["priority"] == mine["priority"]
        ]

    def expected(self):
        queued = [
            (-fact["priority"], fact["place"], name) for name, fact in self.facts.items() if fact["state"] == "queued"
        ]
        return [name for *_, name in sorted(queued)]

    @rule(target=runs, priority=st.integers(-1, 1), affinity=st.sampled_from(["", "a", "b"]))
    def enqueue(self, priority, affinity):
        run = add(self.queue, priority=priority, affinity=affinity)
        self.facts[run.id] = {"state": "queued", "priority": priority, "attempt": 0, "tries": 0, "cancelling": False}
        self.insert(run.id)
        return run.id

    @rule()
    def claim(self):
        claimed = self.queue.claim()
        expected = self.expected()
        if self.paused or not expected:
            assert claimed is None
            return
        run = claimed[0]
        assert run.id == expected[0]
        fact = self.facts[run.id]
        fact.update(state="running", attempt=fact["attempt"] + 1, tries=fact["tries"] + 1)
        assert (run.attempt, run.tries) == (fact["attempt"], fact["tries"])

    @rule(run=runs, state=st.sampled_from(["done", "failed", "cancelled"]), age=st.integers(0, 2))
    def finish(self, run, state, age):
        fact = self.facts[run]
        ended = self.queue.finish(run, fact["attempt"] - age, state)
        if fact["state"] == "running" and age == 0:
            assert ended.state == state
            fact.update(state=state, cancelling=False)
        else:
            assert ended is None

    @rule(run=runs, counted=st.booleans())
    def die(self, run, counted):
        fact = self.facts[run]
        found = self.queue.give_back(run, fact["attempt"], node="n", reason="It died.", counted=counted)
        if fact["state"] != "running":
            assert found is None
            return
        self.lose(fact, counted)
        assert found.state == fact["state"]

    @staticmethod
    def lose(fact, counted):
        tries = fact["tries"] - (not counted)
        if fact["cancelling"]:
            fact.update(state="cancelled", cancelling=False)
        elif tries >= MAX_TRIES:
            fact.update(state="failed")
        else:
            fact.update(state="queued", tries=tries)

    @rule()
    def crash(self):
        self.queue = Queue(self.db, self.clock)
        running = [name for name, fact in self.facts.items() if fact["state"] == "running"]
        assert ids(self.queue.recover()) == running
        for name in running:
            self.lose(self.facts[name], counted=True)

    @rule(run=runs)
    def cancel(self, run):
        fact = self.facts[run]
        if fact["state"] == "queued":
            assert self.queue.cancel(run).state == "cancelled"
            fact["state"] = "cancelled"
        elif fact["state"] == "running":
            assert self.queue.cancel(run).cancelling
            fact["cancelling"] = True
        else:
            self.refused(self.queue.cancel, run)

    @rule(run=runs)
    def retry(self, run):
        fact = self.facts[run]
        if fact["state"] in ("failed", "cancelled"):
            assert self.queue.retry(run).state == "queued"
            self.insert(run)
            fact.update(state="queued", tries=0)
        else:
            self.refused(self.queue.retry, run)

    @rule(run=runs, other=runs)
    def move_before(self, run, other):
        mine, theirs = self.facts[run], self.facts[other]
        if mine["state"] != "queued" or theirs["state"] != "queued":
            self.refused(lambda name: self.queue.move(name, before=other), run)
            return
        self.queue.move(run, before=other)
        if run != other:
            mine.update(priority=theirs["priority"])
            self.resync()
            order_ = self.expected()
            assert order_.index(run) + 1 == order_.index(other)

    def resync(self):
        """Places are the queue's own business; only their order is compared."""
        for run in self.queue.waiting():
            self.facts[run.id]["place"] = run.place

    @rule(run=runs, to=st.sampled_from(["first", "last"]))
    def move_to(self, run, to):
        fact = self.facts[run]
        if fact["state"] != "queued":
            self.refused(lambda name: self.queue.move(name, to=to), run)
            return
        self.queue.move(run, to=to)
        self.resync()
        level = [name for name in self.expected() if self.facts[name]["priority"] == fact["priority"]]
        assert level[0 if to == "first" else -1] == run

    @rule(paused=st.booleans())
    def pause(self, paused):
        self.queue.pause(paused=paused)
        self.paused = paused

    def refused(self, call, run):
        with pytest.raises(PatchbayError):
            call(run)

    @invariant()
    def agree(self):
        assert ids(self.queue.waiting()) == self.expected()
        states = {}
        for fact in self.facts.values():
            states[fact["state"]] = states.get(fact["state"], 0) + 1
        assert self.queue.counts() == states
        assert self.queue.paused == self.paused
        assert [notice.id for notice in self.queue.notices] == sorted(notice.id for notice in self.queue.notices)

    def teardown(self):
        self.db.close()


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
