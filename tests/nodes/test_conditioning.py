"""What the nodes for prompts ask of people."""

import pytest

from engine.errors import PatchbayError
from nodes import load_model
from nodes.conditioning import encode_text
from nodes.pocket import MODEL


def test_layers_to_leave_out_are_said_once():
    parts = load_model(model=MODEL)
    plain = encode_text(parts.text_encoder, "a red circle")
    skipped = encode_text(parts.text_encoder, "a red circle", clip_skip=1)
    optional = encode_text(parts.text_encoder, "a red circle", options={"clip_skip": 1})
    assert skipped.digest() == optional.digest() != plain.digest()
    with pytest.raises(PatchbayError, match="said twice"):
        encode_text(parts.text_encoder, "a", clip_skip=1, options={"clip_skip": 1})


def test_weights_are_read_only_where_they_are_asked_for():
    encoder = load_model(model=MODEL).text_encoder
    plain, weighed = (encode_text(encoder, "a (red:1.5) circle", weights=how) for how in ("off", "mean kept"))
    assert plain.digest() != weighed.digest()
    assert (
        encode_text(encoder, "a red circle", weights="mean kept").digest()
        == encode_text(encoder, "a red circle").digest()
    )
