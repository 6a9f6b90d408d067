"""The sound nodes as people call them."""

import json

import av
import torch

from engine import Graph, Paths
from engine.context import NodeContext, call_within
from nodes import save_sound, save_video
from nodes.types import Sound, Video

HISS = Sound(torch.rand(2, 8000, generator=torch.Generator().manual_seed(0)) * 2 - 1, 16000)


def test_a_sound_is_saved_with_its_graph_and_never_over_another(tmp_path):
    graph = Graph.from_data({"version": 1, "nodes": {"n": {"type": "Note", "inputs": {"text": "a fox"}}}})
    context = NodeContext("save", paths=Paths(outputs=tmp_path), graph=graph)
    files = [call_within(context, save_sound, {"sound": HISS, "name": "sub/fox"}).files for _ in range(2)]
    assert files == [[str(tmp_path / "sub" / f"fox-000{number}.flac")] for number in (1, 2)]
    with av.open(files[0][0]) as container:
        assert Graph.from_data(json.loads(container.metadata["comment"])).dumps() == graph.dumps()


def test_a_video_is_saved_with_its_sound(tmp_path):
    context = NodeContext("save", paths=Paths(outputs=tmp_path))
    given = {"video": Video(torch.zeros(4, 3, 16, 16), 8.0), "sound": HISS, "name": "fox"}
    with av.open(call_within(context, save_video, given).files[0]) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_a_sound_is_a_value_with_a_size_a_digest_and_a_file():
    assert HISS.nbytes == HISS.samples.nbytes
    assert HISS.digest() == Sound(HISS.samples.clone(), 16000).digest()
    assert HISS.digest() != Sound(HISS.samples, 8000).digest()
    assert HISS.files()[0][:4] == b"fLaC"
