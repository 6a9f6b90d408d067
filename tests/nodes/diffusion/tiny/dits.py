"""Families around a transformer that draw pictures."""

import diffusers
import transformers

from tests.nodes.diffusion.tiny import encoders, vaes, words


def flow_match(**options):
    return diffusers.FlowMatchEulerDiscreteScheduler(**{"shift": 3.0, **options})


def flow_by_size():
    """Flow matching whose timesteps depend on the size of the picture."""
    sizes = {"base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 16, "max_image_seq_len": 64}
    return flow_match(use_dynamic_shifting=True, **sizes)


def sd3():
    return {
        "transformer": diffusers.SD3Transformer2DModel(
            sample_size=32,
            patch_size=1,
            in_channels=16,
            out_channels=16,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=32,
            pooled_projection_dim=64,
            dual_attention_layers=(0,),
            qk_norm="rms_norm",
        ),
        "scheduler": flow_match(),
        "vae": vaes.flow(16, scaling_factor=1.5305, shift_factor=0.0609),
        "text_encoder": encoders.clip_projected(),
        "tokenizer": words.clip(),
        "text_encoder_2": encoders.clip_projected(),
        "tokenizer_2": words.clip(),
        "text_encoder_3": encoders.t5(),
        "tokenizer_3": words.t5(),
    }


_SMALLEST_FLUX = {
    "in_channels": 16,
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "axes_dims_rope": [4, 4, 8],
}


def flux(*, guidance=True, **options):
    return {
        "transformer": diffusers.FluxTransformer2DModel(
            patch_size=1,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            guidance_embeds=guidance,
            **{**_SMALLEST_FLUX, **options},
        ),
        "scheduler": flow_by_size(),
        "vae": vaes.flow(),
        "text_encoder": encoders.clip(),
        "tokenizer": words.clip(),
        "text_encoder_2": encoders.t5(),
        "tokenizer_2": words.t5(),
    }


def flux_fill():
    """Made for inpainting: beside 4 channels of latents 4 of the picture and 4 pixels of the mask, in twos by twos."""
    return flux(in_channels=4 * (4 + 4 + 4), out_channels=16)


def chroma():
    return {
        "transformer": diffusers.ChromaTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            axes_dims_rope=[4, 4, 8],
            approximator_num_channels=8,
            approximator_hidden_dim=16,
            approximator_layers=1,
        ),
        "scheduler": flow_match(),
        "vae": vaes.flow(),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
    }


def pixart():
    return {
        "transformer": diffusers.PixArtTransformer2DModel(
            sample_size=16,
            num_layers=2,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=3,
            caption_channels=32,
            in_channels=4,
            cross_attention_dim=24,
            out_channels=8,
            attention_bias=True,
            activation_fn="gelu-approximate",
            num_embeds_ada_norm=1000,
            norm_type="ada_norm_single",
            norm_elementwise_affine=False,
            norm_eps=1e-6,
        ),
        "scheduler": diffusers.DPMSolverMultistepScheduler(beta_schedule="linear", beta_start=0.0001, beta_end=0.02),
        "vae": vaes.kl(),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
    }


def _sana_transformer(**options):
    return diffusers.SanaTransformer2DModel(
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=32,
        sample_size=32,
        **options,
    )


def sana():
    return {
        "transformer": _sana_transformer(),
        "scheduler": diffusers.DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        "vae": vaes.dc(),
        "text_encoder": encoders.gemma2(),
        "tokenizer": words.gemma(),
    }


def sana_sprint():
    return {
        **sana(),
        "transformer": _sana_transformer(qk_norm="rms_norm_across_heads", guidance_embeds=True),
        "scheduler": diffusers.SCMScheduler(),
    }


def qwen_image():
    return {
        "transformer": diffusers.QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=3,
            joint_attention_dim=32,
            axes_dims_rope=(8, 4, 4),
        ),
        "scheduler": flow_by_size(),
        "vae": vaes.qwen(),
        "text_encoder": encoders.qwen_vl(),
        "tokenizer": words.byte_level(),
    }


def z_image():
    return {
        "transformer": diffusers.ZImageTransformer2DModel(
            all_patch_size=(2,),
            all_f_patch_size=(1,),
            in_channels=16,
            dim=32,
            n_layers=2,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            qk_norm=True,
            cap_feat_dim=32,
            axes_dims=[8, 4, 4],
            axes_lens=[1024, 64, 64],
        ),
        "scheduler": flow_match(),
        "vae": vaes.flow(16),
        "text_encoder": encoders.qwen3(),
        "tokenizer": words.byte_level(),
    }


def lumina():
    return {
        "transformer": diffusers.LuminaNextDiT2DModel(
            sample_size=4,
            patch_size=2,
            in_channels=4,
            hidden_size=32,
            num_layers=2,
            num_attention_heads=4,
            num_kv_heads=4,
            multiple_of=16,
            learn_sigma=True,
            qk_norm=True,
            cross_attention_dim=32,
        ),
        "scheduler": flow_match(shift=1.0),
        "vae": vaes.kl(),
        "text_encoder": encoders.gemma(),
        "tokenizer": words.gemma(),
    }


def lumina2():
    return {
        "transformer": diffusers.Lumina2Transformer2DModel(
            sample_size=4,
            patch_size=2,
            in_channels=4,
            hidden_size=32,
            num_layers=2,
            num_refiner_layers=1,
            num_attention_heads=2,
            num_kv_heads=1,
            multiple_of=16,
            axes_dim_rope=(8, 4, 4),
            axes_lens=(300, 64, 64),
            cap_feat_dim=32,
        ),
        "scheduler": flow_match(),
        "vae": vaes.flow(),
        "text_encoder": encoders.gemma2(),
        "tokenizer": words.gemma(),
    }


def hunyuan_dit():
    return {
        "transformer": diffusers.HunyuanDiT2DModel(
            sample_size=16,
            num_layers=2,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=3,
            in_channels=4,
            cross_attention_dim=32,
            cross_attention_dim_t5=32,
            pooled_projection_dim=16,
            hidden_size=24,
            activation_fn="gelu-approximate",
        ),
        "scheduler": diffusers.DDPMScheduler(beta_schedule="scaled_linear", prediction_type="v_prediction"),
        "vae": vaes.kl(levels=4),
        "text_encoder": encoders.bert(),
        "tokenizer": words.bert(),
        "text_encoder_2": encoders.t5(),
        "tokenizer_2": words.t5(),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


def aura_flow():
    return {
        "transformer": diffusers.AuraFlowTransformer2DModel(
            sample_size=32,
            patch_size=2,
            in_channels=4,
            num_mmdit_layers=1,
            num_single_dit_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=32,
            out_channels=4,
            pos_embed_max_size=256,
        ),
        "scheduler": flow_match(shift=1.73),
        "vae": vaes.kl(),
        "text_encoder": encoders.umt5(),
        "tokenizer": words.t5(),
    }


def _cogview(cls, **options):
    return cls(
        patch_size=2,
        in_channels=4,
        num_layers=2,
        attention_head_dim=4,
        num_attention_heads=4,
        out_channels=4,
        text_embed_dim=32,
        time_embed_dim=8,
        condition_dim=2,
        sample_size=8,
        **options,
    )


def cogview3():
    return {
        "transformer": _cogview(diffusers.CogView3PlusTransformer2DModel, pos_embed_max_size=32),
        "scheduler": diffusers.CogVideoXDDIMScheduler(
            beta_schedule="scaled_linear", prediction_type="v_prediction", rescale_betas_zero_snr=True,
            timestep_spacing="trailing", set_alpha_to_one=True, snr_shift_scale=4.0,
        ),
        "vae": vaes.kl(),
        "text_encoder": encoders.t5(),
        "tokenizer": words.t5(),
    }  # fmt: skip


def cogview4():
    return {
        "transformer": _cogview(diffusers.CogView4Transformer2DModel, rope_axes_dim=(16, 16)),
        "scheduler": flow_match(
            use_dynamic_shifting=True, base_shift=0.25, max_shift=0.75, base_image_seq_len=16, time_shift_type="linear"
        ),
        "vae": vaes.kl(),
        "text_encoder": encoders.glm(),
        "tokenizer": words.generic(),
    }


def _flux2_transformer(text, **options):
    return diffusers.Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=text,
        timestep_guidance_channels=8,
        axes_dims_rope=[4, 4, 4, 4],
        **options,
    )


def flux2():
    return {
        "transformer": _flux2_transformer(96),
        "scheduler": flow_by_size(),
        "vae": vaes.flux2(),
        "text_encoder": encoders.mistral(),
        "tokenizer": words.byte_level(),
    }


def flux2_klein():
    return {
        **flux2(),
        "transformer": _flux2_transformer(96, guidance_embeds=False),
        "text_encoder": encoders.qwen3(cls=transformers.Qwen3ForCausalLM),
    }


def hidream():
    return {
        "transformer": diffusers.HiDreamImageTransformer2DModel(
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_channels=[32, 16],
            text_emb_dim=64,
            num_routed_experts=4,
            num_activated_experts=2,
            axes_dims_rope=(4, 2, 2),
            max_resolution=(32, 32),
            llama_layers=(0, 1),
            force_inference_output=True,
        ),
        "scheduler": flow_match(),
        "vae": vaes.flow(),
        "text_encoder": encoders.clip_projected(),
        "tokenizer": words.clip(),
        "text_encoder_2": encoders.clip_projected(),
        "tokenizer_2": words.clip(),
        "text_encoder_3": encoders.t5(),
        "tokenizer_3": words.t5(),
        "text_encoder_4": encoders.llama(16),
        "tokenizer_4": words.generic(),
    }


def ovis():
    return {
        "transformer": diffusers.OvisImageTransformer2DModel(
            patch_size=1,
            in_channels=16,
            out_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            axes_dims_rope=(8, 4, 4),
        ),
        "scheduler": flow_by_size(),
        "vae": vaes.flow(),
        "text_encoder": encoders.qwen3(),
        "tokenizer": words.byte_level(),
    }


def ernie():
    return {
        "transformer": diffusers.ErnieImageTransformer2DModel(
            hidden_size=32,
            num_attention_heads=2,
            num_layers=2,
            ffn_hidden_size=32,
            in_channels=16,
            out_channels=16,
            patch_size=1,
            text_in_dim=32,
            rope_axes_dim=(8, 4, 4),
        ),
        "scheduler": flow_match(),
        "vae": vaes.flux2(),
        "text_encoder": encoders.mistral(),
        "tokenizer": words.generic(),
        "pe": None,
        "pe_tokenizer": None,
    }
