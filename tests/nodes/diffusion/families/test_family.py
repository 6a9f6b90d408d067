from nodes.diffusion.families.images import SD3, STABLE_DIFFUSION
from nodes.diffusion.families.videos import WAN


def test_kinds_follow_from_sizes():
    assert STABLE_DIFFUSION.kind((768, 4)) == "sd1"
    assert STABLE_DIFFUSION.kind((1024, 4)) == "sd2"
    assert STABLE_DIFFUSION.kind((128, 4)) == "pocket"
    assert STABLE_DIFFUSION.kind((32, 4)) == "sd-32x4"
    assert STABLE_DIFFUSION.kind((768, 16)) == "sd-768x16"


def test_what_turns_words_into_tensors_is_told_by_its_name():
    assert all(SD3.is_text(part) for part in ("text_encoder", "text_encoder_3", "tokenizer_2"))
    assert not any(SD3.is_text(part) for part in ("transformer", "vae", "scheduler"))


def test_every_denoiser_and_the_decoder_are_asked_for_sizes():
    assert [part for part in ("vae", "transformer", "transformer_2", "text_encoder") if WAN.has_skeleton(part)] == [
        "vae",
        "transformer",
        "transformer_2",
    ]
