"""Latents, finished or not, and what they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from engine.inspection import Fact, Inspection
from nodes.types.kinds import K
from nodes.types.tensors import digest_of_tensors, leaves

if TYPE_CHECKING:
    from torch import Tensor


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
