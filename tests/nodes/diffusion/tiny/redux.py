"""A tiny FLUX Redux, for the tiny FLUX."""

import diffusers
import torch
import transformers
from diffusers.pipelines.flux import ReduxImageEncoder


def build(folder):
    """Save it to `folder`, the same one each time; returns the folder."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    eyes = transformers.SiglipVisionConfig(**sizes, image_size=32, patch_size=8, vision_use_head=False)
    diffusers.FluxPriorReduxPipeline(
        transformers.SiglipVisionModel(eyes),
        transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32}),
        ReduxImageEncoder(redux_dim=16, txt_in_features=32),
    ).save_pretrained(folder)
    return folder
