"""The one door to Diffusers and Transformers.

Both bring in their modules lazily, and two threads that start at once would find half of them. Importing this module
brings in what the nodes use while Python's import lock makes everybody else wait, so the others import from here.
Neither library prints: what a user should know is said through events and errors.
"""

import logging
from typing import Any

# torchao, where it is installed, tells of kernels for other devices while Diffusers brings it in
for _speaker in ("torchao", "torch.utils._pytree"):
    logging.getLogger(_speaker).setLevel(logging.ERROR)

import transformers  # noqa: E402

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

import diffusers  # noqa: E402  # it brings in parts of transformers that speak while they load

diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()
# what goes wrong in a block is raised too, and here it is printed with a traceback each time it passes one
logging.getLogger("diffusers.modular_pipelines.modular_pipeline").setLevel(logging.CRITICAL)

from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel, guiders  # noqa: E402
from diffusers import hooks as _hooks  # noqa: E402
from diffusers import loaders as _loaders  # noqa: E402
from diffusers.guiders import guider_utils as _guider_utils  # noqa: E402
from diffusers.hooks import mag_cache as _mag_cache  # noqa: E402
from diffusers.hooks._helpers import TransformerBlockRegistry  # noqa: E402
from diffusers.image_processor import VaeImageProcessor  # noqa: E402
from diffusers.loaders import single_file_utils as _single_file_utils  # noqa: E402
from diffusers.models import attention_dispatch as _attention_dispatch  # noqa: E402
from diffusers.models import attention_processor  # noqa: E402
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution  # noqa: E402
from diffusers.models.cache_utils import CacheMixin  # noqa: E402
from diffusers.models.embeddings import MultiIPAdapterImageProjection  # noqa: E402
from diffusers.models.modeling_outputs import AutoencoderKLOutput, Transformer2DModelOutput  # noqa: E402
from diffusers.modular_pipelines.modular_pipeline import PipelineState  # noqa: E402
from diffusers.utils import peft_utils as _peft_utils  # noqa: E402
from diffusers.utils import state_dict_utils as _state_dict_utils  # noqa: E402
from transformers import CLIPTextModel, CLIPTokenizer  # noqa: E402

attention_dispatch: Any = _attention_dispatch
guider_utils: Any = _guider_utils
hooks: Any = _hooks
loaders: Any = _loaders
mag_cache: Any = _mag_cache
peft_utils: Any = _peft_utils
single_file_utils: Any = _single_file_utils
state_dict_utils: Any = _state_dict_utils

__all__ = [
    "AutoencoderKL",
    "AutoencoderKLOutput",
    "CLIPTextModel",
    "CLIPTokenizer",
    "CacheMixin",
    "DiagonalGaussianDistribution",
    "MultiIPAdapterImageProjection",
    "PipelineState",
    "StableDiffusionPipeline",
    "Transformer2DModelOutput",
    "TransformerBlockRegistry",
    "UNet2DConditionModel",
    "VaeImageProcessor",
    "attention_dispatch",
    "attention_processor",
    "diffusers",
    "guider_utils",
    "guiders",
    "hooks",
    "loaders",
    "mag_cache",
    "peft_utils",
    "single_file_utils",
    "state_dict_utils",
    "transformers",
]
