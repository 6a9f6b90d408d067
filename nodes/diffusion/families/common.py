"""What several rows of the table have in common: reasons, and ways to encode a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FROM_THE_PROMPT = "it counts guidance from the prompt on, where a guider begins at the negative"

OWN_GUIDER = "it brings a guider of its own"

DRAWN_PICTURE = "it draws a latent of its picture at random, each time it is called"

ENCODED_WITH_NOISE = "it encodes its picture only where it draws the noise itself"

OWN_NOISE = "its noise has another scale than a scheduler adds to a picture"

NO_INSTRUCTION: Mapping[str, object] = {"complex_human_instruction": None}
