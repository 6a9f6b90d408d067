"""What is known of a family of models beforehand: its parts, its kinds, and where its pipeline is an exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rule:
    """What one part of a family may be: its library, its classes and its files. No classes means any of the library.

    `config` must be there; of `files`, one group must be there whole; `weights` is the stem of the weight files, or
    empty when the part has none.
    """

    library: str
    classes: tuple[str, ...]
    config: str
    files: tuple[tuple[str, ...], ...] = ((),)
    weights: str = ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What pictures the stock call of a family reads beside the words, from `least` to `most` of them.

    `arguments` are their names there, in order; where there are more pictures than names, the first name takes all.
    `with_text` says that the text encoder reads them too, `among_tokens` that the denoiser's prediction covers them.
    `sized` says where the size comes from of what is drawn, if not from the latent: "own" is `times` the picture's,
    "area" that of its proportions with the area that the model was made for, "listed" the one of the model's list that
    has most nearly its proportions, which a single picture has; `stretched` ones are brought to the size of what is
    drawn. `frames` says that they are a video as long as the one that is drawn. `for_each` asks for a copy for each
    picture or video that is drawn. `leading` ones become the first frames of the latents while they are drawn.
    By the name `clip`, where there is one, several are given as a video that the one which is drawn goes on from.
    `placed` is the class beside the pipeline's that a picture is given in, with where it lies: the first one begins the
    video, and a second one ends it. A video is given in one, whole.
    `parts` read them beside the VAE, which is asked even where there are none if that is `always` so. The most `likely`
    latents of them are read where the class would draw some from PyTorch's global generator, or knows one precision
    only.
    """

    arguments: tuple[str, ...] = ("image",)
    least: int = 1
    most: int = 1
    with_text: bool = False
    among_tokens: bool = False
    sized: Literal["", "own", "area", "listed"] = ""
    times: int = 1
    stretched: bool = False
    frames: bool = False
    leading: bool = False
    always: bool = False
    for_each: bool = False
    likely: bool = False
    clip: str = ""
    placed: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class After:
    """What the stock call of a family draws after: embeddings of pictures, which models of the family `prior` draw.

    `argument` is their name there; what some calls want to guide against too is called the same after "negative_".
    """

    prior: str
    argument: str = "image_embeds"

    @property
    def against(self) -> str:
        """What the call names an embedding to guide against."""
        return f"negative_{self.argument}"


_TEXT = ("text_encoder", "tokenizer", "t5_tokenizer", "processor", "text_processor", "text_conditioner")
"""How the names of parts start that turn words into tensors."""

UNUSED = frozenset(
    {
        "safety_checker",
        "feature_extractor",
        "image_encoder",
        "watermarker",
        "prompt_upsampler",
        "prompt_upsampler_processor",
        "prompt_enhancer",
        "duration_head",
    }
)
"""Parts that no stage needs, in families that do not say that they read pictures with them."""


@dataclass(frozen=True, slots=True)
class Family:
    """One row: what the models of a pipeline class are called, and what is known of them beforehand.

    `name` starts the kind: `sizes` gives the kinds of models whose sizes are known, (width of the text [, width of the
    pooled text], channels of a latent); another model's sizes stand in its kind. `pipeline_class` runs the stages.
    `denoisers` are the parts that predict, `decoder` makes pictures of latents; `parts` holds rules for parts where
    they are stricter than those that follow from a part's class. The rest are exceptions:

    - `axes`: along which axis the pictures of a batch lie in tensors where that is not the first, and in each tensor of
      a list that is not one item a picture; None: all share it.
    - `refines`: it goes on from a picture or an unfinished latent, and draws nothing from a blank one.
    - `begun_steps`: image-to-image runs a step of which only a part is wanted, as the family's stock class does.
    - `told_share`: its scheduler is told which share of the noise is wanted, and makes all of its steps for that.
    - `frames_first`: noise for a given video is drawn frame by frame.
    - `roles_differ`: a negative prompt is encoded in another way than a positive one.
    - `aside`: arguments of the call that keep the prompt short beside which a negative one is encoded.
    - `joint`: a negative prompt is encoded to the positive's length.
    - `padded`: the shorter of both prompts is filled up with zeros to the length of the longer one.
    - `decodes_plainly`: scaling is all that comes before and after the VAE.
    - `ends_early`: what the stock call gives as a latent is one no more, so the last step's result is taken.
    - `shows_nothing`: its denoiser reads a mask and a picture as well, and the pipeline gives it empty ones.
    - `puts_latents`: the stock call would change or ignore latents that it is given, so they are put in their place.
    - `blank_only`: why a run begins with a blank latent, where it must.
    - `asks_twice`: each step asks the scheduler first what the prediction means, and then to go on.
    - `checks_safety`: its class cannot be made without a safety checker; one that passes everything stands there.
    - `sized`: a prompt is encoded with the places of a picture's tokens after it, for a picture of one size.
    - `tiles`: its VAE works in tiles only, none of which may be smaller than it was made for.
    - `puts_back`: its models that were made for inpainting, too, get the picture around the mask back after each step.
    - `least_frames`: a shorter video than this has no numbers.
    - `least_guidance`: below it the stock call refuses to run.
    - `whole`: why a run cannot stop between its steps and go on, where it cannot.
    - `controls`: the classes of the ControlNets that can steer it.
    - `steers`: how the denoiser is told of a prompt: its argument -> the tensor of a conditioning. Where it is given,
      several prompts can act together.
    - `own_guidance`: why no guider can take the place of the family's guidance, where none can.
    - `divides_guided`: its pipeline divides by the length of the guided prediction.
    - `alone`: its call draws one video of one prompt, with one generator.
    - `one_prompt`: its call takes one prompt and the number of pictures to draw for it.
    - `after`: the embeddings of pictures that it draws after.
    - `joined`: its encoder gives the prompts of a guided run as one tensor, of these roles in this order.
    - `rereads`: parts that read the prompt's words once more while it samples, and what it draws depends on them.
    - `pictures`: which ones it reads beside the words.
    - `blank_words`: what its call takes for a prompt beside a negative one that is encoded alone, if not any words.
    - `connectors`: parts through which an encoded prompt goes to the denoiser, run where that runs.
    - `sound`: what makes sound of what is denoised beside its videos, in order: a spectrogram of a latent, and a wave.
    - `decodes_as`: the class whose call decodes its latents, where its own needs a picture for that.
    - `paints_as`: the class whose bits the pictures are that are read while a part of one is painted, if not its own.
    - `reads_as`: the class that runs the same parts where they are given pictures, or more of them than its own reads.
    - `made`: the configurations of parts that the class makes itself where a model folder has none.
    """

    name: str
    pipeline_class: str
    denoisers: tuple[str, ...] = ("transformer",)
    sizes: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    parts: Mapping[str, Rule] = field(default_factory=dict)
    decoder: str = "vae"
    axes: Mapping[str, int | None] = field(default_factory=dict)
    refines: bool = False
    begun_steps: bool = False
    told_share: bool = False
    frames_first: bool = False
    roles_differ: bool = False
    aside: Mapping[str, object] = field(default_factory=dict)
    joint: bool = False
    padded: bool = False
    decodes_plainly: bool = False
    ends_early: bool = False
    shows_nothing: bool = False
    sized: bool = False
    tiles: bool = False
    puts_latents: bool = False
    puts_back: bool = False
    blank_only: str = ""
    asks_twice: bool = False
    checks_safety: bool = False
    least_frames: int = 1
    least_guidance: float = 0.0
    whole: str = ""
    controls: tuple[str, ...] = ()
    steers: Mapping[str, str] = field(default_factory=dict)
    own_guidance: str = ""
    divides_guided: bool = False
    alone: bool = False
    one_prompt: bool = False
    joined: tuple[Literal["positive", "negative"], ...] = ()
    rereads: tuple[str, ...] = ()
    pictures: Pictures | None = None
    blank_words: str = ""
    connectors: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    after: After | None = None
    decodes_as: str = ""
    paints_as: str = ""
    reads_as: str = ""
    made: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def unused(self) -> frozenset[str]:
        """Parts that no stage needs."""
        return UNUSED - {self.decoder, *(() if self.pictures is None else self.pictures.parts)}

    @property
    def is_prior(self) -> bool:
        """Whether what it draws are embeddings of pictures, which no VAE turns into pictures."""
        return self.denoisers == ("prior",)

    @property
    def is_seeing(self) -> bool:
        """Whether these are vectors [batch, features], and its image encoder makes them of pictures too."""
        return self.decoder == "image_encoder"

    @property
    def shown(self) -> frozenset[str]:
        """The arguments of the stock call that pictures and embeddings of pictures are given by."""
        embedded = () if self.after is None else (self.after.argument, self.after.against)
        return frozenset(
            (*(() if self.pictures is None else (*self.pictures.arguments, self.pictures.clip)), *embedded)
        )

    def is_text(self, part: str) -> bool:
        """Whether a part turns words into tensors, or the pictures beside them for the one that does."""
        shown = self.pictures
        return part.startswith(_TEXT) or (shown is not None and shown.with_text and part in shown.parts)

    def has_skeleton(self, part: str) -> bool:
        """Whether a pipeline asks this part for its sizes even where it does not run."""
        return part == self.decoder or part in self.denoisers or part in self.sound[:1]

    def kind(self, sizes: tuple[int, ...]) -> str:
        """The kind of a model of this family with these sizes."""
        return self.sizes.get(sizes) or f"{self.name}-{'x'.join(map(str, sizes))}"


TEXT_WIDTHS = (
    "encoder_hid_dim",
    "caption_channels",
    "joint_attention_dim",
    "text_dim",
    "text_embed_dim",
    "cap_feat_dim",
    "text_hidden_dim",
    "in_text_dim",
    "text_in_dim",
    "context_in_dim",
    "llm_features_dim",
    "cross_attention_dim",
)
"""What the configurations of denoisers call the width of the text they read, the first that is there counts."""

LATENT_CHANNELS = ("latent_channels", "z_dim", "projection_dim")
"""What the configurations of VAEs call the channels of a latent, and those of image encoders those of an embedding."""
