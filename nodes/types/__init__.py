"""The values that flow between nodes, and the scalars people dial.

Importing this module does not import torch. Tensors live on the CPU between nodes: only models live on a device.
A value is never changed in place once a node has returned it; the cache hands the same object to every consumer.
"""

from nodes.types.dials import (
    Batch,
    ClassName,
    ControlMode,
    ControlStrength,
    FrameCount,
    Frames,
    FramesPerSecond,
    Guidance,
    GuiderName,
    MixMethod,
    PresetName,
    PromptStrength,
    ResizeMethod,
    Role,
    SamplerName,
    SchedulerName,
    Seed,
    ShareEnd,
    ShareStart,
    Size,
    Steps,
    StockOptions,
    Strength,
    Weights,
)
from nodes.types.guidance import Guider, Weakening
from nodes.types.kinds import J, K
from nodes.types.latents import BlankLatent, Direction, Latent, LatentDistribution, LatentMask, Leftover
from nodes.types.models import VAE, Component, ControlNet, Denoiser, DepthModel, IPAdapter, PoseModel, TextEncoder
from nodes.types.pictures import Image, Mask, Placement, Sound, Video
from nodes.types.prompts import Area, Conditioning, Control, Shown
from nodes.types.schedules import Sampler, Scheduler, Sigmas
from nodes.types.tensors import digest_of_tensors, leaves

__all__ = [
    "VAE",
    "Area",
    "Batch",
    "BlankLatent",
    "ClassName",
    "Component",
    "Conditioning",
    "Control",
    "ControlMode",
    "ControlNet",
    "ControlStrength",
    "Denoiser",
    "DepthModel",
    "Direction",
    "FrameCount",
    "Frames",
    "FramesPerSecond",
    "Guidance",
    "Guider",
    "GuiderName",
    "IPAdapter",
    "Image",
    "J",
    "K",
    "Latent",
    "LatentDistribution",
    "LatentMask",
    "Leftover",
    "Mask",
    "MixMethod",
    "Placement",
    "PoseModel",
    "PresetName",
    "PromptStrength",
    "ResizeMethod",
    "Role",
    "Sampler",
    "SamplerName",
    "Scheduler",
    "SchedulerName",
    "Seed",
    "ShareEnd",
    "ShareStart",
    "Shown",
    "Sigmas",
    "Size",
    "Sound",
    "Steps",
    "StockOptions",
    "Strength",
    "TextEncoder",
    "Video",
    "Weakening",
    "Weights",
    "digest_of_tensors",
    "leaves",
]
