"""Model folders made wrong, and what a survey says of them."""

import json

import pytest

from engine.errors import Code, PatchbayError
from nodes.diffusion.disk.source import survey


def refusal(path, **options):
    """What a survey of `path` refuses it with, which says where and how to mend it."""
    with pytest.raises(PatchbayError) as caught:
        survey(path, at="load.model", **options)
    assert caught.value.at == "load.model"
    assert caught.value.fix or caught.value.code is Code.BAD_MODEL
    return caught.value


def edit(path, **changes):
    """Change entries of a JSON file; those that become `...` are left out."""
    data = json.loads(path.read_text())
    data.update(changes)
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not ...}))
