"""The scalars people dial, and the names they choose among."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

Steps = Annotated[int, Field(ge=1, le=1000, description="How many denoising steps.")]

Guidance = Annotated[
    float, Field(ge=0, le=100, description="How strongly the prompt steers; 1 and below turn guidance off.")
]

Seed = Annotated[
    int,
    Field(
        ge=0,
        lt=2**63,
        description="Same seed, same noise. Picture i of a batch uses seed + i.",
        json_schema_extra={"format": "seed"},
    ),
]

Strength = Annotated[
    float, Field(gt=0, le=1, description="How much of the schedule is run: 1 keeps next to nothing of the latent.")
]

Size = Annotated[int, Field(ge=8, le=16384, multiple_of=8, description="Pixels; a multiple of 8.")]

Batch = Annotated[int, Field(ge=1, le=256, description="How many pictures at once.")]

FrameCount = Annotated[int, Field(ge=1, le=1024, description="How many frames; more than 1 for video models only.")]

ControlMode = Annotated[
    int, Field(ge=0, le=63, description="Which kind of picture it is, for a union of several ControlNets only.")
]

ControlStrength = Annotated[float, Field(ge=0, le=10, description="What the ControlNet adds is multiplied by this.")]

ShareStart = Annotated[float, Field(ge=0, le=1, description="From which share of the steps on it counts.")]

ShareEnd = Annotated[float, Field(ge=0, le=1, description="Up to which share of the steps it counts.")]

PromptStrength = Annotated[float, Field(gt=0, le=100, description="How much it counts where prompts meet.")]

GuiderName = Literal["CFG", "CFG-Zero*", "APG", "TCFG"]

FramesPerSecond = Annotated[float, Field(gt=0, le=240, description="Frames per second.")]

Role = Literal["positive", "negative"]

Weights = Literal["off", "towards empty", "mean kept"]
"""Whether brackets in a prompt weigh words, and how: see `nodes.diffusion.text.weighting`."""

StockOptions = Annotated[
    dict[str, JsonValue], Field(description="Any other argument of the model's stock pipeline, by its own name.")
]

Frames = Annotated[int, Field(ge=2, le=256, description="How many, both ends included.")]

MixMethod = Literal["lerp", "slerp"]

ResizeMethod = Literal["nearest", "bilinear", "bicubic", "area"]

ClassName = Literal[
    "DDIM",
    "DDIMParallel",
    "DDPM",
    "DDPMParallel",
    "DEIS",
    "DPMSolverMultistep",
    "DPMSolverSDE",
    "DPMSolverSinglestep",
    "EDMDPMSolverMultistep",
    "EDMEuler",
    "Euler",
    "EulerAncestral",
    "FlowMatchEuler",
    "FlowMatchHeun",
    "FlowMatchLCM",
    "Heun",
    "KDPM2",
    "KDPM2Ancestral",
    "LCM",
    "LMS",
    "LTXEulerAncestralRF",
    "PNDM",
    "SASolver",
    "TCD",
    "UniPC",
]
"""Schedulers of Diffusers by the names of their classes."""

PresetName = Literal[
    "DPM++ 2M",
    "DPM++ 2M Karras",
    "DPM++ 2M SDE",
    "DPM++ 2M SDE Karras",
    "DPM++ 3M SDE",
    "DPM++ 2S a",
    "DPM++ SDE",
    "DPM++ SDE Karras",
    "Euler a",
    "Euler Karras",
    "Euler beta",
    "Heun Karras",
    "DPM2",
    "DPM2 Karras",
    "DPM2 a",
    "DPM2 a Karras",
    "LMS Karras",
    "PLMS",
    "UniPC Karras",
    "RES multistep",
    "ER-SDE",
]
"""Schedulers by the names that people know from other programs."""

SchedulerName = Literal[PresetName, ClassName]

SamplerName = Literal[
    "euler",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpmpp_2s_ancestral",
    "dpmpp_sde",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_3m_sde",
    "res_multistep",
    "er_sde",
    "lcm",
]
