"""Any wiring that fits, over any models, is refused in words or runs: no shape error ever reaches who wired it.

Which wirings there are, `wirings.py` beside this file says. `-m slow` draws twenty times as many, over more families.
"""

import json

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings

from engine import Catalog, Code, Graph, GraphError, Paths, Settings, plan
from engine.cache import MemoryCache
from engine.executor import Executor
from nodes.diffusion.source import survey
from tests.conftest import build_tiny
from tests.graphs.wirings import wirings
from tests.nodes.diffusion.tiny.table import build

# the law is about errors; what a warning would say is said by the tests of what warns
pytestmark = pytest.mark.filterwarnings("ignore")

FEW = (
    "StableDiffusionPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusion3Pipeline",
    "FluxPipeline",
    "WanPipeline",
)
MORE = (
    "ZImagePipeline",
    "LTXPipeline",
    "SanaPipeline",
    "Lumina2Pipeline",
    "AnimateDiffPipeline",
    "PixArtSigmaPipeline",
)
OTHER = "other"
"""A second model of Stable Diffusion's kind, with another tokenizer and another autoencoder."""

CATALOG = Catalog.load()
CALM = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


class Bench:
    """Runs documents over models in a folder, cached, and holds what comes of them to the law."""

    def __init__(self, folder, names):
        models = folder / "models"
        for name in names:
            build(name, models / name)
        build_tiny(models / OTHER)
        self.kinds = {name: survey(models / name, at="test").kind for name in (*names, OTHER)}
        self.told = {"refused": 0, "failed": 0, "done": 0}
        self._paths = Paths(models=(models,), outputs=folder / "outputs")
        self._executor = Executor(CATALOG, MemoryCache(1 << 28))

    def try_out(self, document):
        """Plan and run a document; every problem must have a place in it, a reason and a fix."""
        note(json.dumps(document))
        graph = Graph.parse(json.dumps(document))
        try:
            wanted = plan(graph, CATALOG, self._paths, Settings(device="cpu"))
        except GraphError as error:
            self.told["refused"] += 1
            for problem in error.problems:
                assert _is_told(problem, document), repr(problem)
            return
        outcome = self._executor.run(wanted)
        self.told[outcome.state] += 1
        for error in outcome.errors:
            assert error.code is not Code.NODE_FAILED, str(error)
            assert _is_told(error.problem, document), repr(error.problem)
        assert outcome.errors or set(outcome.outputs) == set(document["interface"]["outputs"])


def _is_told(problem, document):
    node = problem.at.partition(".")[0].partition("/")[0]
    return node in document["nodes"] and bool(problem.what and problem.fix)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    torch.set_num_threads(1)
    return Bench(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    torch.set_num_threads(1)
    return Bench(tmp_path_factory.mktemp("more"), (*FEW, *MORE))


def test_any_wiring_is_refused_in_words_or_runs(few):
    @settings(max_examples=40, phases=[Phase.generate, Phase.shrink], **CALM)
    @given(wirings(CATALOG, few.kinds))
    def law(document):
        few.try_out(document)

    law()
    assert min(few.told.values()) > 2, few.told


@pytest.mark.slow
def test_many_more_wirings_are_refused_in_words_or_run(more):
    @settings(max_examples=1500, phases=[Phase.generate, Phase.shrink], **CALM)
    @given(wirings(CATALOG, more.kinds))
    def law(document):
        more.try_out(document)

    law()
    print(more.told)  # noqa: T201  # the counts are what the long run is for
