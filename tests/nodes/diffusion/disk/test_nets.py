"""What a ControlNet's folder says before a weight is read, and what is refused."""

import json
import shutil

import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.nets import survey_net, wanted_files
from tests.nodes.diffusion.tiny import controlled

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def saved(family, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nets") / "edges"
    controlled.build_net(family("StableDiffusionPipeline"), folder)
    return folder


@pytest.fixture
def net(saved, tmp_path):
    """A copy to break."""
    return shutil.copytree(saved, tmp_path / "edges")


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_its_kind_is_that_of_the_models_it_steers(net):
    found = survey_net(net, "test")
    assert (found.kind, found.name, found.class_name) == ("sd-32x4", "edges", "ControlNetModel")
    edit(net, cross_attention_dim=768)
    assert survey_net(net, "test").kind == "sd1"
    edit(net, cross_attention_dim=2048, addition_embed_type="text_time")
    assert survey_net(net, "test").kind == "sdxl"


def test_transformers_have_kinds_too(net):
    sizes = {"joint_attention_dim": 4096, "pooled_projection_dim": 768, "in_channels": 64}
    (net / "config.json").write_text(json.dumps({"_class_name": "FluxControlNetModel", **sizes}))
    assert survey_net(net, "test").kind == "flux"


def test_adapters_and_borrowers_have_the_kind_that_their_sizes_are_known_for(net):
    path = net / "config.json"
    usual = {"_class_name": "T2IAdapter", "channels": [320, 640, 1280, 1280]}
    borrower = {"_class_name": "ZImageControlNetModel", "dim": 3840, "control_in_dim": 33}
    for config, kind in (
        ({**usual, "adapter_type": "light_adapter"}, "sd1"),
        ({**usual, "adapter_type": "full_adapter_xl"}, "sdxl"),
        ({**usual, "adapter_type": "full_adapter", "channels": [8, 8, 8, 8]}, ""),
        (borrower, "z-image"),
        ({**borrower, "dim": 32}, ""),
    ):
        path.write_text(json.dumps(config))
        assert survey_net(net, "test").kind == kind


def test_it_tells_what_it_reads_beside_a_picture(net):
    found = survey_net(net, "test")
    assert (found.modes, found.reads_mask, found.reads_around) == (None, False, False)
    edit(net, num_control_type=6, extra_conditioning_channels=1)
    found = survey_net(net, "test")
    assert (found.modes, found.reads_mask) == (6, True)


def test_its_digest_is_that_of_the_content(net, saved):
    assert survey_net(net, "test").digest == survey_net(saved, "test").digest
    edit(net, act_fn="gelu")
    assert survey_net(net, "test").digest != survey_net(saved, "test").digest


def as_pickle(folder):
    (folder / WEIGHTS).rename(folder / "diffusion_pytorch_model.bin")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (shutil.rmtree, Code.FILE_NOT_FOUND),
        (lambda folder: (folder / "config.json").unlink(), Code.BAD_MODEL),
        (lambda folder: (folder / WEIGHTS).unlink(), Code.BAD_MODEL),
        (lambda folder: edit(folder, in_channels="x"), Code.BAD_MODEL),
        (lambda folder: edit(folder, _class_name=None), Code.UNSUPPORTED_CLASS),
        (lambda folder: edit(folder, _class_name="ControlNetXSAdapter"), Code.UNSUPPORTED_CLASS),
        (lambda folder: edit(folder, auto_map={"AutoModel": "x.Y"}), Code.UNSUPPORTED_CLASS),
        (as_pickle, Code.PICKLED_MODEL),
    ],
)
def test_what_is_no_controlnet_is_refused(net, spoil, code):
    spoil(net)
    with pytest.raises(PatchbayError) as caught:
        survey_net(net, "test")
    assert caught.value.code is code


def test_only_what_is_needed_is_fetched():
    names = ["README.md", "evil.py", "config.json", WEIGHTS, "diffusion_pytorch_model.bin"]
    assert wanted_files(names) == ["config.json", WEIGHTS]
    sharded = "diffusion_pytorch_model.safetensors.index.json"
    shards = "diffusion_pytorch_model-?????-of-?????.safetensors"
    assert wanted_files(["config.json", sharded]) == ["config.json", sharded, shards]
    half = "diffusion_pytorch_model.safetensors.index.fp16.json"
    assert wanted_files(["config.json", half]) == [
        "config.json",
        half,
        "diffusion_pytorch_model.fp16-?????-of-?????.safetensors",
        "diffusion_pytorch_model-?????-of-?????.fp16.safetensors",
    ]
    assert wanted_files(["config.json", "x.bin"]) == ["config.json"]
