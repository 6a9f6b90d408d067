from functools import partial

import pytest
import torch

from nodes.diffusion.families.families import FAMILIES
from nodes.diffusion.stages import stock

CPU = torch.device("cpu")


class Pipeline:
    def encode_prompt(self, prompt):
        return prompt, prompt + 1

    def __call__(self):
        prompt_embeds, mask = self.encode_prompt(1)
        (
            negative_prompt_embeds,
            _,
        ) = self.encode_prompt(
            5,
        )
        several = self.encode_prompt(7)
        return prompt_embeds, mask, negative_prompt_embeds, several

    def ask(self):
        return self.encode_prompt(9)


class Staged(Pipeline):
    encode_prompt = stock._encoder(Pipeline.encode_prompt)


def test_results_are_recorded_under_the_names_that_the_call_gives_them():
    pipeline = Staged()
    pipeline.prompts = stock.Recorder()
    assert pipeline() == (1, 2, 5, (7, 8))
    found = pipeline.prompts.found
    assert found == {"prompt_embeds": 1, "mask": 2, "negative_prompt_embeds": 5, "_": 6, "several": (7, 8)}
    assert stock.of_role(found, "negative") == {"prompt_embeds": 5}
    assert stock.of_role(found, "positive") == {"prompt_embeds": 1, "mask": 2, "several": (7, 8)}


def test_without_an_assignment_the_encoder_s_own_names_count():
    pipeline = Staged()
    pipeline.prompts = stock.Recorder()
    assert pipeline.ask() == (9, 10)
    assert pipeline.prompts.found == {"prompt": 9, "prompt + 1": 10}


def test_what_was_encoded_is_given_back_for_each_picture_of_a_batch():
    pipeline = Staged()
    positive = {
        "prompt_embeds": torch.ones(1, 2, 3),
        "mask": torch.ones(1, 2, dtype=torch.long),
        "several": [torch.ones(2)],
    }
    negative = {"prompt_embeds": torch.zeros(1, 2, 3)}
    pipeline.prompts = stock.Replay(positive, negative, 3, CPU, torch.float16)
    embeds, mask, against, several = pipeline()
    assert embeds.shape == (3, 2, 3)
    assert embeds.dtype is torch.float16
    assert mask.dtype is torch.long
    assert not against.any()
    assert len(several) == 3


def test_ids_are_shared_and_layers_come_first_where_the_table_says_so():
    replay = stock.Replay({}, None, 2, CPU, torch.float32, {"layers": 1})
    assert replay._repeated("text_ids", torch.zeros(5, 3)).shape == (5, 3)
    assert replay._repeated("layers", torch.zeros(4, 1, 5)).shape == (4, 2, 5)
    assert replay.value("negative_prompt_embeds") is None


def test_what_guidance_means_follows_from_the_defaults():
    assert stock.signature("StableDiffusionPipeline").guidance == "guidance_scale"
    assert stock.signature("FluxPipeline").guidance == "guidance_scale"
    assert stock.signature("FluxPipeline").negative_is_optional
    assert stock.signature("QwenImagePipeline").guidance == "true_cfg_scale"
    assert not stock.signature("Flux2Pipeline").takes_negative


@pytest.mark.parametrize("name", sorted({family.pipeline_class for family in FAMILIES.values()}))
def test_every_class_of_the_table_can_be_staged(name):
    call = stock.signature(name)
    assert {"generator", "output_type", "return_dict", "num_inference_steps"} <= set(call.defaults)
    assert not stock.draws_over(name) or "strength" in call
    assert "scheduler" in stock.made_with(name)
    assert issubclass(stock.staged(name), getattr(stock.diffusers, name))
    assert stock.reads_words(name) is ("prompt" in call.defaults)
    assert stock.encoders(stock.staged(name)) or not stock.reads_words(name)


def test_lists_of_layers_are_repeated_layer_by_layer():
    replay = stock.Replay({}, None, 3, CPU, torch.float32, {"layers": 0})
    found = replay._repeated("layers", [torch.zeros(1, 4), torch.ones(1, 4)])
    assert [tuple(layer.shape) for layer in found] == [(3, 4), (3, 4)]


def test_latents_can_stand_in_the_place_of_those_that_a_pipeline_makes():
    class Pipeline:
        begun = None

        @partial(stock._latents, name="begun")
        def prepare_latents(self, shape, generator, latents=None):
            assert latents is None
            return torch.randn(shape, generator=generator), "ids"

    pipeline, own = Pipeline(), torch.Generator().manual_seed(1)
    assert pipeline.prepare_latents((1, 2), own)[0].shape == (1, 2)
    pipeline.begun = torch.ones(1, 2)
    before = own.get_state()
    assert pipeline.prepare_latents((1, 2), own) == (pipeline.begun, "ids")
    assert torch.equal(own.get_state(), before)


def test_a_language_model_that_draws_tokens_leaves_the_global_generator_as_it_was():
    class Pipeline:
        vision_language_encoder: object = None
        place = CPU

        def generate_prior_tokens(self, seed):
            torch.manual_seed(seed)
            return torch.rand(2)

    pipeline = type(
        "Staged", (Pipeline,), {"generate_prior_tokens": stock._first_tokens(Pipeline.generate_prior_tokens)}
    )()
    assert pipeline.generate_prior_tokens(3)[1:] == (None, None)
    pipeline.vision_language_encoder = object()
    before = torch.random.get_rng_state()
    drawn = pipeline.generate_prior_tokens(3)
    assert torch.equal(drawn, torch.rand(2, generator=torch.Generator().manual_seed(3)))
    assert torch.equal(torch.random.get_rng_state(), before)
