"""Random graphs against an interpreter too simple to be wrong."""

from __future__ import annotations

import threading

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import Code, GraphError, node
from tests.engine.kit import Lab, graph, link


@node("Odd")
def odd(a: int) -> int:
    if a % 2:
        message = "odd"
        raise ValueError(message)
    return a


PORTS = {"Number": "number", "Add": "number", "Odd": "number", "Sum": "number", "Range": "numbers", "If": "value"}
FUNCTIONS = {
    "Number": lambda value: value,
    "Add": lambda a, b=1: a + b,
    "Odd": lambda a: a if a % 2 == 0 else FAILED,
    "Sum": lambda items: sum(items if isinstance(items, list) else [items]),
    "Range": lambda size: list(range(size)),
}
FAILED, ABSENT = "failed", "absent"


class Reference:
    """What each node of a graph is worth, and which were asked for."""

    def __init__(self, nodes):
        self.nodes, self.known = nodes, {}

    def value(self, raw):
        if isinstance(raw, list):
            items = [item for item in map(self.value, raw) if item is not ABSENT]
            return FAILED if FAILED in items else items
        return self.give(raw["link"].partition(".")[0]) if isinstance(raw, dict) else raw

    def absent(self, raw):
        if not isinstance(raw, dict):
            return False
        _, inputs, state = self.nodes[raw["link"].partition(".")[0]]
        if state == "bypass":
            return self.absent(inputs["a"])
        return state == "mute" or any(self.absent(given) for name, given in inputs.items() if name != "b")

    def give(self, name):
        type_, inputs, state = self.nodes[name]
        if self.absent(link(f"{name}.x")):
            return ABSENT
        if state == "bypass":
            return self.value(inputs["a"])
        if name not in self.known:
            self.known[name] = self.compute(type_, inputs)
        return self.known[name]

    def compute(self, type_, inputs):
        if type_ == "If":
            taken = self.value(inputs["condition"])
            return taken if taken is FAILED else self.value(inputs["then" if taken else "otherwise"])
        values = {name: self.value(raw) for name, raw in inputs.items()}
        values = {name: value for name, value in values.items() if value is not ABSENT}
        if FAILED in values.values():
            return FAILED
        lists = {name: value for name, value in values.items() if isinstance(value, list) and name != "items"}
        if not lists:
            return FUNCTIONS[type_](**values)
        if len({len(value) for value in lists.values()}) > 1:
            return FAILED
        count = len(next(iter(lists.values())))
        each = [FUNCTIONS[type_](**values | {k: v[i] for k, v in lists.items()}) for i in range(count)]
        return FAILED if FAILED in each else each


@st.composite
def graphs(draw):
    """Nodes by name, and the names of those that are wanted."""
    nodes, many = {}, {}

    def some(names):
        name = draw(st.sampled_from(names))
        type_ = nodes[name][0]
        return name, link(f"{name}.{PORTS[type_]}")

    for index in range(draw(st.integers(1, 9))):
        name, state, is_list = f"n{index}", None, False
        singles, lists = [key for key in nodes if not many[key]], [key for key in nodes if many[key]]
        type_ = draw(st.sampled_from(["Number", "Add", "Odd", "Sum", "Range", "If"] if nodes else ["Number", "Range"]))
        if type_ == "If" and not singles:
            type_ = "Range"
        if type_ == "Number":
            inputs = {"value": draw(st.integers(0, 3))}
        elif type_ == "Range":
            inputs, is_list = {"size": draw(st.integers(0, 3))}, True
        elif type_ == "If":
            group = draw(st.sampled_from([group for group in (singles, lists) if group]))
            inputs = {"condition": draw(st.booleans()), "then": some(group)[1], "otherwise": some(group)[1]}
            is_list = group is lists
        elif type_ == "Sum":
            whole = (
                st.just([some(singles)[1] for _ in range(draw(st.integers(1, 3)))] + [2]) if singles else st.nothing()
            )
            inputs = {"items": draw(st.just(some(list(nodes))[1]) | whole)}
        else:
            source, inputs = some(list(nodes))[0], {}
            inputs["a"] = link(f"{source}.{PORTS[nodes[source][0]]}")
            is_list = many[source]
            if type_ == "Add":
                state = draw(st.sampled_from([None] * 6 + ["mute", "bypass"]))
                if draw(st.booleans()):
                    other, inputs["b"] = some(list(nodes))
                    is_list = is_list or (many[other] and state != "bypass")
        nodes[name], many[name] = (type_, inputs, state), is_list
    wanted = draw(st.lists(st.sampled_from(list(nodes)), min_size=1, max_size=3, unique=True))
    return nodes, wanted


def document(nodes, wanted):
    return graph(nodes, outputs={name: f"{name}.{PORTS[nodes[name][0]]}" for name in wanted})


def expected(nodes, wanted):
    """The outputs of a run, whether anything failed, and what was needed."""
    reference = Reference(nodes)
    values = {name: reference.give(name) for name in wanted}
    outputs = {name: value for name, value in values.items() if value not in (FAILED, ABSENT)}
    return outputs, FAILED in reference.known.values(), set(reference.known)


def planned_or_none(lab, wanted):
    try:
        return lab.plan(wanted)
    except GraphError as error:
        if error.code is Code.NOTHING_TO_RUN:  # all that was wanted is muted
            return None
        raise


@settings(max_examples=300, deadline=None)
@given(graphs(), st.integers(1, 30))
def test_the_executor_agrees_with_the_reference(drawn, moment):
    nodes, wanted = drawn
    lab = Lab(odd)
    small = Lab(odd, budget=3_000)
    try:
        made = document(nodes, wanted)
        assume(planned_or_none(lab, made) is not None)
        outputs, failed, needed = expected(nodes, wanted)
        cancel = threading.Event()
        lab.run(made, cancel, lambda event: cancel.set() if event.sequence == moment else None)
        for one in (lab, lab, small, small):
            outcome = one.run(made)
            assert outcome.outputs == outputs
            assert outcome.state == ("failed" if failed else "done")
            seen = one.ids("node_started") + one.ids("node_reused")
            assert len(set(seen)) == len(seen)
            assert set(seen) <= needed
            assert len(outcome.errors) == len(one.ids("node_failed"))
    finally:
        lab.executor.close()
        small.executor.close()


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_two_runs_at_once_over_one_cache_agree_with_the_reference(drawn):
    nodes, wanted = drawn
    lab = Lab(odd)
    try:
        made = planned_or_none(lab, document(nodes, wanted))
        assume(made is not None)
        found = []
        threads = [threading.Thread(target=lambda: found.append(lab.executor.run(made).outputs)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected(nodes, wanted)[0]] * 2
    finally:
        lab.executor.close()
