import pytest
import torch

from nodes.diffusion.schedules.leftover import remembered, restore, state_of


class Solver:
    def __init__(self):
        self.count, self.history, self.table, self.last = 0, [None, None], torch.arange(3), None
        self.nested = [[1, 2]]
        self.shape = None
        self.noise_sampler = None

    def step(self):
        self.count += 1
        self.history[0] = torch.full((2,), float(self.count))
        self.last = self.history[0]
        self.shape = self.last.shape
        self.noise_sampler = object()


def test_only_what_changed_is_stored_and_it_comes_back():
    solver, own = Solver(), [torch.Generator().manual_seed(3)]
    before = remembered(solver)
    torch.randn(2, generator=own[0])
    solver.step()
    state = state_of(solver, before, own)
    assert state.keys() == {"count", "history", "last", "shape", "generators"}
    fresh, others = Solver(), [torch.Generator()]
    restore(fresh, state, others, torch.device("cpu"))
    assert (fresh.count, fresh.shape) == (1, (2,))
    assert torch.equal(fresh.history[0], solver.history[0])
    assert fresh.history[0] is not solver.history[0]
    assert torch.equal(torch.randn(3, generator=own[0]), torch.randn(3, generator=others[0]))


def test_a_list_that_grew_is_a_change():
    solver = Solver()
    before = remembered(solver)
    solver.history.append(None)
    assert state_of(solver, before, [])["history"] == [None, None, None]


def test_what_cannot_be_stored_is_said():
    solver = Solver()
    before = remembered(solver)
    solver.last = object()
    with pytest.raises(TypeError, match="keeps object between steps"):
        state_of(solver, before, [])


def test_states_may_be_used_outside_inference_mode():
    solver = Solver()
    before = remembered(solver)
    with torch.inference_mode():
        solver.step()
        state = state_of(solver, before, [])
    assert not state["last"].is_inference()
