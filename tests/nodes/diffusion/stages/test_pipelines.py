import pytest
import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.stages import pipelines, stock


def test_options_are_arguments_of_the_stock_call(pocket):
    assert pipelines.checked_options(pocket, {"clip_skip": 1, "eta": 0.5}) == {"clip_skip": 1, "eta": 0.5}
    with pytest.raises(PatchbayError, match='Did you mean "clip_skip"') as caught:
        pipelines.checked_options(pocket, {"clip_skp": 1})
    assert caught.value.code is Code.BAD_VALUE
    assert caught.value.at == "options.clip_skp"


@pytest.mark.parametrize("owned", ["prompt", "latents", "generator", "num_inference_steps", "output_type"])
def test_what_ports_stand_for_is_no_option(pocket, owned):
    with pytest.raises(PatchbayError):
        pipelines.checked_options(pocket, {owned: 1})


def test_absent_parts_have_sizes_and_no_weights(pocket):
    with pipelines.opened(pocket) as pipeline:
        assert pipeline.unet.device.type == "meta"
        assert pipeline.vae.config.latent_channels == 4
        assert pipeline.text_encoder.config.hidden_size == 128
        assert pipeline.tokenizer is None
        assert pipeline.device == torch.device("cpu")
        assert torch.is_inference_mode_enabled()


def test_a_call_can_be_stopped_where_it_asks_for_timesteps(pocket):
    shim = pipelines.stop_at_timesteps(pocket, lambda: True)
    with pytest.raises(stock.Reached):
        shim.set_timesteps(4)
    pipelines.stop_at_timesteps(pocket, lambda: False).set_timesteps(4)


def test_what_stands_for_a_safety_checker_passes_everything():
    checker = pipelines.Trusting()
    checker.to("cpu")
    assert checker.check_text_safety("anything")
    assert checker.check_video_safety("frames") == "frames"


def test_a_scheduler_is_told_what_the_constructor_told_the_model_s_own(pocket):
    with pipelines.opened(pocket) as pipeline:
        assert pipeline.taught == {}
        pipeline.taught = {"sigma_max": 80.0}
        assert pipelines.taught(pipeline, pipelines.own_scheduler(pocket)).config.sigma_max == 80.0


def test_what_would_draw_noise_without_a_seed_is_no_option(family):
    source = family("SkyReelsV2DiffusionForcingPipeline")
    assert pipelines.checked_options(source, {"ar_step": 5}) == {"ar_step": 5}
    with pytest.raises(PatchbayError, match='takes no option "addnoise_condition"'):
        pipelines.checked_options(source, {"addnoise_condition": 20})
