"""Why a pipeline class is not driven yet, told from its signature."""

import inspect

from nodes.diffusion.families.blocks import is_modular

PICTURES = ("image", "video", "mask", "control", "conditioning_frames", "hint")

OWN = {
    "Cosmos3OmniPipeline": "encodes no prompt: its denoiser reads the words itself",
    "Cosmos2_5_TransferPipeline": "draws its video in parts, and decodes each before the next",
    "QwenImageLayeredPipeline": "draws several layers of one picture, each with its opacity",
    "OmniGenPipeline": "reads its prompt and its pictures with torchvision",
    "VisualClozePipeline": "lays rows of pictures out in one that it fills in",
    "VisualClozeGenerationPipeline": "lays rows of pictures out in one that it fills in",
    "FluxPriorReduxPipeline": "makes a prompt of a picture, which is what the node AddPicturePrompt does",
    "LTX2HDRPipeline": "gives light beyond white, which no picture here holds",
    **dict.fromkeys(("LTXLatentUpsamplePipeline", "LTX2LatentUpsamplePipeline"), "is run by UpscaleLatent"),
    "DreamLitePipeline": "takes no latents, and encodes both prompts as one",
    "DreamLiteMobilePipeline": "takes no latents",
    "StableUnCLIPPipeline": "has a prior inside that no class runs alone",
    "KandinskyImg2ImgPipeline": "adds noise to its picture by another schedule than its scheduler's",
    "IFInpaintingPipeline": "shows its UNet the picture around the mask without noise",
    "IFInpaintingSuperResolutionPipeline": "shows its UNet the picture around the mask without noise",
    "IFImg2ImgSuperResolutionPipeline": "reads a picture, and begins with another",
    "SkyReelsV2DiffusionForcingVideoToVideoPipeline": "shows the video that it goes on from before its own",
    "ConsisIDPipeline": "reads what models outside Diffusers find in a face",
    "HunyuanVideoFramepackPipeline": "draws its video in sections that fade into each other as pixels",
    "HeliosPipeline": "decodes its video piece by piece while it draws",
    "HeliosPyramidPipeline": "decodes its video piece by piece while it draws",
    "WanAnimatePipeline": "decodes its video piece by piece while it draws",
    "AnyFlowFARPipeline": "its attention is compiled for the machine that it runs on",
    "EchoModularPipeline": "noises its latents by itself, without a scheduler, and draws sound beside them",
    "MiniMaxH3ModularPipeline": "draws words, sound and video as one sequence, frames in chunks of seventeen",
    "WanAnimate2ModularPipeline": "decodes its video piece by piece while it draws",
    "WanAnimate2DistilledModularPipeline": "decodes its video piece by piece while it draws",
    "MiniMaxMusic3ModularPipeline": "makes sound",
}
"""What was found out about single classes. Modular ones are told of where there is no stock class."""


def reason(cls):
    """One line for people; nothing for classes that other libraries run, and for other modular ones."""
    name = cls.__name__
    if is_modular(name):
        return OWN.get(name, "")
    if name.startswith("Onnx") or name in {"DiffusionPipeline", "AutoPipeline"}:
        return ""
    if ".deprecated." in cls.__module__:
        return "deprecated in Diffusers"
    if name in OWN:
        return OWN[name]
    call = inspect.signature(cls.__call__).parameters
    needs = [
        each.name
        for each in call.values()
        if each.default is each.empty and each.name not in {"self", "kwargs", "args"}
    ]
    parts = inspect.signature(cls.__init__).parameters
    if "controlnet" in parts or "adapter" in parts:
        return "needs a ControlNet or an adapter beside the model"
    if "Audio" in name or "Music" in name or "AceStep" in name:
        return "makes sound"
    if "Combined" in name or "prior_prior" in parts:
        return "a prior and a decoder in one, which are driven one behind the other"
    if (
        any(word in each for each in needs for word in PICTURES)
        or "image" in call
        or "video" in call
        or "images" in call
    ):
        return "takes a picture or a video"
    if not hasattr(cls, "encode_prompt"):
        return "encodes no prompt, or not by a method of its own"
    return "no tiny model proves it yet"
