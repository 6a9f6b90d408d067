"""The values that flow between nodes, and the scalars people dial.

Importing this module does not import torch. Tensors live on the CPU between nodes: only models live on a device.
A value is never changed in place once a node has returned it; the cache hands the same object to every consumer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, JsonValue

from engine.digests import file_digest
from engine.inspection import Fact, Inspection
from engine.types import Kind

if TYPE_CHECKING:
    from torch import Tensor

    from nodes.diffusion.changes.patches import PatchFile
    from nodes.diffusion.disk.nets import NetSource
    from nodes.diffusion.disk.source import ModelSource

K = TypeVar("K", bound=Kind)
"""The family a value belongs to. Two ports of one node that share K must get values of the same kind."""

J = TypeVar("J", bound=Kind)
"""Another family, for a node that leads from one to the other."""

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
"""Whether brackets in a prompt weigh words, and how: see `nodes.diffusion.text.chunks`."""

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


def digest_of_tensors(*tensors: Tensor) -> str:
    """The sha256 of tensors' types, shapes and bytes: equal digests mean bit-equal tensors."""
    import torch

    total = hashlib.sha256()
    for tensor in tensors:
        total.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def leaves(value: Any) -> list[Tensor]:  # noqa: ANN401  # tensors in mappings and lists, however deep
    """The tensors in a value, mappings by sorted name, lists in order."""
    if isinstance(value, Mapping):
        return [tensor for name in sorted(value) for tensor in leaves(value[name])]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in leaves(item)]
    return [value] if hasattr(value, "nbytes") else []


@dataclass(frozen=True)
class Component(Generic[K]):
    """A part of a model, named by where it comes from. Holds no weights: those are on the shelf while they are used."""

    source: ModelSource

    @property
    def kind(self) -> str:
        """The family of the model, and so of the values that the part makes and takes."""
        return self.source.kind

    @property
    def affinity(self) -> ModelSource:
        """What the executor keeps together: nodes of one model run one after another."""
        return self.source.plain

    def digest(self) -> str:
        """Identity of the weights and configuration."""
        return self.source.digest

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which model it is a part of, and what changes it."""
        source = self.source
        patches = (Fact(patch.noun, str(patch)) for patch in source.patches)
        own = (Fact("model", source.name), Fact("kind", source.kind), Fact("class", source.pipeline_class))
        return Inspection((*own, *patches))


class Denoiser(Component[K]):
    """The model that predicts noise: a UNet or a transformer."""


class TextEncoder(Component[K]):
    """The text encoder and its tokenizer."""


class VAE(Component[K]):
    """The autoencoder between pictures and latents."""


@dataclass(frozen=True, slots=True)
class Scheduler(Generic[K]):
    """A choice of scheduler: pure data, never a live object.

    `base` is the configuration it inherits (the model's own, by `from_config`), `options` are what the user set.
    `family` is the pipeline class that the configuration belongs to.
    """

    name: str
    kind: str
    base: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    family: str = ""

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Its name and what was set."""
        options = (Fact(name, repr(value)) for name, value in self.options.items())
        return Inspection((Fact("scheduler", self.name), *options))


@dataclass(frozen=True, slots=True)
class Sampler(Scheduler[K]):
    """A sampler of `nodes.diffusion.schedules.samplers` with its settings, in place of a Diffusers scheduler.

    Its noise levels are `sigmas`, in the model's own units and falling, or else those of the scheduler that the other
    fields describe.
    """

    sampler: str = "euler"
    settings: Mapping[str, float] = field(default_factory=dict)
    sigmas: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sigmas(Generic[K]):
    """Noise levels in the model's own units, from where sampling starts to where it ends: one more than steps.

    On a flow model they lie between 0 and 1; elsewhere they are standard deviations, about 14 at the start for Stable
    Diffusion. 0 is the finished picture.
    """

    values: tuple[float, ...]
    kind: str
    flow: bool = False

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """How many steps, and the first and last levels."""
        first, last = (f"{self.values[end]:.4g}" for end in (0, -1))
        return Inspection((Fact("steps", str(len(self.values) - 1)), Fact("from", first), Fact("to", last)))


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning(Generic[K]):
    """An encoded prompt.

    `tensors` are what the stock pipeline's own encoder gives, under the names that the pipeline calls them by, in the
    spelling of a positive prompt: `prompt_embeds` [1, tokens, features] in most families, beside it a pooled prompt
    [1, features], a mask [1, tokens] and so on; some give lists of tensors. `encoder` made it, from `text` (None: what
    the pipeline takes where no negative is given) in a `role`, with `options` of the pipeline that concern the text.
    `controls` steer by pictures wherever the prompt does. `pictures`, each a batch of one, are what the model reads
    beside the words, in order. `area` limits it (None: it acts everywhere and always), and
    those `beside` it act too; they have none beside them.
    """

    tensors: Mapping[str, Any]
    encoder: TextEncoder[K]
    text: str | None
    role: Role = "positive"
    options: Mapping[str, object] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    area: Area | None = None
    beside: tuple[Conditioning[K], ...] = ()
    pictures: tuple[Image, ...] = ()

    @property
    def prompts(self) -> tuple[Conditioning[K], ...]:
        """This prompt and those beside it."""
        return (self, *self.beside)

    @property
    def is_plain(self) -> bool:
        """Whether it is one prompt that acts everywhere and always, with nothing steering beside it."""
        return not self.controls and not self.beside and self.area is None

    @property
    def kind(self) -> str:
        """The kind of the models it can steer."""
        return self.encoder.kind

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        beside = sum(each.nbytes for each in self.controls) + sum(each.nbytes for each in self.beside)
        beside += sum(picture.nbytes for picture in self.pictures)
        masked = self.area.mask.nbytes if self.area is not None and self.area.mask is not None else 0
        return beside + masked + sum(int(tensor.nbytes) for tensor in leaves(self.tensors))

    def digest(self) -> str:
        """Identity of the content."""
        said = f"{self.role}:{sorted(self.tensors)}:{json.dumps(self.options, sort_keys=True)}"
        more = [*(each.digest() for each in self.controls), *(each.digest() for each in self.beside)]
        limits = "".join(f"|{each}" for each in ([] if self.area is None else [self.area.digest()]) + more)
        limits += "".join(f"|picture:{each.digest()}" for each in self.pictures)
        return f"{self.encoder.digest()}:{said}:{digest_of_tensors(*leaves(self.tensors))}{limits}"

    def inspect(self, pictures: int) -> Inspection:
        """Its text, its numbers and its pictures."""
        from nodes.diffusion.latents.looks import look_at_conditioning

        return look_at_conditioning(self, pictures)


@dataclass(frozen=True, slots=True)
class BlankLatent:
    """The size of a picture that does not exist yet, in pixels. `Sample` fills it with noise of the model's shape.

    `frames` is 1 for a picture, more for a video.
    """

    width: int
    height: int
    batch: int
    frames: int = 1

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none yet
        """The size and number of the pictures to come."""
        return Inspection((Fact("size", f"{self.width} x {self.height}"), Fact("pictures", str(self.batch))))


@dataclass(frozen=True, slots=True, eq=False)
class Leftover:
    """Where a run stopped before its end, and what it needs to go on as if it had not.

    `step` of `steps` is the next one, `scheduler` says which solver it was. `state` is the solver's memory and where
    the generators stand: tensors, numbers, None and lists of these, by name.
    """

    step: int
    steps: int
    scheduler: str
    state: Mapping[str, object]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(int(tensor.nbytes) for tensor in leaves(self.state))

    def digest(self) -> str:
        """Identity of the content."""
        plain = repr(_plain_in(self.state))
        return f"{self.step}:{self.steps}:{self.scheduler}:{plain}:{digest_of_tensors(*leaves(self.state))}"


def _plain_in(value: Any) -> Any:  # noqa: ANN401  # whatever a solver remembers
    """The same nest with a mark for each tensor."""
    if isinstance(value, dict):
        return [(name, _plain_in(value[name])) for name in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [_plain_in(item) for item in value]
    return "tensor" if hasattr(value, "nbytes") else value


@dataclass(frozen=True, slots=True, eq=False)
class LatentMask:
    """Where the pictures of a latent are to be painted: `coverage` [batch or 1, 1, height, width] in pixels.

    What reaches one half is painted, all else is kept. `around` are the latents of the pictures with that part hidden,
    for models that were made for inpainting and read it. In a latent that a run has left unfinished, `kept` are the
    latents that the rest comes back to, and `noise` is what they are noised with.
    """

    coverage: Tensor
    around: Tensor | None = None
    kept: Tensor | None = None
    noise: Tensor | None = None

    @property
    def _tensors(self) -> dict[str, Tensor | None]:
        return {"around": self.around, "coverage": self.coverage, "kept": self.kept, "noise": self.noise}

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(int(tensor.nbytes) for tensor in leaves(self._tensors))

    def digest(self) -> str:
        """Identity of the content."""
        names = [name for name, tensor in self._tensors.items() if tensor is not None]
        return f"{names}:{digest_of_tensors(*leaves(self._tensors))}"


@dataclass(frozen=True, slots=True, eq=False)
class Latent(Generic[K]):
    """Pictures in a model's latent space: `samples` [batch, channels, height, width], scaled as the denoiser wants.

    Those of a video model are [batch, channels, frames, height, width]. They are never packed into tokens here.
    With a `leftover` they are not finished: they hold the noise of a run that stopped early, scaled as its solver
    wants them. With a `mask` only a part of them is painted; what is finished has none any more. `sound` are the
    latents [batch, channels, length, bins] of the videos' sounds, scaled in the same way, from a model that makes them.
    """

    samples: Tensor
    kind: str
    leftover: Leftover | None = None
    mask: LatentMask | None = None
    sound: Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        more = (self.leftover, self.mask, self.sound)
        return int(self.samples.nbytes) + sum(int(each.nbytes) for each in more if each is not None)

    def digest(self) -> str:
        """Identity of the content."""
        more = "" if self.leftover is None else f":{self.leftover.digest()}"
        mask = "" if self.mask is None else f":mask:{self.mask.digest()}"
        sound = "" if self.sound is None else f":sound:{digest_of_tensors(self.sound)}"
        return f"{self.kind}:{digest_of_tensors(self.samples)}{more}{mask}{sound}"

    def inspect(self, pictures: int) -> Inspection:
        """Its numbers, and a map for each channel."""
        from nodes.diffusion.latents.looks import look_at_latent

        return look_at_latent(self, pictures)


@dataclass(frozen=True, slots=True, eq=False)
class Direction(Generic[K]):
    """A way through a latent space, such as from pictures without the sun to pictures with it.

    `delta` is [1, channels, height, width], or [1, channels, 1, 1] where it is the same everywhere, and is what is
    added to a latent at strength 1.
    """

    delta: Tensor
    kind: str

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.delta.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return f"{self.kind}:{digest_of_tensors(self.delta)}"

    def inspect(self, pictures: int) -> Inspection:
        """Its numbers, and a map for each channel."""
        from nodes.diffusion.latents.looks import look_at_latent

        return look_at_latent(Latent(self.delta, ""), pictures)  # without a kind: it has no picture


@dataclass(frozen=True, slots=True, eq=False)
class LatentDistribution(Generic[K]):
    """What a VAE's encoder really says of a picture: a Gaussian for each latent number.

    `mean` and `logvar` [batch, channels, height, width] are the encoder's own, before scaling; a latent is
    `(mean + exp(logvar / 2) * noise - shift) * scaling`, both one number or one a channel. `logvar` is clamped to
    [-30, 20] as Diffusers does.
    """

    mean: Tensor
    logvar: Tensor
    scaling: float | tuple[float, ...]
    shift: float | tuple[float, ...]
    kind: str

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.mean.nbytes + self.logvar.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return f"{self.kind}:{self.scaling}:{self.shift}:{digest_of_tensors(self.mean, self.logvar)}"

    def inspect(self, pictures: int) -> Inspection:
        """Its numbers, and maps of mean and deviation for each channel."""
        from nodes.diffusion.latents.looks import look_at_distribution

        return look_at_distribution(self, pictures)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Pictures: `pixels` [batch, 3, height, width], float32 in [0, 1], on the CPU."""

    pixels: Tensor

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.pixels.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return digest_of_tensors(self.pixels)

    def inspect(self, pictures: int) -> Inspection:
        """Size and number, and the pictures themselves, small."""
        from nodes.diffusion.latents.looks import look_at_image

        return look_at_image(self, pictures)

    def files(self) -> list[bytes]:
        """Each picture of the batch as the bytes of a PNG file."""
        from nodes.diffusion.pictures.pixels import to_png

        return [to_png(pixels) for pixels in self.pixels]


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """A video: `frames` [frames, 3, height, width], float32 in [0, 1], on the CPU, `fps` of them a second.

    Several videos are a list of these, so that each has its own length and speed.
    """

    frames: Tensor
    fps: float

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.frames.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return f"{self.fps!r}:{digest_of_tensors(self.frames)}"

    def inspect(self, pictures: int) -> Inspection:
        """Size, length and speed, and some of its frames, small."""
        from nodes.diffusion.pictures.movies import look_at_video

        return look_at_video(self, pictures)

    def files(self) -> list[bytes]:
        """The video as the bytes of an MP4 file."""
        from nodes.diffusion.pictures.movies import to_mp4

        return [to_mp4(self)]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A sound: `samples` [channels, samples], float32 in [-1, 1], on the CPU, `rate` of them a second.

    Several sounds are a list of these, so that each has its own length.
    """

    samples: Tensor
    rate: int

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.samples.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return f"{self.rate}:{digest_of_tensors(self.samples)}"

    def inspect(self, pictures: int) -> Inspection:
        """Its length, its rate and how loud it is, and its wave."""
        from nodes.diffusion.pictures.sounds import look_at_sound

        return look_at_sound(self, pictures)

    def files(self) -> list[bytes]:
        """The sound as the bytes of a FLAC file."""
        from nodes.diffusion.pictures.sounds import to_flac

        return [to_flac(self)]


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Where: `coverage` [batch, 1, height, width], float32 in [0, 1]; 1 means "here"."""

    coverage: Tensor

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self.coverage.nbytes)

    def digest(self) -> str:
        """Identity of the content."""
        return digest_of_tensors(self.coverage)

    def inspect(self, pictures: int) -> Inspection:
        """How much it covers, and the masks themselves, small."""
        from nodes.diffusion.latents.looks import look_at_mask

        return look_at_mask(self, pictures)


@dataclass(frozen=True, slots=True)
class ControlNet(Generic[K]):
    """A model that steers a denoiser by a picture. Holds no weights: those are on the shelf while they are used."""

    source: NetSource

    @property
    def kind(self) -> str:
        """The kind of the models that it steers."""
        return self.source.kind

    def digest(self) -> str:
        """Identity of the weights and configuration."""
        return self.source.digest

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which one it is, and for which models."""
        source = self.source
        return Inspection((Fact("model", source.name), Fact("kind", source.kind), Fact("class", source.class_name)))


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """A picture that steers through a ControlNet: how strongly, and from which share of the steps to which.

    Without a `net` the model reads the picture itself. `mode` says which kind of picture it is to a union of several
    ControlNets. `mask` says where is to be painted to one that reads that, and `around` shows it the picture around.
    """

    net: ControlNet[Any] | None
    image: Image
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    mode: int | None = None
    mask: Mask | None = None
    around: Image | None = None

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(part.nbytes for part in (self.image, self.mask, self.around) if part is not None)

    def digest(self) -> str:
        """Identity of the content."""
        parts = (None if part is None else part.digest() for part in (self.net, self.image, self.mask, self.around))
        return f"{':'.join(map(str, parts))}:{self.strength!r}:{self.start!r}:{self.end!r}:{self.mode}"


@dataclass(frozen=True, slots=True)
class IPAdapter:
    """An adapter that lets a denoiser see pictures, and the image encoder that looks at them; None: the model's own."""

    file: PatchFile
    encoder: NetSource | None = None

    def digest(self) -> str:
        """Identity of the weights."""
        encoder = "" if self.encoder is None else self.encoder.digest
        return f"{file_digest(self.file.path)}:{encoder}"

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which files it is made of."""
        encoder = "the model's own" if self.encoder is None else str(self.encoder.path)
        return Inspection((Fact("file", self.file.path.name), Fact("image encoder", encoder)))


@dataclass(frozen=True, slots=True)
class DepthModel:
    """A model that tells distances in pictures. Holds no weights: those are on the shelf while they are used."""

    source: NetSource

    def digest(self) -> str:
        """Identity of the weights and configuration."""
        return self.source.digest

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which one it is."""
        return Inspection((Fact("model", self.source.name), Fact("class", self.source.class_name)))


@dataclass(frozen=True, slots=True)
class PoseModel:
    """A model that finds people's joints, and one that finds people; None: the whole picture is one person.

    Holds no weights: those are on the shelf while they are used.
    """

    source: NetSource
    detector: NetSource | None = None

    def digest(self) -> str:
        """Identity of the weights and configurations."""
        return f"{self.source.digest}:{'' if self.detector is None else self.detector.digest}"

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Which ones they are."""
        found = "none" if self.detector is None else self.detector.name
        own = (Fact("model", self.source.name), Fact("class", self.source.class_name))
        return Inspection((*own, Fact("detector", found)))


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What an image encoder says of pictures, and of nothing, for an adapter: each [1, pictures, ...]."""

    pictures: Tensor
    nothing: Tensor

    def digest(self) -> str:
        """Identity of the content."""
        return digest_of_tensors(self.pictures, self.nothing)


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """Where a prompt acts, from which share of the steps to which, and how much it counts beside others."""

    mask: Mask | None = None
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def digest(self) -> str:
        """Identity of the content."""
        mask = "everywhere" if self.mask is None else self.mask.digest()
        return f"{mask}:{self.strength!r}:{self.start!r}:{self.end!r}"


@dataclass(frozen=True, slots=True)
class Weakening:
    """A weaker prediction, which guidance leads away from, and how strongly.

    `way` says where it comes from. From the model itself with some layers weakened: in self-attention every place sees
    only itself ("attention") or asks for the same ("queries"), or blocks are left out ("blocks"). `layers` are patterns
    of their names; none means the family's usual ones. Or from another `model` ("model"). It acts from the share
    `start` of the steps to the share `end`.
    """

    way: Literal["attention", "queries", "blocks", "model"]
    layers: tuple[str, ...]
    strength: float
    start: float = 0.0
    end: float = 1.0
    model: Denoiser[Any] | None = None

    def __str__(self) -> str:
        """What it is, in a line."""
        if self.model is not None:
            return f"{self.model.source.name} at {self.strength:g}"
        return f"{', '.join(self.layers) or 'the usual ones'} at {self.strength:g}"


@dataclass(frozen=True, slots=True)
class Guider:
    """A choice of how the predictions for and against a prompt become one, with its settings by our names.

    With a `weakening` a third prediction takes part.
    """

    name: GuiderName
    settings: Mapping[str, float] = field(default_factory=dict)
    weakening: Weakening | None = None

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """Its name and what was set."""
        weak = () if self.weakening is None else (Fact(f"weakened {self.weakening.way}", str(self.weakening)),)
        return Inspection((Fact("guider", self.name), *(Fact(n, f"{v:g}") for n, v in self.settings.items()), *weak))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a piece was cut out of a picture: the rectangle's corner and size there, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def inspect(self, pictures: int) -> Inspection:  # noqa: ARG002  # there are none
        """The rectangle."""
        corner = Fact("corner", f"{self.left}, {self.top}")
        return Inspection((corner, Fact("size", f"{self.width} x {self.height}")))
