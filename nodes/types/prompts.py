"""What a denoiser is steered by: encoded prompts, and the pictures and places that go with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

from engine.inspection import Inspection
from nodes.types.dials import Role
from nodes.types.kinds import K
from nodes.types.models import ControlNet, TextEncoder
from nodes.types.pictures import Image, Mask
from nodes.types.tensors import digest_of_tensors, leaves

if TYPE_CHECKING:
    from torch import Tensor


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


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What an image encoder says of pictures, and of nothing, for an adapter: each [1, pictures, ...]."""

    pictures: Tensor
    nothing: Tensor

    def digest(self) -> str:
        """Identity of the content."""
        return digest_of_tensors(self.pictures, self.nothing)


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
