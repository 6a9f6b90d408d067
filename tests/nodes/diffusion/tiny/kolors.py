"""Kolors: a UNet like that of SDXL, with a language model of its own in front."""

import atexit
import io
import tempfile
import warnings
from pathlib import Path

import sentencepiece
import torch

from tests.nodes.diffusion.tiny import vaes, words
from tests.nodes.diffusion.tiny.unets import noise_schedule, xl_unet

with warnings.catch_warnings():  # Diffusers' own module compiles a function in a way that PyTorch gives up
    warnings.simplefilter("ignore", DeprecationWarning)
    from diffusers.pipelines.kolors import ChatGLMModel, ChatGLMTokenizer
    from diffusers.pipelines.kolors.text_encoder import ChatGLMConfig


def _encoder():
    """Its class leaves some weights as memory happens to be, so all are filled in here."""
    config = ChatGLMConfig(
        num_layers=2,
        padded_vocab_size=300,
        hidden_size=32,
        ffn_hidden_size=37,
        kv_channels=8,
        num_attention_heads=4,
        seq_length=512,
        add_qkv_bias=True,
        multi_query_attention=True,
        multi_query_group_num=2,
        original_rope=True,
    )
    encoder = ChatGLMModel(config)
    for name, parameter in encoder.named_parameters():
        torch.nn.init.normal_(parameter, mean=float("norm" in name), std=0.05)
    return encoder


def _tokenizer():
    """The letters, each a piece."""
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*words.LETTERS, " ".join(words.LETTERS)]),
        model_writer=file,
        vocab_size=40,
        model_type="char",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)  # the tokenizer reads the file again when it is saved
    path = Path(folder.name) / "tokenizer.model"
    path.write_bytes(file.getvalue())
    return ChatGLMTokenizer(str(path))


def kolors():
    return {
        "unet": xl_unet(encoder_hid_dim=32, encoder_hid_dim_type="text_proj"),
        "scheduler": noise_schedule(steps_offset=1, timestep_spacing="leading"),
        "vae": vaes.kl(scaling_factor=0.13025),
        "text_encoder": _encoder(),
        "tokenizer": _tokenizer(),
    }
