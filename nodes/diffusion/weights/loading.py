"""Reading one part of a model from disk: safetensors only, nothing from the network, no code from the folder."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import torch

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.bare import lacking
from nodes.diffusion.disk.gguf_files import is_gguf
from nodes.diffusion.disk.packages import SPANDREL
from nodes.diffusion.disk.quantising import CUDA_ONLY, NONE, method_of, quantised
from nodes.diffusion.disk.source import ModelSource
from nodes.diffusion.weights import scaled
from nodes.diffusion.weights.gguf_tensors import read_encoder
from nodes.diffusion.weights.libraries import diffusers, single_file_utils
from nodes.diffusion.weights.upscaler_loading import load_upscaler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nodes.diffusion.disk.nets import NetSource
    from nodes.diffusion.disk.parts import Part


_BESIDE = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
"""Parts of the pipeline that a single file is read with, and that a model folder leaves out."""

_OF_WAN = "AutoencoderKLQwenImage"

ONE_AT_A_TIME = Lock()
"""While they load, the libraries change PyTorch's default precision and how every module registers its parameters."""


def load_part(source: ModelSource | NetSource, name: str, device: torch.device, dtype: torch.dtype) -> Any:  # noqa: ANN401
    """The live object of the part `name`: a frozen module in evaluation mode on `device`, or a tokenizer.

    Raises `PatchbayError`: `bad_model` when the files do not fit their configuration, `missing_package`.
    """
    part = source.parts[name]
    if part.bare and isinstance(source, ModelSource):
        raise lacking(source, part, str(source.path))
    with ONE_AT_A_TIME, _explained(source, part):
        if not part.weights:
            asks = {"trust_remote_code": False} if part.class_name.startswith("Auto") else {}  # else at the terminal
            return _class_of(part).from_pretrained(str(part.folder), local_files_only=True, **asks)
        if part.library == SPANDREL:
            return load_upscaler(source.path, device, dtype)
        if part.alone:
            module = _from_own_file(part, dtype)
        elif isinstance(source, ModelSource) and part.weights == (source.path,):
            module = _from_file(source, part, dtype)
        else:
            module = _from_folder(part, dtype, device)
        if isinstance(source, ModelSource) and source.quantize != NONE:
            module = quantised(module, source.quantize, device)
        return module.to(device).eval().requires_grad_(requires_grad=False)


class StandIn(torch.nn.Module):
    """What stands for a text encoder that is not needed: it has a configuration and a precision, and runs nothing.

    It stands for a processor too, which some pipelines take apart before they know whether they will use it.
    """

    image_processor = None

    @property
    def tokenizer(self) -> Self:
        """Of a processor: it stands for that as well."""
        return self

    def apply_chat_template(self, *_args: object, **_kwargs: object) -> list[list[int]]:
        """Of a processor: no token for its one text."""
        return [[]]

    def encode(self, *_args: object, **_kwargs: object) -> list[int]:
        """Of a tokenizer: a token that says nothing."""
        return [0]

    def __init__(self, config: Mapping[str, object], dtype: torch.dtype) -> None:
        super().__init__()
        self.config = _namespace(config)
        self.dtype = dtype


def _namespace(value: Any) -> Any:  # noqa: ANN401  # what JSON holds
    return SimpleNamespace(**{k: _namespace(v) for k, v in value.items()}) if isinstance(value, Mapping) else value


def skeleton(part: Part) -> Any:  # noqa: ANN401
    """The module that a part's configuration describes, without weights and without memory."""
    cls = _class_of(part)
    with torch.device("meta"):
        if hasattr(cls, "from_config"):
            return cls.from_config(dict(part.config))
        return cls(cls.config_class.from_dict(dict(part.config)))


def _class_of(part: Part) -> Any:  # noqa: ANN401  # neither library types its lazy classes
    return getattr(importlib.import_module(part.library), part.class_name)


def _from_folder(part: Part, dtype: torch.dtype, device: torch.device) -> torch.nn.Module:
    if method_of(part.config) == CUDA_ONLY and device.type != "cuda":
        what = f"{part.folder} was quantised with {CUDA_ONLY}, which needs CUDA, and this runs on {device.type}."
        raise PatchbayError(Code.BAD_VALUE, str(part.folder), what, "Use a model quantised in another way.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Diffusers' notices that it will let packages go
        module, info = _class_of(part).from_pretrained(
            str(part.folder),
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            variant=part.variant,
            output_loading_info=True,
        )
    _check_loaded(part, str(part.folder), info)
    loaded: torch.nn.Module = module
    return loaded


def _from_own_file(part: Part, dtype: torch.dtype) -> torch.nn.Module:
    """A part from a file of its own, or from its tensors among others, converted by its class's own loader."""
    (file,) = part.weights
    if part.library == "transformers":
        return _encoder_from_file(part, file, dtype)
    options: dict[str, Any] = {}
    weights = None
    if is_gguf(file):
        settings: Any = diffusers.GGUFQuantizationConfig
        options["quantization_config"] = settings(compute_dtype=dtype)
    elif part.prefix or not scaled.is_plain(file):
        weights = scaled.read_tensors(file, dtype, part.prefix)
    if part.class_name == _OF_WAN:
        return _vae_of_wan(part, weights or scaled.read_tensors(file, dtype), dtype)
    loaded: torch.nn.Module = _class_of(part).from_single_file(
        weights or str(file), config=str(part.folder), local_files_only=True, dtype=dtype, **options
    )
    return loaded


def _vae_of_wan(part: Part, tensors: dict[str, torch.Tensor], dtype: torch.dtype) -> torch.nn.Module:
    """A VAE of Wan's build and names, which Diffusers has a class of its own for and reads no files of."""
    module: torch.nn.Module = skeleton(part)
    converted = single_file_utils.convert_wan_vae_to_diffusers(tensors)
    module.load_state_dict(converted, assign=True)
    return module.to(dtype)


def _encoder_from_file(part: Part, file: Path, dtype: torch.dtype) -> torch.nn.Module:
    cls = _class_of(part)
    if is_gguf(file):
        blank = skeleton(part)
        tensors = read_encoder(file, part.class_name, blank.config.num_hidden_layers, blank.state_dict(), dtype)
    else:
        tensors = scaled.read_tensors(file, dtype, part.prefix)
    loaded: torch.nn.Module
    loaded, info = cls.from_pretrained(
        None,
        config=cls.config_class.from_dict(dict(part.config)),
        state_dict=tensors,
        dtype=dtype,
        local_files_only=True,
        output_loading_info=True,
    )
    _check_loaded(part, str(file), info)
    return loaded


def _check_loaded(part: Part, place: str, info: Mapping[str, Any]) -> None:
    """Refuse weights that lack something or have another shape: the libraries would make them up."""
    missing = sorted(info["missing_keys"])
    if missing or info["mismatched_keys"]:
        absent = missing or sorted(str(key) for key in info["mismatched_keys"])
        what = f"{place}: {len(absent)} weights do not fit the configuration, for instance {absent[0]}."
        raise PatchbayError(Code.BAD_MODEL, str(part.folder), what, "Is the folder complete?")


def _from_file(source: ModelSource, part: Part, dtype: torch.dtype) -> torch.nn.Module:
    """One part of a single-file checkpoint: the pipeline's own loader, told that the other parts are not wanted."""
    names = {*source.parts, *_BESIDE}
    pipeline = getattr(diffusers, source.family.pipeline_class).from_single_file(
        str(source.path),
        config=str(source.config),
        local_files_only=True,
        dtype=dtype,
        requires_safety_checker=False,
        **dict.fromkeys(names - {part.name}),
    )
    loaded: torch.nn.Module = pipeline.components[part.name]
    return loaded


@contextmanager
def _explained(source: ModelSource | NetSource, part: Part) -> Iterator[None]:
    """Turn what the libraries raise about a model into a `PatchbayError`; memory errors pass as they are."""
    try:
        yield
    except (PatchbayError, torch.cuda.OutOfMemoryError, MemoryError):
        raise
    except ImportError as error:
        package = getattr(error, "name", None) or str(error)
        fix = f"pip install {package}" if getattr(error, "name", None) else "Install it."
        what = f"The {part.name} of {source.path} needs a package that is not installed: {package}."
        raise PatchbayError(Code.MISSING_PACKAGE, str(source.path), what, fix) from error
    except Exception as error:  # the libraries raise whatever they like about a bad file
        if part.class_name.endswith("Processor") and find_spec("torchvision") is None:  # Transformers does not say so
            what = f"The {part.name} of {source.path} needs torchvision, which is not installed."
            fix = "pip install torchvision, built for the same device as PyTorch."
            raise PatchbayError(Code.MISSING_PACKAGE, str(source.path), what, fix) from error
        what = f"The {part.name} of {source.path} cannot be loaded: {error}"
        raise PatchbayError(Code.BAD_MODEL, str(source.path), what, "Is the model complete?") from error
