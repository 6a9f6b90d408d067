"""Why a pipeline class is not driven yet, told from its signature."""

import inspect

PICTURES = ("image", "video", "mask", "control", "conditioning_frames", "hint")

OWN = {
    "ZImageOmniPipeline": "encodes pictures only with a VAE in bfloat16",
    "DreamLitePipeline": "takes no latents, and encodes both prompts as one",
    "DreamLiteMobilePipeline": "takes no latents",
    "StableUnCLIPPipeline": "has a prior inside that no class runs alone",
    "KandinskyImg2ImgPipeline": "adds noise to its picture by another schedule than its scheduler's",
    "LTX2Pipeline": "denoises sound beside the video, with a scheduler of its own",
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
}
"""What was found out about single classes."""


def reason(cls):
    """One line for people; nothing for classes that other libraries run."""
    name = cls.__name__
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
