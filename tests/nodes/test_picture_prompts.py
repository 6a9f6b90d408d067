"""AddPicturePrompt as graphs use it."""

import pytest

from engine import Code, PatchbayError, Paths, Settings
from nodes.picture_prompts import ReduxFolder
from nodes.pipelines import PipelineFolder
from nodes.pocket import MODEL
from tests.nodes.diffusion.tiny import redux


def test_of_all_pipelines_flux_redux_alone_is_listed_and_taken(tmp_path):
    paths, folder = Paths(models=(tmp_path,)).granting(MODEL), redux.build(tmp_path / "redux")
    assert [choice.name for choice in ReduxFolder().choices(paths, Settings())] == ["redux"]
    assert len(PipelineFolder().choices(paths, Settings())) > 1
    assert ReduxFolder().resolve("redux", paths, Settings(), "one.model") == folder
    with pytest.raises(PatchbayError, match="makes no prompt of a picture") as caught:
        ReduxFolder().resolve(str(MODEL), paths, Settings(), "one.model")
    assert (caught.value.code, caught.value.at) == (Code.UNSUPPORTED_CLASS, "one.model")
