"""A tiny random Stable Diffusion model, built offline, and stock pipelines on the very modules of the shelf."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import diffusers
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from engine import context
from nodes.diffusion.schedulers import CLASSES
from nodes.diffusion.shelf import SHELF
from nodes.diffusion.source import ModelSource, survey
from nodes.pocket import MODEL

LETTERS = "abcdefghijklmnopqrstuvwxyz"


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


def tokenizer() -> CLIPTokenizer:
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=12)


def build_tiny(folder: Path) -> None:
    torch.manual_seed(0)
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=54, hidden_size=32, intermediate_size=37, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=12, bos_token_id=52, eos_token_id=53, pad_token_id=53,
        )
    )
    unet = diffusers.UNet2DConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, sample_size=8, in_channels=4, out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32, attention_head_dim=4, norm_num_groups=8,
    )
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 16, 16), down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3, latent_channels=4, norm_num_groups=4, layers_per_block=1,
    )
    scheduler = diffusers.PNDMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, skip_prk_steps=True, steps_offset=1
    )
    pipeline = diffusers.StableDiffusionPipeline(
        vae=vae, text_encoder=text_encoder, tokenizer=tokenizer(), unet=unet, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )
    diffusers.utils.logging.disable_progress_bar()
    pipeline.save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    build_tiny(folder)
    return folder


@pytest.fixture
def broken(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model for a test to break."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "broken"))


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
