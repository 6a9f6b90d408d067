"""A tiny SD 3 in files of their own, in folders as ComfyUI has them, beside a folder without weights."""

import shutil

from safetensors.torch import save_file

from tests.nodes.diffusion.tiny import ggufs, originals

ENCODERS = ("clip_l.safetensors", "clip_g.safetensors", "t5xxl.safetensors")


def lay_out(model, root):
    """Take the SD 3 in the folder `model` apart: its files into `root/ComfyUI`, all but weights into `root/config`."""
    comfy = root / "ComfyUI" / "models"
    for name in ("diffusion_models", "unet", "text_encoders", "vae"):
        (comfy / name).mkdir(parents=True)
    tensors = originals.sd3(model)
    save_file(tensors, comfy / "diffusion_models" / "sd3.safetensors")
    ggufs.write(comfy / "unet" / "sd3.gguf", tensors, "F32")
    for part, name in zip(("text_encoder", "text_encoder_2", "text_encoder_3"), ENCODERS, strict=True):
        shutil.copy(model / part / "model.safetensors", comfy / "text_encoders" / name)
    shutil.copy(model / "vae" / "diffusion_pytorch_model.safetensors", comfy / "vae" / "ae.safetensors")
    shutil.copytree(model, root / "config", ignore=shutil.ignore_patterns("*.safetensors"))
    return comfy


def graph(model, config=None, encoders=ENCODERS, vae="ae.safetensors"):
    """The nodes of a picture from these files; without encoders and VAE, from the model's own."""
    load = {"model": model, **({"config": config} if config else {})}
    nodes = {"load": {"type": "LoadModel", "inputs": load}}
    words, eye = "load.text_encoder", "load.vae"
    for number, name in enumerate(encoders):
        inputs = {"text_encoder": {"link": words}, "file": name}
        nodes[f"words{number}"] = {"type": "LoadTextEncoder", "inputs": inputs}
        words = f"words{number}.text_encoder"
    if vae:
        nodes["eye"] = {"type": "LoadVAE", "inputs": {"vae": {"link": eye}, "file": vae}}
        eye = "eye.vae"
    return {
        **nodes,
        "text": {"type": "EncodeText", "inputs": {"text_encoder": {"link": words}, "text": "a red fox"}},
        "blank": {"type": "EmptyLatent", "inputs": {"width": 32, "height": 32}},
        "sample": {
            "type": "Sample",
            "inputs": {
                "model": {"link": "load.model"},
                "positive": {"link": "text.conditioning"},
                "latent": {"link": "blank.latent"},
                "scheduler": "FlowMatchEuler",
                "steps": 2,
                "guidance": 1.0,
            },
        },
        "decode": {"type": "VAEDecode", "inputs": {"vae": {"link": eye}, "latent": {"link": "sample.latent"}}},
        "save": {"type": "SaveImage", "inputs": {"image": {"link": "decode.image"}, "name": "fox"}},
    }
