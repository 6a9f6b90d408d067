"""A tiny random Stable Diffusion model, built offline, and stock pipelines on the very modules of the shelf."""

import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from engine import context
from nodes.diffusion.disk.source import ModelSource, survey
from nodes.diffusion.latents import autoencoding
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.schedules.scheduler_table import CLASSES
from nodes.pocket import MODEL
from nodes.types import VAE, Image, Latent
from tests.nodes.diffusion.tiny.table import build


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


@pytest.fixture(scope="session")
def family(tmp_path_factory):
    """The tiny model of a pipeline class by its name, made once."""
    made: dict[str, ModelSource] = {}

    def source(name: str) -> ModelSource:
        if name not in made:
            folder = tmp_path_factory.mktemp(name) / "model"
            build(name, folder)
            made[name] = survey(folder, at="test")
        return made[name]

    return source


class Gaussian:
    """Pictures whose numbers are all drawn from one normal distribution: what a perfect model says has a formula."""

    mean, deviation = 0.3, 0.5

    def clean(self, x, sigma):
        """The expected picture, given it plus `sigma` times noise."""
        variance = self.deviation**2
        return (x * variance + self.mean * sigma**2) / (variance + sigma**2)

    def end(self, x, sigma, last=0.0):
        """Where the probability flow leads from `x` at `sigma`: what a consistency model says."""
        shrink = ((self.deviation**2 + last**2) / (self.deviation**2 + sigma**2)) ** 0.5
        return self.mean + (x - self.mean) * shrink

    def answer(self, prediction, given, time, table, clean=None):
        """What a perfect model of this prediction says of `given` at a time; `table` are its training levels."""
        time = float(time)
        if prediction == "edm":
            sigma = math.exp(4 * time)
            x, data = given * (sigma**2 + 0.25) ** 0.5, 0.5
            skip, out = data**2 / (sigma**2 + data**2), sigma * data / (sigma**2 + data**2) ** 0.5
            return (self.clean(x, sigma) - x * skip) / out
        level = time / 1000 if prediction == "flow" else float(np.interp(time, np.arange(1000), table))
        signal = 1 - level if prediction == "flow" else (1 + level**2) ** -0.5
        noise = level if prediction == "flow" else level * signal
        signal = max(signal, 1e-6)
        clean = (clean or self.clean)(given / signal, noise / signal)
        epsilon = (given - clean * signal) / max(noise, 1e-6)
        velocity = epsilon * signal - clean * noise
        return {"epsilon": epsilon, "sample": clean, "v_prediction": velocity, "flow": epsilon - clean}[prediction]


CONFIGS = {
    "epsilon": {"_class_name": "DDIMScheduler", "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1},
    "flow": {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 1.0},
    "edm": {"_class_name": "EDMEulerScheduler"},
}
"""The configurations of three models' own schedulers."""


@pytest.fixture(scope="session")
def gaussian():
    return Gaussian()


@pytest.fixture(scope="session")
def config_of():
    """The configuration of the own scheduler of a model with this prediction."""
    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}

    def make(prediction):
        config = CONFIGS.get(prediction, CONFIGS["epsilon"])
        is_usual = config is CONFIGS["epsilon"]
        return {**config, **betas, "prediction_type": prediction} if is_usual else config

    return make


@pytest.fixture(scope="session")
def training_levels():
    """The noise levels of Stable Diffusion's 1000 timesteps."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, 0)
    return ((1 - kept) / kept).sqrt().numpy()


@pytest.fixture(scope="session")
def drive(gaussian, training_levels):
    """Run a live scheduler to its end as a stock pipeline does, with a perfect model; pure noise if no start."""

    def run(live, prediction, steps, *, seed=0, start=None, clean=None, shape=(2, 4, 24, 24)):
        own = [torch.Generator("cpu").manual_seed(seed + index) for index in range(shape[0])]
        live.set_timesteps(steps)
        x = torch.cat([torch.randn(1, *shape[1:], generator=each) for each in own]) if start is None else start
        if prediction != "flow" and start is None:
            x = x * live.init_noise_sigma
        accepted = inspect.signature(live.step).parameters
        extra = {name: value for name, value in {"generator": own, "eta": 0.0}.items() if name in accepted}
        for time in live.timesteps:
            given = x if prediction == "flow" else live.scale_model_input(x, time)
            answer = gaussian.answer(prediction, given, time, training_levels, clean)
            x = live.step(answer, time, x, return_dict=False, **extra)[0]
        return x

    return run


@pytest.fixture
def picture(source: ModelSource) -> Image:
    side = {"pocket": 64}.get(source.kind, 32)
    torch.manual_seed(3)
    return Image(torch.rand(2, 3, side, side))


@pytest.fixture
def encoded(source: ModelSource, picture: Image) -> Latent[Any]:
    return autoencoding.sample_distribution(autoencoding.encode_image(VAE(source), picture), [7])
