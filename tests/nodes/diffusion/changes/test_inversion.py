"""Textual inversion gives the stock pipeline's bits and leaves tokenizer and table as they were."""

import copy
from contextlib import ExitStack

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import PatchbayError
from nodes.diffusion.changes import embedding_files
from nodes.diffusion.changes.patches import EmbeddingPatch, PatchFile
from nodes.diffusion.memory.patching import twin
from nodes.diffusion.memory.shelf import SHELF
from nodes.diffusion.text import prompts
from nodes.types import TextEncoder
from tests.nodes.diffusion.tiny import exact

SD, XL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"


@pytest.fixture
def write(tmp_path):
    def save(name, **shapes):
        generator = torch.Generator().manual_seed(len(name))
        tensors = {key: torch.randn(shape, generator=generator) for key, shape in shapes.items()}
        save_file(tensors, tmp_path / f"{name}.safetensors")
        return tmp_path / f"{name}.safetensors"

    return save


def taught(source, path, token=""):
    return source.patched(embedding_files.patch(path, token, source, "file"))


def vectors(source, text, **more):
    return prompts.encode_text(TextEncoder(source), text, **more).tensors


def _own(part):
    """A tokenizer or text encoder of its own; the stock loader writes into the table that it finds."""
    if not isinstance(part, torch.nn.Module):
        return copy.deepcopy(part)
    made = twin(part)
    table = made.get_input_embeddings()
    table.weight = torch.nn.Parameter(table.weight.clone(), requires_grad=False)
    return made


def stock_vectors(source, text, *loads):
    """What a stock pipeline gives that was taught; on parts of its own."""
    with ExitStack() as held, torch.no_grad():
        pipeline = exact.stock_pipeline(held, source)
        for name in [name for name in source.parts if source.family.is_text(name)]:
            setattr(pipeline, name, _own(getattr(pipeline, name)))
        for tensors, token, suffix in loads:
            parts = {part: getattr(pipeline, part + suffix) for part in ("tokenizer", "text_encoder")}
            pipeline.load_textual_inversion(tensors, token=token, **parts)
        given = {"device": "cpu", "do_classifier_free_guidance": False}
        more = {"num_images_per_prompt": 1} if source.pipeline_class == SD else {}
        return pipeline.encode_prompt(text, **given, **more)


@pytest.mark.parametrize("shape", [(32,), (1, 32), (3, 32)])
@pytest.mark.parametrize("text", ["a <cat> b", "<cat>", "a b"])
def test_a_token_stands_for_its_vectors(family, write, shape, text):
    source = family(SD)
    path = write("cat", emb_params=shape)
    ours = vectors(taught(source, path, "<cat>"), text)["prompt_embeds"]
    theirs = stock_vectors(source, text, (load_file(path), "<cat>", ""))[0]
    assert torch.equal(ours, theirs)
    assert torch.equal(ours, vectors(source, text)["prompt_embeds"]) is ("<cat>" not in text)


def test_two_embeddings_keep_apart(family, write):
    source = family(SD)
    one, other = write("one", emb_params=(2, 32)), write("other", emb_params=(32,))
    model = taught(taught(source, one, "<one>"), other, "<other>")
    theirs = stock_vectors(source, "<other> a <one>", (load_file(one), "<one>", ""), (load_file(other), "<other>", ""))
    assert torch.equal(vectors(model, "<other> a <one>")["prompt_embeds"], theirs[0])


def test_sdxl_learns_with_both_encoders(family, write):
    source = family(XL)
    path = write("pair", clip_l=(2, 32), clip_g=(2, 32))
    tensors = load_file(path)
    loads = (tensors["clip_l"], "pair", ""), (tensors["clip_g"], "pair", "_2")
    theirs, _, pooled, _ = stock_vectors(source, "a pair b", *loads)
    ours = vectors(taught(source, path), "a pair b")
    assert torch.equal(ours["prompt_embeds"], theirs)
    assert torch.equal(ours["pooled_prompt_embeds"], pooled)


def test_nothing_leaks_into_the_shared_parts(family, write):
    source = family(SD)
    before = vectors(source, "a <cat> b")["prompt_embeds"]
    model = taught(source, write("cat", emb_params=(2, 32)), "<cat>")
    with SHELF.use(model, "text_encoder") as patched, SHELF.use(source, "text_encoder") as plain:
        assert not torch.equal(vectors(model, "a <cat> b")["prompt_embeds"], before)
        assert patched.get_input_embeddings().weight is plain.get_input_embeddings().weight
    with SHELF.use(source, "tokenizer", alone=True) as tokenizer:
        assert "<cat>" not in tokenizer.get_vocab()
    assert torch.equal(vectors(source, "a <cat> b")["prompt_embeds"], before)


def test_a_taught_token_can_be_weighed(family, write):
    model = taught(family(SD), write("cat", emb_params=(2, 32)), "<cat>")
    plain, empty = vectors(model, "a <cat> b")["prompt_embeds"], vectors(model, "")["prompt_embeds"]
    ours = vectors(model, "a (<cat>:1.5) b", weights="towards empty")["prompt_embeds"]
    expected = plain.clone()
    expected[:, 2:4] = empty[:, 2:4] + 1.5 * (plain[:, 2:4] - empty[:, 2:4])
    assert torch.allclose(ours, expected, atol=1e-6)


def test_a_token_that_the_model_knows_is_refused(family, write):
    model = taught(family(SD), write("cat", emb_params=(32,)), "a</w>")
    with pytest.raises(PatchbayError, match="knows the token") as caught:
        vectors(model, "b")
    assert caught.value.at == "token"


def test_a_family_without_textual_inversion_says_so(family, write):
    source = family("StableDiffusion3Pipeline")
    path = write("cat", emb_params=(32,))
    model = source.patched(EmbeddingPatch(PatchFile.at(path, ""), "<cat>", 1, (("text_encoder", "emb_params"),)))
    with pytest.raises(PatchbayError, match="no textual inversion"):
        vectors(model, "b")
