"""A tiny random Stable Diffusion model, built offline, and stock pipelines on the very modules of the shelf."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import diffusers
import pytest
import torch

from engine import context
from nodes.diffusion.schedulers import CLASSES
from nodes.diffusion.shelf import SHELF
from nodes.diffusion.source import ModelSource, survey
from nodes.pocket import MODEL


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def within():
    """Make a node context the current one for a block."""

    @contextmanager
    def enter(**fields):
        token = context._current.set(context.NodeContext(**fields))
        try:
            yield
        finally:
            context._current.reset(token)

    return enter


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> ModelSource:
    return survey(tiny_folder, at="test")


@pytest.fixture(scope="session")
def pocket() -> ModelSource:
    return survey(MODEL, at="test")


@pytest.fixture(params=["tiny", "pocket"])
def source(request: pytest.FixtureRequest) -> ModelSource:
    found: ModelSource = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def stock() -> Iterator[Callable[..., diffusers.DiffusionPipeline]]:
    """Make a stock pipeline as its documentation says, from the modules on the shelf."""
    with ExitStack() as held:

        def make(source: ModelSource, scheduler: str, pipeline_class: str = "StableDiffusionPipeline", **options):
            names = ("tokenizer", "text_encoder", "unet", "vae")
            parts = {name: held.enter_context(SHELF.use(source, name)) for name in names}
            own = getattr(diffusers, source.parts["scheduler"].class_name)
            pipeline = getattr(diffusers, pipeline_class)(
                **parts,
                scheduler=own.from_pretrained(source.path / "scheduler"),
                safety_checker=None,
                feature_extractor=None,
                requires_safety_checker=False,
            )
            chosen = getattr(diffusers, CLASSES[scheduler])
            pipeline.scheduler = chosen.from_config(pipeline.scheduler.config, **options)
            pipeline.set_progress_bar_config(disable=True)
            return pipeline

        yield make


@pytest.fixture
def generators() -> Callable[[int, int], list[torch.Generator]]:
    return lambda seed, batch: [torch.Generator("cpu").manual_seed(seed + index) for index in range(batch)]
