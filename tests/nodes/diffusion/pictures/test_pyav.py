"""The package for files of videos and sounds."""

import av
import pytest

from engine import Code, PatchbayError
from nodes.diffusion.pictures.pyav import pyav


def test_the_package_is_brought_in():
    assert pyav("sound") is av


def test_without_it_the_port_and_what_to_install_are_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(PatchbayError, match="pip install av") as caught:
        pyav("sound")
    assert (caught.value.code, caught.value.at) == (Code.MISSING_PACKAGE, "sound")
