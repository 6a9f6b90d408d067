"""What was measured of each family, and why the other pipeline classes are not driven.

measured.json is written by `python -m tests.bench.families --write`, so that nothing is imported to answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from nodes.diffusion.families.families import FAMILIES

if TYPE_CHECKING:
    from pydantic import JsonValue

    from nodes.diffusion.families.family import Family

FILE = Path(__file__).with_name("measured.json")

STAGES = ("text", "latent", "picture")
"""What is compared with the stock pipeline: encoded prompts, sampled latents, decoded pictures."""


def families() -> dict[str, JsonValue]:
    """A row for each class that is driven, the reasons for those that are not, and the version of Diffusers.

    A row has `family`, `class`, its `kinds`, for each stage "exact" or what went wrong, the `image_to_image`, `inpaint`
    and `control` (ControlNet) classes that it stands for bit for bit, the classes whose `folders` it loads besides, and
    under `whole` why its runs cannot be cut between two steps, where they cannot.
    """
    record = json.loads(FILE.read_text(encoding="utf-8"))
    measured = {row["class"]: row for row in record["driven"]}
    own = {name: family for name, family in FAMILIES.items() if family.pipeline_class == name}
    rows: list[JsonValue] = [_row(name, family, measured.get(name, {})) for name, family in own.items()]
    return {"diffusers": record["diffusers"], "driven": rows, "undriven": record["undriven"]}


def _row(name: str, family: Family, measured: dict[str, JsonValue]) -> dict[str, JsonValue]:
    folders: list[JsonValue] = [
        other for other, found in FAMILIES.items() if found.pipeline_class == name and other != name
    ]
    return {
        "family": family.name,
        "class": name,
        "kinds": [*dict.fromkeys(family.sizes.values())],
        **{stage: measured.get(stage, "not measured") for stage in STAGES},
        "image_to_image": measured.get("image_to_image", []),
        "inpaint": measured.get("inpaint", []),
        "control": measured.get("control", []),
        "folders": folders,
        "whole": family.whole,
    }
