"""Any wiring that fits, over any models, is refused in words or runs: no shape error ever reaches who wired it.

Which wirings there are, `wirings.py` beside this file says. `-m slow` draws twenty times as many, over more families.
"""

import json

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings
from safetensors.torch import save_file

from engine import Catalog, Code, Graph, GraphError, Paths, Settings, plan
from engine.cache import MemoryCache
from engine.executor import Executor
from engine.types import KindName
from nodes.diffusion.disk.source import survey
from nodes.diffusion.latents.directions import to_bytes
from nodes.types import Direction
from tests.conftest import build_tiny
from tests.graphs.wirings import GRAPHS, wirings
from tests.nodes.diffusion.tiny.controlled import CONTROLLED, build_net
from tests.nodes.diffusion.tiny.loras import save, weights
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
        self.files = furnish(folder, {name: survey(models / name, at="test") for name in (*names, OTHER)})
        self.told = {"refused": 0, "failed": 0, "done": 0}
        self._paths = Paths(models=(models,), graphs=(folder / "graphs",), outputs=folder / "outputs")
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


def furnish(folder, sources):
    """Write what nodes can name beside models: ControlNets, patches, directions, graphs. See `wirings`."""
    models, graphs = folder / "models", folder / "graphs"
    graphs.mkdir()
    for name, document in GRAPHS.items():
        (graphs / f"{name}.json").write_text(json.dumps({"version": 1, **document}))
    of = {name: KindName(source.kind) for name, source in sources.items()}
    nets = {f"net-{name}": name for name in CONTROLLED if name in sources}
    loras = {f"lora-{name}.safetensors": name for name in (*FEW[:3], OTHER)}
    ways = {f"way-{name}.safetensors": name for name in (*FEW[:2], OTHER)}
    for file, name in nets.items():
        build_net(sources[name], models / file)
    for file, name in loras.items():
        save(weights(sources[name]), models / file)
    for file, name in ways.items():
        delta = torch.ones(1, 4, 1, 1)
        (models / file).write_bytes(to_bytes(Direction(delta, sources[name].kind)))
    save_file({"<fox>": torch.ones(2, 32)}, models / "fox.safetensors")
    return {
        ("LoadControlNet", "control_net"): {file: of[name] for file, name in nets.items()},
        ("ApplyLora", "file"): {file: of[name] for file, name in loras.items()},
        ("LoadDirection", "file"): {file: of[name] for file, name in ways.items()},
        ("AddEmbedding", "file"): {"fox.safetensors": None},
        **{(loop, "graph"): dict.fromkeys(GRAPHS) for loop in ("ForEach", "Repeat")},
    }


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
    @settings(max_examples=50, phases=[Phase.generate, Phase.shrink], **CALM)
    @given(wirings(CATALOG, few.kinds, few.files))
    def law(document):
        few.try_out(document)

    law()
    assert min(few.told.values()) > 2, few.told


@pytest.mark.slow
def test_many_more_wirings_are_refused_in_words_or_run(more):
    @settings(max_examples=1500, phases=[Phase.generate, Phase.shrink], **CALM)
    @given(wirings(CATALOG, more.kinds, more.files))
    def law(document):
        more.try_out(document)

    law()
    print(more.told)  # noqa: T201  # the counts are what the long run is for
